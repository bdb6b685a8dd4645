//! Saves an authority as bytes and restores it, with the same seats, waiting inputs, and events that a client may still
//! need. Its players are away until their clients are back.

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

/// The saved state. A byte for the version precedes it.
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
    /// The views that the client was given, each with the number of the last event before it and of its last event.
    given: Vec<(u64, u64, Vec<GroupId>)>,
}

/// Most seats of a room that can be restored, those of spectators included.
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

    /// Restores a saved authority. The bytes may be from this version of the game, or from an earlier one with the same
    /// config and inputs. All connections are gone since `now`.
    ///
    /// Restore only the latest saved state: after an older one, event numbers that clients have seen are used again for
    /// other events.
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

    /// The history for the next edge to serve the room.
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
    /// Whether everything holds that the methods of an authority rely on.
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

/// A room's past, as far as a new edge needs it.
#[derive(Debug)]
pub struct History<'a> {
    /// The last tick of which clients may hold something.
    pub tick: Tick,
    /// The number of the last event.
    pub event: u64,
    /// The events kept by group.
    pub logs: &'a Logs,
    /// The taken seats.
    pub seats: Vec<SeatHistory<'a>>,
}

/// The past of a seat that another edge has served.
#[derive(Debug)]
pub struct SeatHistory<'a> {
    /// The seat.
    pub seat: SeatId,
    /// The view that its client was given last.
    pub view: &'a [GroupId],
    /// The player's own group, if any.
    pub own: Option<GroupId>,
    /// The events that may be owed to it.
    pub owed: Log,
}
