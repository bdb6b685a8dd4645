//! The seats of a room: how players and spectators enter, stay away for a while, come back, and leave.

use std::{collections::VecDeque, time::Duration};

use tiltyard_shared::{
    game::{Command, Game, Leave, PlayerId, Tick},
    protocol::{Code, Resume, Resync},
    world::GroupId,
};
use uuid::Uuid;

use super::{Authority, SeatState};
use crate::{inputs::SeatInputs, seat::SeatId, views::ViewId};

/// A join request without its connection.
#[derive(Clone, Debug)]
pub struct JoinRequest {
    /// The name that the player chose.
    pub name: String,
    /// The secret of the session.
    pub token: Uuid,
    /// Whether every frame carries the view's hash.
    pub verify: bool,
    /// Whether the player has a reservation: a lock does not keep such a player out.
    pub expected: bool,
    /// The team that the player was matched into.
    pub team: Option<u16>,
}

/// A client that comes back to its seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returning {
    /// The secret of the session.
    pub token: Uuid,
    /// The state from which the client continues.
    pub resync: Resync,
    /// The lowest input number that the client still keeps.
    pub first_input: u32,
    /// The groups whose tables are current at the applied tick, in ascending order.
    pub groups: Vec<GroupId>,
    /// Whether every frame carries the view's hash.
    pub verify: bool,
}

impl Returning {
    /// From a client's [`Resume`].
    pub fn new(resume: &Resume, verify: bool) -> Self {
        let groups = resume.groups.iter().copied().map(GroupId).collect();
        Self { token: resume.token, resync: resume.resync, first_input: resume.first_input, groups, verify }
    }
}

/// What a client is told of its seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entered {
    /// The seat.
    pub seat: SeatId,
    /// The player in it; [`SPECTATOR`] for a spectator.
    pub player: PlayerId,
    /// The last tick computed.
    pub tick: Tick,
    /// The epoch of the first frame.
    pub epoch: u32,
    /// The highest input number taken in so far.
    pub input: u32,
}

/// The id of a spectator. Players start at 1.
pub const SPECTATOR: PlayerId = PlayerId(0);

#[derive(Debug)]
pub(super) struct Seat<I> {
    /// `None` for a spectator.
    pub(super) player: Option<PlayerId>,
    /// The name whose twins are kept out; empty without a name, and for spectators and matched players.
    pub(super) name: String,
    pub(super) token: Uuid,
    pub(super) inputs: SeatInputs<I>,
    /// Since when the connection has been gone.
    pub(super) gone: Option<Duration>,
    /// Whether the game knows that the player is away.
    pub(super) away: bool,
    /// Whether an edge serves this seat.
    pub(super) attached: bool,
    /// The number of the last event before the seat was taken.
    pub(super) opened: u64,
    /// The views that the client was given, as long as events from their time may be owed to it. The last is the
    /// present one.
    pub(super) given: VecDeque<Given>,
}

/// A view given to a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    /// The number of the last event before it.
    pub(super) after: u64,
    /// The number of its last event: that of the commit at which the next view was given.
    pub(super) until: u64,
    pub(super) view: ViewId,
}

impl<G: Game> Authority<G> {
    /// Gives a new player a seat; the game hears of it at the next step. `promised` free seats are reserved for others.
    /// A matched player is not refused for a name, because the others of the match would lose the match.
    ///
    /// # Errors
    ///
    /// [`Code::RoomFull`] if no seat is free, [`Code::Locked`] if the game takes nobody, [`Code::Finished`] if the
    /// match is over, [`Code::BadName`] if another player's name looks the same.
    pub fn enter(&mut self, request: JoinRequest, promised: u32) -> Result<Entered, Code> {
        let JoinRequest { name, token, expected, team, .. } = request;
        self.check_open(promised, expected)?;
        let guarded = if team.is_none() { name.clone() } else { String::new() };
        if !self.names.add(&guarded) {
            return Err(Code::BadName);
        }
        let player = PlayerId(self.next_player);
        self.next_player += 1;
        let entered = self.take_seat(Some(player), guarded, token);
        self.by_player.insert(player, entered.seat);
        self.commands.push(Command::Join { player, name, team });
        Ok(entered)
    }

    /// Checks whether [`Authority::enter`] would give a seat to a player whose name has no twin.
    ///
    /// # Errors
    ///
    /// The same, without [`Code::BadName`].
    pub fn check_open(&self, promised: u32, expected: bool) -> Result<(), Code> {
        if self.finished().is_some() {
            return Err(Code::Finished);
        }
        if self.is_locked() && !expected {
            return Err(Code::Locked);
        }
        if self.free_seats() <= promised { Err(Code::RoomFull) } else { Ok(()) }
    }

