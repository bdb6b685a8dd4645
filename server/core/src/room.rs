//! A room: a simulation, the seats of its players, their inputs, and the edge that sends them what they see.
//!
//! Time is an argument, sockets are somebody else's. The driver calls [`Room::step`] at each deadline, and when frames are
//! due serves every connected seat once, by [`Room::frame`] or, if its socket is blocked, [`Room::hold`].

use std::{collections::BTreeMap, fmt, time::Duration};

use tiltyard_shared::{
    game::{Audience, Command, Game, PlayerId, Settings, Simulation, Tick},
    protocol::{ClientMessage, Code, Input, codec, limits},
    wire::Wire,
    world::{Bent, Fault, GroupId},
};

use crate::{
    edge::{Bounds, Edge, EdgeStats, Situation},
    inputs::Outcome,
};

mod names;
mod seats;

pub use crate::edge::SeatId;
use names::Names;
use seats::Seat;
pub use seats::{Entered, Newcomer, Returning, SPECTATOR};

/// What a room has counted since it was opened, and how large it is now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Ticks computed.
    pub ticks: u64,
    /// Inputs by what became of them.
    pub inputs: InputStats,
    /// Jumps that were ignored because their epoch was not above the current one.
    pub stale_jumps: u64,
    /// Events that were dropped because they were above [`MAX_EVENT_BYTES`].
    pub events_too_large: u64,
    /// What the edge counted.
    pub edge: EdgeStats,
    /// Values that the world had to bend.
    pub bent: Bent,
    /// Metadata that was refused because it was too long or no JSON.
    pub metadata_refused: u64,
    /// Seats that are held now.
    pub held: usize,
    /// Entities now.
    pub entities: usize,
    /// Members of the largest group now.
    pub largest_group: usize,
}

/// Inputs by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputStats {
    /// Came in time.
    pub accepted: u64,
    /// Came late and were executed.
    pub late: u64,
    /// Had been taken in before.
    pub repeated: u64,
    /// Were refused.
    pub refused: u64,
}

/// Most bytes of one event; a larger one is dropped and counted.
pub const MAX_EVENT_BYTES: usize = limits::FRAME_EVENT_BYTES / 2;

/// A running match.
pub struct Room<G: Game> {
    simulation: Simulation<G>,
    settings: Settings,
    edge: Edge,
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
    closed: Vec<(SeatId, Code)>,
    view: Vec<GroupId>,
    stats: Stats,
}

impl<G: Game> fmt::Debug for Room<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(G::NAME)
            .field("tick", &self.simulation.tick())
            .field("players", &self.players())
            .finish_non_exhaustive()
    }
}

impl<G: Game> Room<G> {
    /// A room at tick 0.
    pub fn open(config: G::Config, seed: u64) -> Self {
        Self::with_bounds(config, seed, Bounds::default())
    }

    /// A room whose frames have other bounds than the protocol's, for tests.
    pub fn with_bounds(config: G::Config, seed: u64, bounds: Bounds) -> Self {
        let settings = G::settings(&config);
        Self::around(Simulation::new(config, seed), settings, bounds)
    }

