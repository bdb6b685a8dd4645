//! The rooms of this instance: they are found by game, id, code or pass, and opened when there is none, within the
//! operator's limits.
//!
//! This is a cold path: gateways ask once for each wish. A room itself never waits for this list; it only writes its
//! occupancy into its own entry, and leaves notices for the lobby.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tiltyard_core::admission::{Reservations, Wish};
use tiltyard_shared::{
    game::Rng,
    protocol::{
        Code, Target, limits,
        lobby::{RoomCode, RoomOptions},
        text,
    },
};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use uuid::Uuid;

use crate::{
    games::{Games, Prepared},
    lobby::Lobby,
    room::{
        Outside, Setup,
        door::{Arrival, Entry, Listed, NextRoom, Plan, Reservation, RoomRequest, Status},
        matched::{Guard, MatchSeat},
    },
    shard::Shards,
};

mod open;

use open::Open;

/// The queue at a room's door. When it is full, gateways wait for a while, then refuse.
const WAITING_REQUESTS: usize = 64;

/// The maximum wait for a place in a room's queue.
pub(crate) const DOOR_TIMEOUT: Duration = Duration::from_secs(5);

/// The golden ratio's fraction: multiples of it divide a tick evenly, however many rooms a shard has.
const STAGGER: f32 = 0.618_034;

/// All open rooms.
#[derive(Debug)]
pub(crate) struct Rooms {
    games: Games,
    shards: Shards,
    open: Arc<Mutex<Open>>,
    kept: Mutex<Reservations<Reservation>>,
    terms: Terms,
    lobby: Arc<Lobby>,
    outside: Outside,
}

/// The limits set by the operator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// The maximum number of rooms.
    pub(crate) rooms: u32,
    /// The maximum number of players in all rooms.
    pub(crate) players: u32,
}

/// The way of a connection into a room.
#[derive(Debug)]
pub(crate) struct Way {
    /// The way into the room.
    pub(crate) arrival: Arrival,
    /// The seat that was reserved for the bearer of a pass.
    pub(crate) reservation: Option<Reservation>,
    /// The seat in a match.
    pub(crate) seat: Option<MatchSeat>,
}

impl From<Arrival> for Way {
    fn from(arrival: Arrival) -> Self {
        Self { arrival, reservation: None, seat: None }
    }
}

impl Rooms {
    /// An instance without rooms. Open rooms are shown in the lobby.
    pub(crate) fn new(games: Games, shards: Shards, terms: Terms, lobby: Arc<Lobby>, outside: Outside) -> Self {
        Self { games, shards, open: Arc::default(), kept: Mutex::default(), terms, lobby, outside }
    }

