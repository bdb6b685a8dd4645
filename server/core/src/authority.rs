//! The authority of a room: its simulation, the seats of its players, their inputs, and the numbers of its events.
//!
//! The calls to it determine everything that happens in a room. Each step is [`Published`]; the edge decides which
//! bytes of it go to whom. Time is an argument.

use std::{collections::BTreeMap, fmt, time::Duration};

use tiltyard_shared::{
    game::{Command, Game, PlayerId, Settings, Simulation, Tick},
    protocol::{Code, Input, codec, limits},
    wire::Wire,
    world::GroupId,
};

use crate::{
    events::{Keep, Logs},
    inputs::Outcome,
    seat::SeatId,
    views::Views,
};

mod names;
mod published;
mod seats;
mod events;
mod saved;

use events::Kept;
pub use events::MAX_EVENT_BYTES;
use names::Names;
pub use published::{Event, Listener, Published, SeatState};
pub use saved::{History, SeatHistory};
use seats::Seat;
pub use seats::{Entered, JoinRequest, Returning, SPECTATOR};

/// Inputs counted by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputStats {
    /// Inputs that came in time.
    pub accepted: u64,
    /// Inputs that came late and were executed.
    pub late: u64,
    /// Inputs that had been taken in before.
    pub repeated: u64,
    /// Inputs that were refused.
    pub refused: u64,
}

/// Counters of an authority since its room was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuthorityStats {
    /// Ticks computed.
    pub ticks: u64,
    /// Inputs by outcome.
    pub inputs: InputStats,
    /// Events dropped because they were larger than [`MAX_EVENT_BYTES`].
    pub events_too_large: u64,
}

/// See the [module](self).
pub struct Authority<G: Game> {
    simulation: Simulation<G>,
    settings: Settings,
    seats: Vec<Option<Seat<G::Input>>>,
    by_player: BTreeMap<PlayerId, SeatId>,
    names: Names,
    spectators: u32,
    /// Joins and leaves since the last step.
    commands: Vec<Command<G::Input>>,
    next_player: u32,
    /// In ticks: [`Settings::most_late`].
    most_late: u32,
    moved: u32,
    empty_since: Option<Duration>,
    lost: Vec<(SeatId, Code)>,
    /// Whether frames are due.
    due: bool,
    /// The published states, by seat.
    states: Vec<SeatState>,
    views: Views,
    /// A buffer for the view that the game is asked for.
    view: Vec<GroupId>,
    /// The number of the last event: now, and at the last commit.
    event: u64,
    event_committed: u64,
    /// The events of the last step.
    events: Vec<Event>,
    /// Events that a client may still need.
    kept: Kept,
    /// The inputs refused between the last two commits.
    refused: Vec<(SeatId, u32, Code)>,
    stats: AuthorityStats,
}

impl<G: Game> fmt::Debug for Authority<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("tick", &self.simulation.tick()).finish_non_exhaustive()
    }
}

impl<G: Game> Authority<G> {
    /// An authority for a simulation, with all seats free.
    pub fn new(simulation: Simulation<G>, settings: Settings, keep: Keep) -> Self {
        Self {
            most_late: settings.most_late(),
            settings,
            simulation,
            seats: Vec::new(),
            by_player: BTreeMap::new(),
            names: Names::default(),
            spectators: 0,
            commands: Vec::new(),
            next_player: 1,
            moved: 0,
            empty_since: None,
            lost: Vec::new(),
            due: false,
            states: Vec::new(),
            views: Views::new(),
            view: Vec::new(),
            event: 0,
            event_committed: 0,
            events: Vec::new(),
            kept: Kept { keep, logs: Logs::default(), queues: Vec::new() },
            refused: Vec::new(),
            stats: AuthorityStats::default(),
        }
    }

    /// The properties that the game gave this room.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The game and its world.
    pub fn simulation(&self) -> &Simulation<G> {
        &self.simulation
    }

    /// The game and its world, for tests and tools that act beside the players.
    pub fn simulation_mut(&mut self) -> &mut Simulation<G> {
        &mut self.simulation
    }

    /// The counters.
    pub fn stats(&self) -> AuthorityStats {
        self.stats
    }

    /// Takes the inputs of a seat, numbered from `first` on.
    ///
    /// # Errors
    ///
    /// A [`Code`] that ends the connection.
    pub fn take_inputs(&mut self, seat: SeatId, first: u32, inputs: &[Input]) -> Result<(), Code> {
        if inputs.is_empty() || inputs.len() > limits::EARLY_INPUTS {
            return Err(Code::Malformed);
        }
        for (number, input) in (first..).zip(inputs) {
            self.take_input(seat, number, input.aim, &input.payload)?;
        }
        Ok(())
    }