    /// A room around a simulation, for tests.
    pub fn around(simulation: Simulation<G>, settings: Settings, bounds: Bounds) -> Self {
        Self {
            most_late: settings.most_late(),
            settings,
            simulation,
            edge: Edge::new(bounds),
            seats: Vec::new(),
            by_player: BTreeMap::new(),
            names: Names::default(),
            spectators: 0,
            commands: Vec::new(),
            next_player: 1,
            moved: 0,
            empty_since: None,
            closed: Vec::new(),
            view: Vec::new(),
            stats: Stats::default(),
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

    /// Takes a message of a client in the room.
    ///
    /// # Errors
    ///
    /// A [`Code`] after which the connection cannot go on; [`Code::Left`] if the client gave its seat up.
    pub fn receive(&mut self, seat: SeatId, message: ClientMessage, now: Duration) -> Result<(), Code> {
        match message {
            ClientMessage::Inputs { number, report, inputs } => {
                self.edge.report(seat, report, now);
                self.take_inputs(seat, number, &inputs)
            }
            ClientMessage::Report(report) => {
                self.edge.report(seat, report, now);
                Ok(())
            }
            ClientMessage::Resync(jump) => {
                if self.edge.jump(seat, self.simulation.world().committed(), jump, now).is_err() {
                    self.stats.stale_jumps += 1;
                }
                Ok(())
            }
            ClientMessage::Leave => Err(Code::Left),
            _ => Err(Code::Malformed),
        }
    }

    fn take_inputs(&mut self, seat: SeatId, first: u32, inputs: &[Input]) -> Result<(), Code> {
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
        let Some(seat) = self.seats.get_mut(seat.0 as usize).and_then(Option::as_mut) else { return Ok(()) };
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

    /// Computes the next tick. True if frames are due.
    pub fn step(&mut self, now: Duration) -> bool {
        self.remove_lost(now);
        let tick = Tick(self.simulation.tick().0 + 1);
        let seats = &mut self.seats;
        let inputs = seats.iter_mut().flatten().flat_map(|seat| {
            std::iter::from_fn(move || Some(Command::Input { player: seat.player?, input: seat.inputs.due(tick)? }))
        });
        self.simulation.step(self.commands.drain(..).chain(inputs));
        self.stats.ticks += 1;
        self.take_events();
        let due = tick.0.is_multiple_of(self.settings.send_every.max(1)) || self.finished().is_some();
        if due {
            self.simulation.commit();
            self.edge.begin_commit();
        }
        due
    }

    fn take_events(&mut self) {
        let events = std::mem::take(&mut self.simulation.outbox().events);
        for (audience, bytes) in events {
            if bytes.len() > MAX_EVENT_BYTES {
                self.stats.events_too_large += 1;
                continue;
            }
            let player = match audience {
                Audience::Player(player) => Some(player),
                Audience::Group(group) => self.simulation.world().owner(group),
            };
            match (player, audience) {
                (Some(player), _) => {
                    if let Some(seat) = self.by_player.get(&player) {
                        self.edge.send(*seat, bytes);
                    }
                }
                (None, Audience::Group(group)) if self.simulation.world().is_shared(group) => {
                    self.edge.broadcast(group, bytes);
                }
                _ => {}
            }
        }
    }

    /// Serves a seat: fills `out` (emptied first) with its frame or a piece of it. False if there is none: it is passed over, or
    /// nothing is new.
    ///
    /// # Errors
    ///
    /// A [`Code`] for which the seat must be removed: its view cannot be sent, or it has been held for longer than
    /// [`Settings::grace`].
    pub fn frame(&mut self, seat: SeatId, now: Duration, rtt: Duration, out: &mut Vec<u8>) -> Result<bool, Code> {
        let Some(entry) = self.seats.get_mut(seat.0 as usize).and_then(Option::as_mut) else {
            out.clear();
            return Ok(false);
        };
        if self.edge.held_since(seat).is_some_and(|held| now.saturating_sub(held) > self.settings.grace) {
            return Err(Code::Unresponsive);
        }
        match entry.player {
            Some(player) => self.simulation.view(player, &mut self.view),
            None => self.simulation.spectate(&mut self.view),
        }
        let world = self.simulation.world();
        let situation = Situation {
            now,
            rtt,
            view: &self.view,
            own: entry.player.and_then(|player| world.own_group_of(player)),
            settled: entry.inputs.settled(),
            moved: self.moved,
            last: self.simulation.told().finished.is_some(),
        };
        self.edge.frame(seat, world.committed(), &situation, || entry.inputs.drain_refused(), out)
    }

    /// After [`Room::frame`]: fills `out` with the next piece of its frame, if the socket takes more at once. False if there is
    /// none.
    pub fn piece(&mut self, seat: SeatId, now: Duration, out: &mut Vec<u8>) -> bool {
        self.edge.piece(seat, now, out)
    }

    /// What the client on a new connection of a seat understands: bits of
    /// [`capabilities`](tiltyard_shared::protocol::capabilities).
    pub fn understands(&mut self, seat: SeatId, bits: u64) {
        self.edge.understands(seat, bits);
    }

    /// A seat's socket carries so many bytes in a second, as was seen while it was blocked.
    pub fn set_rate(&mut self, seat: SeatId, rate: u32) {
        self.edge.set_rate(seat, rate);
    }

    /// A seat's socket that was blocked has taken bytes.
    pub fn drained(&mut self, seat: SeatId, now: Duration) {
        self.edge.drained(seat, now);
    }

    /// The pace of a seat, if its client is to be told of it: a frame comes at every so many-th send tick.
    pub fn take_pace(&mut self, seat: SeatId) -> Option<u32> {
        self.edge.take_pace(seat)
    }

    /// Whether a seat was passed over when it was last served: what it has been sent is not the newest.
    pub fn was_passed_over(&self, seat: SeatId) -> bool {
        self.edge.was_passed_over(seat)
    }

    /// Instead of [`Room::frame`] for a seat whose socket is blocked.
    pub fn hold(&mut self, seat: SeatId, now: Duration) {
        self.edge.hold(seat, self.simulation.world().committed(), now);
    }

    /// What the game says of the room: JSON text, or empty.
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

    /// Whether the numbers of its ticks run out within a day: the room must close, since they never begin anew.
    pub fn is_worn_out(&self) -> bool {
        const DAY: u32 = 24 * 60 * 60;
        u32::MAX - self.simulation.tick().0 <= DAY * self.settings.tick_hz.clamp(1, 128)
    }

    /// By how many ticks the schedule has been moved in all: clients are told in the next frame.
    pub fn schedule_moved(&mut self, ticks: u32) {
        self.moved = ticks;
    }

    /// Makes a deliberate fault in the next delta that offers a place for it, to prove that clients notice.
    pub fn inject(&mut self, fault: Fault) {
        self.edge.inject(fault);
    }

    /// What was counted, and how large the room is now.
    pub fn stats(&self) -> Stats {
        let world = self.simulation.world();
        let committed = world.committed();
        let groups = (0..committed.group_count() as u32).map(|group| committed.group(GroupId(group)).members.len());
        Stats {
            edge: self.edge.stats(),
            bent: world.bent(),
            metadata_refused: self.simulation.told().metadata_refused,
            held: self.edge.held(),
            entities: world.len(),
            largest_group: groups.max().unwrap_or(0),
            ..self.stats
        }
    }
}
