//! Seats across the whole fleet: finds the place for a wish, here or on another instance, and reserves seats for
//! players who come from other instances.
//!
//! Another instance may take at most [`PATIENCE`] to answer. Without an answer, a wish for a certain room is sent to
//! the room's instance without a pass, to be repeated there; all other wishes are placed here.

use std::{sync::Arc, time::Duration};

use tiltyard_core::{
    admission::Wish,
    directory::{Directory, messages::Heartbeat},
};
use tiltyard_shared::protocol::{Code, Target, lobby::RoomEntry};
use tracing::debug;
use uuid::Uuid;

use crate::{
    bus::{BusError, InstanceId, Payload, State},
    fleet::{
        Instance,
        messages::{Command, Destination, Reply, Reserve},
        socket_url,
    },
    games::Games,
    rooms::{Rooms, Way},
};

/// The maximum wait for another instance.
const PATIENCE: Duration = Duration::from_secs(2);

/// A new room opens on another instance if that is emptier by at least this many thousandths of its capacity.
const EMPTIER_PER_MILLE: u32 = 50;

mod send_on;

/// The place for a wish.
#[derive(Debug)]
pub(crate) enum Found {
    /// Into a room of this instance.
    Here(Way),
    /// To another instance.
    There(Elsewhere),
}

/// A place on another instance.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    /// The WebSocket URL.
    pub(crate) url: String,
    /// The pass to show there; empty if the wish has to be repeated there.
    pub(crate) pass: Vec<u8>,
    /// The room, if it is known.
    pub(crate) room: Option<Uuid>,
}

impl Elsewhere {
    /// The wish has to be repeated at this instance.
    pub(crate) fn ask_at(home: &Heartbeat) -> Self {
        Self { url: socket_url(&home.url), pass: Vec::new(), room: None }
    }
}

/// Finds the places for wishes. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    here: Instance,
    games: Games,
    rooms: Arc<Rooms>,
}

impl Placement {
    /// Places wishes in these rooms, and in those of the other instances.
    pub(crate) fn new(here: Instance, games: Games, rooms: Arc<Rooms>) -> Self {
        Self { here, games, rooms }
    }

    /// Finds the place for a wish. It does for the fleet what [`Rooms::arrive`] does for this instance.
    ///
    /// # Errors
    ///
    /// As [`Rooms::arrive`].
    pub(crate) async fn find(&self, target: &Target, spectate: bool) -> Result<Found, Code> {
        let there = match target {
            Target::Pass(_) => None,
            Target::Resume(resume) => self.home_of(resume.room).map(|home| Elsewhere::ask_at(&home)),
            Target::Room(room) => self.in_room(*room, spectate).await?,
            Target::Code(code) => {
                let code = code.parse()?;
                let find = |directory: &mut Directory| directory.find_code(code).map(|listing| listing.entry.room);
                match self.here.lobby().look(find) {
                    Some(room) if !self.rooms.has_code(code) => self.in_room(room, spectate).await?,
                    _ => None,
                }
            }
            Target::Game(name) => self.in_game(name, spectate).await,
            Target::Create { game, config, options } => {
                let destination =
                    Destination::New { game: game.clone(), config: config.clone(), options: options.clone() };
                self.in_new_room(destination).await?
            }
        };
        match there {
            Some(elsewhere) => Ok(Found::There(elsewhere)),
            None => self.rooms.arrive(target, spectate).await.map(Found::Here),
        }
    }

    /// Another instance of this region that takes players, for clients that only look at the list.
    pub(crate) fn another(&self) -> Option<Elsewhere> {
        self.here.fleet().emptiest().map(Elsewhere::ask_at)
    }

    /// The other instance that hosts a room.
    fn home_of(&self, room: Uuid) -> Option<Heartbeat> {
        self.here.lobby().roster(|roster| roster.home_of(room).cloned())
    }

    async fn in_room(&self, room: Uuid, spectate: bool) -> Result<Option<Elsewhere>, Code> {
        let Some(home) = self.home_of(room) else { return Ok(None) };
        if spectate {
            return Ok(Some(Elsewhere::ask_at(&home)));
        }
        match self.reserve(home.instance, Destination::Room(room)).await {
            Ok((room, pass)) => Ok(Some(Elsewhere { pass, room: Some(room), ..Elsewhere::ask_at(&home) })),
            // The instance that stops is another one.
            Err(Failure::Refused(Code::Stopping)) => Err(Code::Locked),
            Err(Failure::Refused(code)) => Err(code),
            Err(Failure::Gone) => Err(Code::RoomClosed),
            Err(Failure::Unanswered) => Ok(Some(Elsewhere::ask_at(&home))),
        }
    }