    fn take_input(&mut self, seat: SeatId, number: u32, aim: Tick, payload: &[u8]) -> Result<(), Code> {
        if payload.len() > limits::INPUT_BYTES {
            return Err(Code::TooLarge);
        }
        let next = Tick(self.simulation.tick().0 + 1);
        let Some(seat) = self.seats.get_mut(seat.index()).and_then(Option::as_mut) else { return Ok(()) };
        let input = match seat.player {
            None => Err(Code::NotAllowed),
            Some(_) => codec::decode::<G::Input>(payload).ok().filter(Wire::is_bounded).ok_or(Code::BadInput),
        };
        let counts = &mut self.stats.inputs;
        let count = match seat.inputs.take(number, aim, input, next, self.most_late)? {
            Outcome::Accepted => &mut counts.accepted,
            Outcome::Late => &mut counts.late,
            Outcome::Repeated => &mut counts.repeated,
            Outcome::Refused(_) => &mut counts.refused,
        };
        *count += 1;
        Ok(())
    }

    /// Computes the next tick. Returns true if frames are due.
    pub fn step(&mut self, now: Duration) -> bool {
        self.remove_lost(now);
        let tick = Tick(self.simulation.tick().0 + 1);
        let seats = &mut self.seats;
        let inputs = seats.iter_mut().flatten().flat_map(|seat| {
            std::iter::from_fn(move || Some(Command::Input { player: seat.player?, input: seat.inputs.due(tick)? }))
        });
        self.simulation.step(self.commands.drain(..).chain(inputs));
        self.stats.ticks += 1;
        self.number_events();
        self.due = tick.0.is_multiple_of(self.settings.send_every.max(1)) || self.finished().is_some();
        if self.due {
            self.simulation.commit();
            self.views.begin_commit();
            self.look();
        }
        self.due
    }

    /// The output of the last step.
    pub fn published(&self) -> Published<'_> {
        Published {
            due: self.due,
            world: self.simulation.world().committed(),
            seats: &self.states,
            views: &self.views,
            events: &self.events,
            refused: &self.refused,
            moved: self.moved,
            last: self.finished().is_some(),
        }
    }

    /// Asks the game for the views of the attached seats, and notes what else their frames need.
    fn look(&mut self) {
        self.refused.clear();
        for index in 0..self.seats.len() {
            let seat = SeatId(index as u32);
            if let Some(entry) = &mut self.seats[index] {
                self.refused.extend(entry.inputs.drain_refused().map(|(number, code)| (seat, number, code)));
                if entry.attached {
                    self.show(seat);
                } else {
                    self.hide(seat);
                }
            }
        }
    }

    /// Whether a seat's view is published.
    pub fn has_view(&self, seat: SeatId) -> bool {
        self.states.get(seat.index()).is_some_and(|state| state.view.is_some())
    }

    /// Asks the game for the view of a seat, as it is now.
    pub fn show(&mut self, seat: SeatId) {
        let Some(Some(entry)) = self.seats.get(seat.index()) else { return };
        match entry.player {
            Some(player) => self.simulation.view(player, &mut self.view),
            None => self.simulation.spectate(&mut self.view),
        }
        let state = &mut self.states[seat.index()];
        state.own = entry.player.and_then(|player| self.simulation.world().own_group_of(player));
        state.settled = entry.inputs.settled();
        match state.view {
            Some(view) if self.views.is(view, &self.view) => {}
            before => {
                state.view = Some(self.views.acquire(&self.view));
                before.into_iter().for_each(|view| self.views.release(view));
            }
        }
    }

    /// Sets whether an edge serves a seat. It does not serve a throttled seat or one without a connection, and such a
    /// seat has no view.
    pub fn attach(&mut self, seat: SeatId, attached: bool) {
        if let Some(Some(entry)) = self.seats.get_mut(seat.index()) {
            entry.attached = attached;
            if !attached {
                self.hide(seat);
            }
        }
    }

    fn hide(&mut self, seat: SeatId) {
        self.states[seat.index()].view.take().into_iter().for_each(|view| self.views.release(view));
    }

    /// The game's metadata for the room: JSON text, or empty.
    pub fn metadata(&self) -> &str {
        &self.simulation.told().metadata
    }

    /// Whether the game takes no new players.
    pub fn is_locked(&self) -> bool {
        self.simulation.told().locked
    }

    /// The result, once the game has ended the match.
    pub fn finished(&self) -> Option<&serde_json::Value> {
        self.simulation.told().finished.as_ref()
    }

    /// Whether the room has been empty for longer than [`Settings::linger`].
    pub fn is_abandoned(&self, now: Duration) -> bool {
        self.empty_since.is_some_and(|since| now.saturating_sub(since) > self.settings.linger)
    }

    /// Whether the tick numbers run out within a day. The room must then close, because they never start again.
    pub fn is_worn_out(&self) -> bool {
        const DAY: u32 = 24 * 60 * 60;
        u32::MAX - self.simulation.tick().0 <= DAY * self.settings.tick_hz.clamp(1, 128)
    }

    /// Sets the number of ticks by which the schedule has been moved in all; the next frame tells clients.
    pub fn schedule_moved(&mut self, ticks: u32) {
        self.moved = ticks;
    }
}