    /// Gives a spectator a seat. The game does not hear of it.
    ///
    /// # Errors
    ///
    /// [`Code::RoomFull`] beyond [`Settings::max_spectators`](tiltyard_shared::game::Settings::max_spectators),
    /// [`Code::Finished`] if the match is over.
    pub fn spectate(&mut self, token: Uuid) -> Result<Entered, Code> {
        if self.finished().is_some() {
            return Err(Code::Finished);
        }
        if self.spectators >= self.settings.max_spectators {
            return Err(Code::RoomFull);
        }
        self.spectators += 1;
        Ok(self.take_seat(None, String::new(), token))
    }

    fn take_seat(&mut self, player: Option<PlayerId>, name: String, token: Uuid) -> Entered {
        let index = self.seats.iter().position(Option::is_none).unwrap_or_else(|| {
            self.seats.push(None);
            self.states.push(SeatState::default());
            self.seats.len() - 1
        });
        self.seats[index] = Some(Seat {
            player,
            name,
            token,
            inputs: SeatInputs::default(),
            gone: None,
            away: false,
            attached: true,
            opened: self.event,
            given: VecDeque::new(),
        });
        let player = player.unwrap_or(SPECTATOR);
        Entered { seat: SeatId(index as u32), player, tick: self.simulation.tick(), epoch: 1, input: 0 }
    }

    /// The seat of a session.
    pub fn find(&self, token: Uuid) -> Option<SeatId> {
        let index = self.seats.iter().position(|seat| seat.as_ref().is_some_and(|seat| seat.token == token))?;
        Some(SeatId(index as u32))
    }

    /// Resumes a seat on a new connection, whose client has kept its inputs from number `first_input` on. The game
    /// hears of it at the next step if it was told that the player is away.
    pub fn resume(&mut self, seat: SeatId, first_input: u32, epoch: u32) -> Option<Entered> {
        let found = self.seats.get_mut(seat.index())?.as_mut()?;
        found.gone = None;
        found.inputs.resume(first_input);
        if std::mem::take(&mut found.away) {
            self.commands.extend(found.player.map(|player| Command::Back { player }));
        }
        let (player, input) = (found.player.unwrap_or(SPECTATOR), found.inputs.highest());
        Some(Entered { seat, player, tick: self.simulation.tick(), epoch, input })
    }

    /// Notes that a connection is gone. Its seat is kept for
    /// [`Settings::grace`](tiltyard_shared::game::Settings::grace).
    pub fn disconnect(&mut self, seat: SeatId, now: Duration) {
        if let Some(Some(entry)) = self.seats.get_mut(seat.index()) {
            entry.gone.get_or_insert(now);
        }
    }

    /// Frees a seat. The game hears of it at the next step.
    pub fn remove(&mut self, seat: SeatId, why: Leave) {
        self.attach(seat, false);
        let Some(entry) = self.seats.get_mut(seat.index()).and_then(Option::take) else { return };
        entry.given.iter().for_each(|given| self.views.release(given.view));
        self.states[seat.index()] = SeatState::default();
        self.kept.queues.get_mut(seat.index()).map(std::mem::take);
        self.names.remove(&entry.name);
        match entry.player {
            None => self.spectators -= 1,
            Some(player) => {
                self.by_player.remove(&player);
                self.commands.push(Command::Leave { player, why });
            }
        }
    }

    /// Frees the seats whose connections have been gone for too long, and tells the game which players are away.
    pub(super) fn remove_lost(&mut self, now: Duration) {
        for index in 0..self.seats.len() {
            let Some(seat) = &mut self.seats[index] else { continue };
            let Some(gone) = seat.gone.map(|gone| now.saturating_sub(gone)) else { continue };
            if gone > self.settings.grace {
                self.lost.push((SeatId(index as u32), Code::Unresponsive));
                self.remove(SeatId(index as u32), Leave::Lost);
            } else if gone >= self.settings.away_after && !std::mem::replace(&mut seat.away, true) {
                self.commands.extend(seat.player.map(|player| Command::Away { player }));
            }
        }
        self.empty_since = if self.by_player.is_empty() { self.empty_since.or(Some(now)) } else { None };
    }

    /// The time until which the last of the seats without a connection is kept; `None` if there is none.
    pub fn kept_until(&self) -> Option<Duration> {
        let gone = self.seats.iter().flatten().filter_map(|seat| seat.gone);
        gone.max().map(|gone| gone.saturating_add(self.settings.grace))
    }

    /// Whether this seat is taken.
    pub fn has_seat(&self, seat: SeatId) -> bool {
        self.seats.get(seat.index()).is_some_and(Option::is_some)
    }

    /// The number of players with a seat, those whose connections are lost included.
    pub fn players(&self) -> u32 {
        self.by_player.len() as u32
    }

    /// The number of spectators, those whose connections are gone for a while included.
    pub fn spectators(&self) -> u32 {
        self.spectators
    }

    /// The number of free seats.
    pub fn free_seats(&self) -> u32 {
        self.settings.max_players.saturating_sub(self.players())
    }

    /// The seats freed since the last call because their players were lost.
    pub fn take_lost(&mut self) -> impl Iterator<Item = (SeatId, Code)> {
        self.lost.drain(..)
    }
}
