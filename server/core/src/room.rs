//! A room: its [`Authority`], and the [`Edge`] that sends players what they see, on one thread.
//!
//! Time is an argument, and the sockets belong to the driver. The driver calls [`Room::step`] at each deadline. When
//! frames are due, it serves every connected seat once, by [`Room::frame`] or, if its socket is blocked, by
//! [`Room::throttle`].

use std::{fmt, time::Duration};

use tiltyard_shared::{
    game::{Game, Leave, Settings, Simulation},
    protocol::{ClientMessage, Code, Resync},
    world::{BadSave, Bent, Fault, GroupId},
};
use uuid::Uuid;

use crate::{
    authority::{Authority, InputStats},
    edge::{Bounds, Edge, EdgeStats, Up},
};

pub use crate::{
    authority::{Entered, JoinRequest, MAX_EVENT_BYTES, Returning, SPECTATOR},
    seat::SeatId,
};

/// Counters of a room since it was opened, and its present size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Ticks computed.
    pub ticks: u64,
    /// Inputs by outcome.
    pub inputs: InputStats,
    /// Events dropped because they were larger than [`MAX_EVENT_BYTES`].
    pub events_too_large: u64,
    /// The edge's counters.
    pub edge: EdgeStats,
    /// Values that the world could not take as they were.
    pub bent: Bent,
    /// Metadata that was refused because it was too long or not JSON.
    pub metadata_refused: u64,
    /// Seats that are throttled now.
    pub throttled: usize,
    /// Entities now.
    pub entities: usize,
    /// Members of the largest group now.
    pub largest_group: usize,
}

/// A running match.
pub struct Room<G: Game> {
    authority: Authority<G>,
    edge: Edge,
    /// Seats freed because their players were lost, until [`Room::closed`] is called.
    closed: Vec<(SeatId, Code)>,
}

impl<G: Game> fmt::Debug for Room<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(G::NAME)
            .field("tick", &self.simulation().tick())
            .field("players", &self.authority.players())
            .finish_non_exhaustive()
    }
}

impl<G: Game> Room<G> {
    /// A room at tick 0.
    pub fn open(config: G::Config, seed: u64) -> Self {
        Self::with_bounds(config, seed, Bounds::default())
    }

    /// A room with bounds on frames other than the protocol's, for tests.
    pub fn with_bounds(config: G::Config, seed: u64, bounds: Bounds) -> Self {
        let settings = G::settings(&config);
        Self::around(Simulation::new(config, seed), settings, bounds)
    }

    /// A room around a simulation, for tests.
    pub fn around(simulation: Simulation<G>, settings: Settings, bounds: Bounds) -> Self {
        Self {
            authority: Authority::new(simulation, settings, bounds.keep()),
            edge: Edge::new(bounds),
            closed: Vec::new(),
        }
    }

    /// Restores a room from the bytes of [`Authority::save`]. Its players are away since `now`, until they resume.
    ///
    /// # Errors
    ///
    /// [`BadSave`].
    pub fn restore(bytes: &[u8], bounds: Bounds, now: Duration) -> Result<Self, BadSave> {
        let authority = Authority::restore(bytes, bounds.keep(), now)?;
        let edge = Edge::again(bounds, authority.history());
        Ok(Self { authority, edge, closed: Vec::new() })
    }

    /// The authority.
    pub fn authority(&self) -> &Authority<G> {
        &self.authority
    }

    /// The properties that the game gave this room.
    pub fn settings(&self) -> &Settings {
        self.authority.settings()
    }

    /// The game and its world.
    pub fn simulation(&self) -> &Simulation<G> {
        self.authority.simulation()
    }

    /// The game and its world, for tests and tools that act beside the players.
    pub fn simulation_mut(&mut self) -> &mut Simulation<G> {
        self.authority.simulation_mut()
    }