    /// Whether no room is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.lock().by_id.is_empty()
    }

    /// The number of people in all rooms, and of those on their way.
    pub(crate) fn players(&self) -> u32 {
        u32::try_from(self.open.lock().expected()).unwrap_or(u32::MAX)
    }

    /// The load of the instance, from 0 to 1,000 and beyond.
    pub(crate) fn load_per_mille(&self) -> u32 {
        let players = u64::from(self.players()) * 1000;
        u32::try_from(players / u64::from(self.terms.players.max(1))).unwrap_or(u32::MAX)
    }

    /// Whether a room of this instance has this code.
    pub(crate) fn has_code(&self, code: RoomCode) -> bool {
        self.open.lock().by_code.contains_key(&code)
    }

    /// The number of people in the fullest open room of a game with room for one more.
    pub(crate) fn fullest(&self, game: &str) -> Option<u32> {
        self.open.lock().fullest(game).map(|entry| entry.expected())
    }

    /// Finds the room for a wish, and opens one if need be. Spectators need no seat.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownGame`], [`Code::UnknownRoom`], [`Code::BadCode`], [`Code::BadPass`], [`Code::BadTitle`],
    /// [`Code::ServerFull`], [`Code::Stopping`], and the errors of
    /// [`GameHost::prepare`](crate::games::GameHost::prepare).
    pub(crate) async fn arrive(&self, target: &Target, spectate: bool) -> Result<Way, Code> {
        let expected = matches!(target, Target::Resume { .. } | Target::Pass(_));
        let stop = &self.outside.stop;
        if stop.is_stopping() || stop.is_draining() && !expected {
            return Err(Code::Stopping);
        }
        let arrival = match target {
            Target::Game(name) if spectate => self.find_to_watch(name)?,
            Target::Game(name) => self.any(name).await?,
            Target::Create { game, config, options } => self.create(game, config.as_deref(), options).await?,
            Target::Room(id) => self.by_id(*id, true)?,
            Target::Code(code) => self.by_code(code.parse()?)?,
            Target::Resume(resume) => self.by_id(resume.room, false)?,
            Target::Pass(pass) => {
                let reservation = self.kept.lock().redeem(pass, self.now())?;
                return Ok(Way { arrival: reservation.arrival(), reservation: Some(reservation), seat: None });
            }
        };
        Ok(arrival.into())
    }

    /// Finds a room of a game with room for one more, and opens one if there is none.
    ///
    /// # Errors
    ///
    /// As [`Self::arrive`].
    pub(crate) async fn any(&self, name: &str) -> Result<Arrival, Code> {
        let game = self.games.find(name).ok_or(Code::UnknownGame)?;
        let found = {
            let open = self.open.lock();
            self.check_players(&open)?;
            open.fullest(game.name()).map(Arrival::new)
        };
        match found {
            Some(arrival) => Ok(arrival),
            None => {
                let plan = Plan { game: game.name(), options: RoomOptions::default(), config: None, matched: None };
                self.open_room(game.prepare(None)?, plan, true).await
            }
        }
    }

    /// Opens a room of a game.
    ///
    /// # Errors
    ///
    /// As [`Self::arrive`].
    pub(crate) async fn create(
        &self,
        game: &str,
        config: Option<&[u8]>,
        options: &RoomOptions,
    ) -> Result<Arrival, Code> {
        let game = self.games.find(game).ok_or(Code::UnknownGame)?;
        let title = text::plain(&options.title, limits::TITLE_BYTES).map_err(|_| Code::BadTitle)?;
        let options = RoomOptions { title, private: options.private };
        let plan = Plan { game: game.name(), options, config: config.map(<[u8]>::to_vec), matched: None };
        self.open_room(game.prepare(config)?, plan, false).await
    }

    /// Opens a room for a match. Only players who were matched into it get seats; `end` reports its end.
    ///
    /// # Errors
    ///
    /// As [`Self::arrive`].
    pub(crate) async fn open_match(&self, id: Uuid, game: &str, config: &[u8], end: Guard) -> Result<(), Code> {
        let game = self.games.find(game).ok_or(Code::UnknownGame)?;
        let (options, kept) = (RoomOptions::default(), Some(config.to_vec()));
        let plan = Plan { game: game.name(), options, config: kept, matched: Some(id) };
        let prepared = game.prepare(Some(config))?;
        let run = prepared.run;
        let prepared = Prepared { run: Box::new(move |setup| run(Setup { matched: Some(end), ..setup })), ..prepared };
        self.open_room(prepared, plan, false).await.map(drop)
    }

    /// Finds the room with this id.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownRoom`]; [`Code::ServerFull`] for a newcomer.
    pub(crate) fn by_id(&self, id: Uuid, newcomer: bool) -> Result<Arrival, Code> {
        let open = self.open.lock();
        let entry = open.by_id.get(&id).ok_or(Code::UnknownRoom)?;
        if newcomer {
            self.check_players(&open)?;
        }
        Ok(Arrival::new(entry))
    }

    /// Finds the room with this code.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownRoom`], [`Code::ServerFull`].
    pub(crate) fn by_code(&self, code: RoomCode) -> Result<Arrival, Code> {
        let id = self.open.lock().by_code.get(&code).copied();
        self.by_id(id.ok_or(Code::UnknownRoom)?, true)
    }

    fn find_to_watch(&self, name: &str) -> Result<Arrival, Code> {
        let game = self.games.find(name).ok_or(Code::UnknownGame)?;
        let open = self.open.lock();
        self.check_players(&open)?;
        open.listed(game.name()).max_by_key(|entry| entry.expected()).map(Arrival::new).ok_or(Code::UnknownRoom)
    }

    /// Asks a room to reserve a seat, and returns the pass for it.
    ///
    /// # Errors
    ///
    /// As [`Self::ask`].
    pub(crate) async fn keep_seat(&self, arrival: &Arrival) -> Result<Vec<u8>, Code> {
        let reservation = self.ask(arrival).await?;
        Ok(self.kept.lock().keep(Uuid::new_v4().as_u128(), reservation, self.now()))
    }

    /// Asks a room to reserve a seat for as long as the reservation lives.
    ///
    /// # Errors
    ///
    /// The room's refusal: [`Code::RoomFull`], [`Code::Locked`], [`Code::Finished`]; [`Code::RoomClosed`], or
    /// [`Code::ServerFull`] if its door stays full for [`DOOR_TIMEOUT`].
    pub(crate) async fn ask(&self, arrival: &Arrival) -> Result<Reservation, Code> {
        let (reply, answer) = oneshot::channel();
        match timeout(DOOR_TIMEOUT, arrival.door().send(RoomRequest::Reserve(reply))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(Code::RoomClosed),
            Err(_) => return Err(Code::ServerFull),
        }
        answer.await.map_err(|_| Code::RoomClosed)?
    }

    /// A way to each of the rooms.
    pub(crate) fn all(&self) -> Vec<Arrival> {
        self.open.lock().by_id.values().map(Arrival::new).collect()
    }

    /// The number of players who are connected to a room; 0 if it has ended.
    pub(crate) async fn connected(&self, room: &Arrival) -> u32 {
        let (reply, answer) = oneshot::channel();
        // If the room has ended, the answer is an error.
        let _ = room.door().send(RoomRequest::Count(reply)).await;
        answer.await.unwrap_or(0)
    }

    /// Sends players of a room, one for each pass, to another one elsewhere. Returns when they have been told: a room
    /// that is to stop does nothing else any more.
    pub(crate) async fn send_on(&self, room: &Arrival, next: NextRoom) {
        let (reply, told) = oneshot::channel();
        // If the room has ended, nobody is there to be sent.
        let _ = room.door().send(RoomRequest::SendOn(next, reply)).await;
        let _ = told.await;
    }

    /// Notes a wish from another instance.
    pub(crate) fn hear(&self, wish: Uuid) -> Wish {
        self.kept.lock().hear(wish, self.now())
    }

    /// Notes the pass for a wish from another instance.
    pub(crate) fn granted(&self, wish: Uuid, pass: &[u8]) {
        self.kept.lock().granted(wish, pass);
    }

    /// The room of a pass that has not been used.
    pub(crate) fn reserved(&self, pass: &[u8]) -> Option<Uuid> {
        self.kept.lock().look(pass).map(Reservation::room)
    }

    /// Frees reserved seats that nobody came for in time.
    pub(crate) fn expire(&self) {
        self.kept.lock().expire(self.now());
    }

    fn check_players(&self, open: &Open) -> Result<(), Code> {
        if open.expected() < u64::from(self.terms.players) { Ok(()) } else { Err(Code::ServerFull) }
    }

    /// Opens a room. With `any`, returns a room with a free seat instead if another was opened in the meantime.
    async fn open_room(&self, prepared: Prepared, plan: Plan, any: bool) -> Result<Arrival, Code> {
        let (door, requests) = mpsc::channel(WAITING_REQUESTS);
        let (entry, arrival) = {
            let mut open = self.open.lock();
            self.check_players(&open)?;
            if let Some(other) = any.then(|| open.fullest(plan.game)).flatten() {
                return Ok(Arrival::new(other));
            }
            if open.by_id.len() >= self.terms.rooms as usize {
                return Err(Code::ServerFull);
            }
            let entry = Arc::new(Entry::new(plan, self.free_code(&open), prepared.seats, door));
            open.add(entry.clone());
            let arrival = Arrival::new(&entry);
            (entry, arrival)
        };
        self.lobby.notices().put(entry.listing(&Status::default()));
        if self.start(prepared, entry, requests).await { Ok(arrival) } else { Err(Code::Stopping) }
    }

    /// A code that no open room has, here or, as far as known, elsewhere.
    fn free_code(&self, open: &Open) -> RoomCode {
        let mut rng = Rng::new(Uuid::new_v4().as_u64_pair().0);
        loop {
            let code = RoomCode::random(&mut rng);
            if !open.by_code.contains_key(&code) && self.lobby.look(|rooms| rooms.find_code(code).is_none()) {
                return code;
            }
        }
    }

    async fn start(&self, prepared: Prepared, entry: Arc<Entry>, requests: mpsc::Receiver<RoomRequest>) -> bool {
        let shard = self.shards.least_busy();
        shard.load().add_room();
        let (id, open, stop) = (entry.id, self.open.clone(), self.outside.stop.clone());
        let unlist = Box::new(move |entry: &Entry| {
            open.lock().remove(entry);
            stop.note_end();
        });
        let listed = Listed::new(entry, self.lobby.notices().clone(), shard.load().clone(), unlist);
        let outside = self.outside.clone();
        let opening = move |order: u32| {
            let phase = (order as f32 * STAGGER).fract();
            (prepared.run)(Setup { id, listed, requests, outside, phase, matched: None })
        };
        shard.open(Box::new(opening)).await
    }

    fn now(&self) -> Duration {
        self.outside.clock.now()
    }
}
