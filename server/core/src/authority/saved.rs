//! An authority as bytes, from which it is made again: with the same seats, inputs that wait, and events that somebody may
//! yet need. Who sits there is away until the client is back.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};
use tiltyard_shared::{
    game::{Command, Game, PlayerId, Simulation, Tick},
    protocol::codec,
    wire::Wire,
    world::{BadSave, GroupId},
};
use uuid::Uuid;

use super::{Authority, Kept, Seat, SeatState, events::MAX_GIVEN, seats::Given};
use crate::{
    events::{Keep, Log, Logs},
    inputs::SeatInputs,
    seat::SeatId,
};

/// All but the simulation. In front of it stands the version.
#[derive(Serialize, Deserialize)]
#[serde(bound = "I: Serialize + serde::de::DeserializeOwned")]
struct Saved<I> {
    simulation: Vec<u8>,
    seats: Vec<Option<SavedSeat<I>>>,
    commands: Vec<Command<I>>,
    next_player: u32,
    moved: u32,
    event: u64,
    logs: Logs,
    queues: Vec<Log>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound = "I: Serialize + serde::de::DeserializeOwned")]
struct SavedSeat<I> {
    player: Option<PlayerId>,
    name: String,
    token: Uuid,
    inputs: SeatInputs<I>,
    away: bool,
    opened: u64,
    /// The views that the client was given, each with the last event before it and the last of it.
    given: Vec<(u64, u64, Vec<GroupId>)>,
}

/// Most seats of a room that can be made again, those of spectators included.
const MAX_SEATS: usize = 1 << 17;

/// The version of the bytes.
const VERSION: u8 = 1;

impl<G: Game> Authority<G> {
    /// The whole state as bytes, for [`Self::restore`].
    ///
    /// # Errors
    ///
    /// [`BadSave::Game`] if the game's `Serialize` fails.
    pub fn save(&self) -> Result<Vec<u8>, BadSave> {
        let of_view = |given: &Given| (given.after, given.until, self.views.groups(given.view).to_vec());
        let seat = |seat: &Seat<G::Input>| SavedSeat {
            player: seat.player,
            name: seat.name.clone(),
            token: seat.token,
            inputs: seat.inputs.clone(),
            away: seat.away,
            opened: seat.opened,
            given: seat.given.iter().map(of_view).collect(),
        };
        let saved = Saved {
            simulation: self.simulation.save()?,
            seats: self.seats.iter().map(|entry| entry.as_ref().map(seat)).collect(),
            commands: self.commands.clone(),
            next_player: self.next_player,
            moved: self.moved,
            event: self.event,
            logs: self.kept.logs.clone(),
            queues: self.kept.queues.clone(),
        };
        let mut bytes = vec![VERSION];
        bytes.extend(codec::encode(&saved));
        Ok(bytes)
    }