    /// Gives a new player a seat; the game hears of it at the next step. `promised` free seats are reserved for others.
    ///
    /// # Errors
    ///
    /// As [`Authority::enter`].
    pub fn enter(&mut self, request: JoinRequest, promised: u32) -> Result<Entered, Code> {
        let verify = request.verify;
        let entered = self.authority.enter(request, promised)?;
        self.edge.open(entered.seat, verify);
        Ok(entered)
    }

    /// Gives a spectator a seat. The game does not hear of it.
    ///
    /// # Errors
    ///
    /// As [`Authority::spectate`].
    pub fn spectate(&mut self, token: Uuid, verify: bool) -> Result<Entered, Code> {
        let entered = self.authority.spectate(token)?;
        self.edge.open(entered.seat, verify);
        Ok(entered)
    }

    /// Gives a session its seat again on a new connection, and continues from where the client is.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownSession`] if no seat has this token, [`Code::StaleEpoch`] if the epoch is not above the current
    /// one.
    pub fn resume(&mut self, back: Returning, now: Duration) -> Result<Entered, Code> {
        let Returning { token, resync, first_input, groups, verify } = back;
        let seat = self.authority.find(token).ok_or(Code::UnknownSession)?;
        self.edge.resume(seat, self.authority.simulation().world().committed(), resync, &groups, verify, now)?;
        self.authority.attach(seat, true);
        self.authority.resume(seat, first_input, resync.epoch).ok_or(Code::UnknownSession)
    }

    /// The resume of a client that has a seat but nothing of its room any more: it is told everything again.
    pub fn anew(&self, token: Uuid, verify: bool) -> Option<Returning> {
        let epoch = self.edge.epoch(self.authority.find(token)?).saturating_add(1);
        let resync = Resync { epoch, applied: None, event: 0 };
        Some(Returning { token, resync, first_input: 1, groups: Vec::new(), verify })
    }

    /// Notes that a connection is gone. Its seat is kept for [`Settings::grace`].
    pub fn disconnect(&mut self, seat: SeatId, now: Duration) {
        self.authority.disconnect(seat, now);
        self.authority.attach(seat, false);
        self.edge.disconnect(seat, self.authority.simulation().world().committed(), now);
    }

    /// Frees a seat. The game hears of it at the next step.
    pub fn remove(&mut self, seat: SeatId, why: Leave) {
        self.authority.remove(seat, why);
        self.edge.close(seat);
    }

    /// Takes a message from a client in the room.
    ///
    /// # Errors
    ///
    /// A [`Code`] that ends the connection; [`Code::Left`] if the client gave up its seat.
    pub fn receive(&mut self, seat: SeatId, message: ClientMessage, now: Duration) -> Result<(), Code> {
        let world = self.authority.simulation().world().committed();
        match self.edge.receive(seat, message, world, now)? {
            Some(Up::Inputs { seat, first, inputs }) => self.authority.take_inputs(seat, first, &inputs),
            None => Ok(()),
        }
    }

    /// Computes the next tick. Returns true if frames are due.
    pub fn step(&mut self, now: Duration) -> bool {
        let Self { authority, edge, closed } = self;
        edge.look(|seat, attached| authority.attach(seat, attached));
        let due = authority.step(now);
        for (seat, code) in authority.take_lost() {
            edge.close(seat);
            closed.push((seat, code));
        }
        edge.publish(&authority.published());
        if due {
            authority.forget(|seat| edge.confirmed(seat));
        }
        due
    }