    /// Prefers a room with players to an empty one, and any room to a new one.
    async fn in_game(&self, game: &str, spectate: bool) -> Option<Elsewhere> {
        let ours = if self.here.is_draining() { None } else { self.rooms.fullest(game) };
        if let Some((entry, home)) = self.fullest_elsewhere(game, ours, spectate) {
            if spectate {
                return Some(Elsewhere::ask_at(&home));
            }
            if let Ok((room, pass)) = self.reserve(home.instance, Destination::Room(entry.room)).await {
                return Some(Elsewhere { pass, room: Some(room), ..Elsewhere::ask_at(&home) });
            }
        }
        if ours.is_some() || spectate || self.games.find(game).is_none() {
            return None;
        }
        self.in_new_room(Destination::Game(game.to_owned())).await.ok().flatten()
    }

    /// The fullest room of a game on the other instances of this region, if it is fuller than `ours`.
    fn fullest_elsewhere(&self, game: &str, ours: Option<u32>, spectate: bool) -> Option<(RoomEntry, Heartbeat)> {
        let fleet = self.here.fleet();
        fleet.emptiest()?;
        self.here.lobby().roster(|roster| {
            let fuller = |entry: &&RoomEntry| ours.is_none_or(|ours| entry.players > ours);
            let fits = |entry: &&RoomEntry| entry.is_open() || spectate;
            roster.rooms().fullest(game).take_while(fuller).filter(fits).find_map(|entry| {
                let home = roster.home_of(entry.room).filter(|home| fleet.is_open(home.instance))?;
                Some((entry.clone(), home.clone()))
            })
        })
    }

    /// Reserves a seat in a new room on the emptiest instance, if that is another one.
    async fn in_new_room(&self, destination: Destination) -> Result<Option<Elsewhere>, Code> {
        let (load, draining) = (self.rooms.load_per_mille(), self.here.is_draining());
        let fleet = self.here.fleet();
        let better = |peer: &&Heartbeat| draining || peer.load_per_mille() + EMPTIER_PER_MILLE < load;
        let Some(home) = fleet.emptiest().filter(better) else { return Ok(None) };
        match self.reserve(home.instance, destination).await {
            Ok((room, pass)) => Ok(Some(Elsewhere { pass, room: Some(room), ..Elsewhere::ask_at(home) })),
            Err(Failure::Refused(code @ (Code::BadConfig | Code::BadTitle | Code::TooLarge | Code::GameFailed))) => {
                Err(code)
            }
            Err(_) if draining => Ok(Some(Elsewhere::ask_at(home))),
            Err(_) => Ok(None),
        }
    }

    /// Asks an instance to reserve a seat.
    async fn reserve(&self, at: InstanceId, destination: Destination) -> Result<(Uuid, Vec<u8>), Failure> {
        if !matches!(*self.here.link().state.borrow(), State::Up) {
            return Err(Failure::Unanswered);
        }
        let command = Payload::of(&Command::Reserve(Reserve { id: Uuid::new_v4(), destination }));
        match self.here.link().bus.request(&at, command, PATIENCE).await {
            Ok(reply) => match reply.read() {
                Ok(Reply::Seat { room, pass }) => Ok((room, pass)),
                Ok(Reply::Refused(code)) => {
                    debug!(%at, %code, "no seat elsewhere");
                    Err(Failure::Refused(code))
                }
                Ok(Reply::Done | Reply::Rooms(_)) | Err(_) => Err(Failure::Unanswered),
            },
            Err(BusError::Unroutable) => {
                debug!(%at, "an instance that should have a seat takes no commands");
                self.here.lobby().roster(|roster| roster.gone(at));
                Err(Failure::Gone)
            }
            Err(error) => {
                debug!(%at, %error, "no seat elsewhere");
                Err(Failure::Unanswered)
            }
        }
    }

    /// Reserves a seat for a player from another instance; `None` if the same wish is being handled already.
    pub(crate) async fn grant(&self, wish: &Reserve) -> Option<Reply> {
        match self.rooms.hear(wish.id) {
            Wish::New => {}
            Wish::Pending => return None,
            Wish::Granted(pass) => {
                let room = self.rooms.reserved(&pass);
                return Some(room.map_or(Reply::Refused(Code::BadPass), |room| Reply::Seat { room, pass }));
            }
        }
        Some(match self.keep(&wish.destination).await {
            Ok((room, pass)) => {
                self.rooms.granted(wish.id, &pass);
                Reply::Seat { room, pass }
            }
            Err(code) => Reply::Refused(code),
        })
    }

    async fn keep(&self, destination: &Destination) -> Result<(Uuid, Vec<u8>), Code> {
        let target = match destination {
            Destination::Room(room) => Target::Room(*room),
            Destination::Game(game) => Target::Game(game.clone()),
            Destination::New { game, config, options } => {
                Target::Create { game: game.clone(), config: config.clone(), options: options.clone() }
            }
        };
        let Way { arrival, .. } = self.rooms.arrive(&target, false).await?;
        let pass = self.rooms.keep_seat(&arrival).await?;
        Ok((arrival.room(), pass))
    }
}

enum Failure {
    Refused(Code),
    /// The instance is gone.
    Gone,
    Unanswered,
}