    /// The authority that was saved, by this version of its game, or an earlier one whose config and inputs were the same. All
    /// connections are gone, since `now`.
    ///
    /// Only the state that was saved last may be made again: the numbers of events that clients have seen since are given to
    /// other ones.
    ///
    /// # Errors
    ///
    /// [`BadSave`].
    pub fn restore(bytes: &[u8], keep: Keep, now: Duration) -> Result<Self, BadSave> {
        let (&version, rest) = bytes.split_first().ok_or(BadSave::Malformed("nothing"))?;
        if version != VERSION {
            return Err(BadSave::Version(version));
        }
        let malformed = BadSave::Malformed("seats and inputs");
        let saved: Saved<G::Input> = codec::decode_saved(rest).map_err(|_| malformed.clone())?;
        let simulation = Simulation::<G>::restore(&saved.simulation)?;
        let groups = simulation.world().committed().group_count();
        if !saved.is_sound(groups) {
            return Err(malformed);
        }
        let settings = G::settings(&simulation.config());
        let mut authority = Self::new(simulation, settings, keep);
        for (index, seat) in saved.seats.into_iter().enumerate() {
            authority.seats.push(None);
            authority.states.push(SeatState::default());
            if let Some(SavedSeat { player, name, token, inputs, away, opened, given }) = seat {
                match player {
                    Some(player) => drop(authority.by_player.insert(player, SeatId(index as u32))),
                    None => authority.spectators += 1,
                }
                if !authority.names.add(&name) {
                    return Err(malformed);
                }
                let of_view = |(after, until, view): (u64, u64, Vec<GroupId>)| Given {
                    after,
                    until,
                    view: authority.views.acquire(&view),
                };
                let given = given.into_iter().map(of_view).collect();
                let gone = Some(now);
                authority.seats[index] =
                    Some(Seat { player, name, token, inputs, gone, away, attached: false, opened, given });
            }
        }
        authority.commands = saved.commands;
        (authority.next_player, authority.moved) = (saved.next_player, saved.moved);
        (authority.event, authority.event_committed) = (saved.event, saved.event);
        let seats = authority.seats.len();
        let queues = saved.queues.into_iter().take(seats).map(|queue| queue.restored(keep, saved.event));
        authority.kept = Kept { keep, logs: saved.logs.restored(groups, keep, saved.event), queues: queues.collect() };
        Ok(authority)
    }

    /// For whoever serves the room from now on.
    pub fn history(&self) -> History<'_> {
        let seat = |(index, entry): (usize, &Option<Seat<G::Input>>)| {
            let id = SeatId(index as u32);
            let view = entry.as_ref()?.given.back().map_or(&[][..], |given| self.views.groups(given.view));
            let own = entry.as_ref()?.player.and_then(|player| self.simulation.world().own_group_of(player));
            Some(SeatHistory { seat: id, view, own, owed: self.owed(id) })
        };
        History {
            tick: self.simulation.tick(),
            event: self.event,
            logs: &self.kept.logs,
            seats: self.seats.iter().enumerate().filter_map(seat).collect(),
        }
    }
}

impl<I: Wire> Saved<I> {
    /// What the methods of an authority rely on.
    fn is_sound(&self, groups: usize) -> bool {
        let players: Vec<_> = self.seats.iter().flatten().filter_map(|seat| seat.player).collect();
        let distinct: BTreeSet<_> = players.iter().copied().collect();
        let is_view = |(_, _, view): &(u64, u64, Vec<GroupId>)| {
            view.is_sorted_by(|one, other| one < other) && view.last().is_none_or(|group| (group.0 as usize) < groups)
        };
        let is_seat = |seat: &SavedSeat<I>| {
            seat.inputs.is_sound(Wire::is_bounded) && seat.given.len() <= MAX_GIVEN && seat.given.iter().all(is_view)
        };
        let is_bounded = |command: &Command<I>| !matches!(command, Command::Input { input, .. } if !input.is_bounded());
        self.seats.len() <= MAX_SEATS
            && distinct.len() == players.len()
            && distinct.last().is_none_or(|player| player.0 < self.next_player)
            && self.next_player < u32::MAX / 2
            && self.event < u64::MAX / 2
            && self.seats.iter().flatten().all(is_seat)
            && self.commands.iter().all(is_bounded)
    }
}

/// What an edge has to know of what it has not seen.
#[derive(Debug)]
pub struct History<'a> {
    /// Up to here clients may hold something.
    pub tick: Tick,
    /// The number of the last event.
    pub event: u64,
    /// The events that are kept by group.
    pub logs: &'a Logs,
    /// The seats that are taken.
    pub seats: Vec<SeatHistory<'a>>,
}

/// What an edge has to know of a seat that another one has served.
#[derive(Debug)]
pub struct SeatHistory<'a> {
    /// Which.
    pub seat: SeatId,
    /// The view that its client was given last.
    pub view: &'a [GroupId],
    /// The player's own group, if there is one.
    pub own: Option<GroupId>,
    /// The events that may be owed to it.
    pub owed: Log,
}