    /// Serves a seat: fills `out` (emptied first) with its frame or a piece of it. Returns false if it has none: it is
    /// passed over, or nothing is new.
    ///
    /// # Errors
    ///
    /// A [`Code`] for which the seat must be removed: its view cannot be sent, or it was throttled for longer than
    /// [`Settings::grace`].
    pub fn frame(&mut self, seat: SeatId, now: Duration, rtt: Duration, out: &mut Vec<u8>) -> Result<bool, Code> {
        let throttled = self.edge.throttled_since(seat);
        if throttled.is_some_and(|since| now.saturating_sub(since) > self.authority.settings().grace) {
            return Err(Code::Unresponsive);
        }
        // A client that came back after the step gets a view now. An edge on another thread would wait for the next
        // step.
        let wanted = self.edge.wants_view(seat) || self.authority.finished().is_some();
        if wanted && !self.authority.has_view(seat) {
            self.authority.show(seat);
        }
        let written = self.edge.frame(seat, &self.authority.published(), now, rtt, out);
        if let Some(after) = self.edge.gave() {
            self.authority.gave(seat, after);
        }
        written
    }

    /// After [`Room::frame`]: fills `out` with the next piece of its frame, for a socket that takes more at once.
    /// Returns false if there is none.
    pub fn piece(&mut self, seat: SeatId, now: Duration, out: &mut Vec<u8>) -> bool {
        self.edge.piece(seat, now, out)
    }

    /// Sets what the client on a seat's new connection understands: bits of
    /// [`capabilities`](tiltyard_shared::protocol::capabilities).
    pub fn understands(&mut self, seat: SeatId, bits: u64) {
        self.edge.understands(seat, bits);
    }

    /// Sets how many bytes a second a seat's socket carries, as measured while it was blocked.
    pub fn set_rate(&mut self, seat: SeatId, rate: u32) {
        self.edge.set_rate(seat, rate);
    }

    /// Notes that a seat's blocked socket has taken bytes.
    pub fn drained(&mut self, seat: SeatId, now: Duration) {
        self.edge.drained(seat, now);
    }

    /// The pace `n` of a seat, if its client must be told of it: it gets a frame at every `n`-th send tick.
    pub fn take_pace(&mut self, seat: SeatId) -> Option<u32> {
        self.edge.take_pace(seat)
    }

    /// Whether a seat was passed over when it was last served: what it was sent is not the newest.
    pub fn was_passed_over(&self, seat: SeatId) -> bool {
        self.edge.was_passed_over(seat)
    }

    /// Call it instead of [`Room::frame`] for a seat whose socket is blocked.
    pub fn throttle(&mut self, seat: SeatId, now: Duration) {
        self.edge.throttle(seat, self.authority.simulation().world().committed(), now);
    }

    /// The seats that the room has freed since the last call because their players were lost.
    pub fn closed(&mut self) -> impl Iterator<Item = (SeatId, Code)> {
        self.closed.drain(..)
    }

    /// Sets the number of ticks by which the schedule has been moved in all; the next frame tells clients.
    pub fn schedule_moved(&mut self, ticks: u32) {
        self.authority.schedule_moved(ticks);
    }

    /// The number of frames handed over to a seat, on all its connections.
    pub fn frames_handed(&self, seat: SeatId) -> u64 {
        self.edge.frames(seat)
    }

    /// Whether a seat is throttled now.
    pub fn is_throttled(&self, seat: SeatId) -> bool {
        self.edge.throttled_since(seat).is_some()
    }

    /// Puts a deliberate fault into the next delta that has a place for it, to prove that clients notice.
    pub fn inject(&mut self, fault: Fault) {
        self.edge.inject(fault);
    }

    /// The counters, and the present size of the room.
    pub fn stats(&self) -> Stats {
        let (world, counted) = (self.simulation().world(), self.authority.stats());
        let committed = world.committed();
        let groups = (0..committed.group_count() as u32).map(|group| committed.group(GroupId(group)).members.len());
        Stats {
            ticks: counted.ticks,
            inputs: counted.inputs,
            events_too_large: counted.events_too_large,
            edge: self.edge.stats(),
            bent: world.bent(),
            metadata_refused: self.simulation().told().metadata_refused,
            throttled: self.edge.throttled(),
            entities: world.len(),
            largest_group: groups.max().unwrap_or(0),
        }
    }
}
