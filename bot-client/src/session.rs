//! One seat in a room, as its client sees it, without a socket: messages and time in, [`Event`]s and messages out. Pure.
//!
//! What arrives goes to [`Session::handle`], passing time to [`Session::handle_time`]; what must be sent stands in
//! [`Session::outgoing`], what the caller should know comes from [`Session::next_event`]. Events are to be taken before the
//! next message is handed over, so there are never more than one frame brings. What waits to be sent on a blocked line is
//! at most what [`Unsettled`] holds, a jump, and 16 reports and pings: beyond these, they wait.

use std::{
    collections::VecDeque,
    marker::PhantomData,
    time::{Duration, Instant},
};

use tiltyard_shared::{
    frame::Head,
    game::{Game, PlayerId, Tick},
    protocol::{
        CONTROL, ClientMessage, Entered, FRAME, Report, Resume, Resync, ServerMessage,
        codec::{self, CodecError},
        limits,
    },
    replica::{Applied, Replica, ReplicaError},
    replicate::Replicate,
};
use uuid::Uuid;

use crate::{
    clock::Clock,
    error::Violation,
    inputs::{Full, Unsettled},
    jumps::{Jumps, Remedy},
    lead::Lead,
    playout::Playout,
    pulse::Pulse,
};

mod event;
#[cfg(test)]
mod tests;

pub use event::{Event, Frame, Reason};

/// A report goes out alone so long after the frame: in time for [`limits::REPORT`] with a coarse timer.
const REPORT_AFTER: Duration = limits::REPORT.saturating_sub(Duration::from_millis(20));

/// On a line that has not taken so many messages, reports and pings wait.
const BACKLOG: usize = 16;

/// What the server said when it gave the seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The room.
    pub room: Uuid,
    /// Who the client is in this room.
    pub player: PlayerId,
    /// The secret that takes the seat over.
    pub token: Uuid,
    /// Ticks a second.
    pub tick_hz: u32,
    /// Frames come every so many ticks.
    pub send_every: u32,
    /// The last tick computed when the seat was given.
    pub tick: Tick,
    /// The highest input number that the server has taken in.
    pub input: u32,
    /// The epoch of the first frame.
    pub epoch: u32,
    /// For so long the seat is kept without a connection.
    pub grace: Duration,
    /// The number of the room's owner.
    pub owner: u32,
}

impl From<Entered> for Seat {
    fn from(entered: Entered) -> Self {
        Self {
            room: entered.room,
            player: entered.player,
            token: entered.token,
            tick_hz: entered.tick_hz,
            send_every: entered.send_every,
            tick: entered.tick,
            input: entered.input,
            epoch: entered.epoch,
            grace: Duration::from_millis(entered.grace_ms.into()),
            owner: entered.owner,
        }
    }
}

/// What a session has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that arrived, stale ones too.
    pub frames: u64,
    /// Frames dropped because their epoch was over.
    pub stale: u64,
    /// Bytes of all frames.
    pub bytes: u64,
    /// Frames after which the hash differed from the server's.
    pub mismatches: u64,
    /// Frames that could not be applied for another reason.
    pub bad_frames: u64,
    /// Jumps sent, for whatever reason.
    pub jumps: u64,
    /// Resumes that succeeded.
    pub reconnects: u64,
    /// Inputs refused.
    pub inputs_refused: u64,
    /// Messages of a later version, passed over.
    pub unknown: u64,
}

/// One seat in a room of a game.
#[derive(Debug)]
pub struct Session<G: Game> {
    /// The messages to be sent, in order.
    pub outgoing: VecDeque<Vec<u8>>,
    seat: Seat,
    replica: Replica,
    clock: Clock,
    lead: Lead,
    playout: Playout,
    pulse: Pulse,
    jumps: Jumps,
    inputs: Unsettled,
    /// When the last frame must have been reported, unless an input does it before.
    report_due: Option<Instant>,
    /// A jump that must wait until then, and the report of the epoch that is still going on at the server.
    waiting: Option<(Instant, Resync, Report)>,
    events: VecDeque<Event<G::Event>>,
    counts: Counts,
    /// Whether the view is still coming, by parts, since the start of the epoch.
    starting: bool,
    leaving: bool,
    over: bool,
    game: PhantomData<G>,
}

impl<G: Game> Session<G> {
    /// The session of a seat just given, or taken over from a session that is no more: its inputs are numbered on.
    pub fn new(seat: Seat, now: Instant) -> Self {
        let mut replica = Replica::new(&G::Entity::schema(), seat.epoch);
        replica.sent_input(seat.input);
        Self {
            outgoing: VecDeque::new(),
            replica,
            clock: Clock::new(seat.tick_hz, seat.tick, now),
            lead: Lead::new(seat.tick_hz, now),
            playout: Playout::new(seat.tick_hz, seat.send_every, seat.tick, now),
            pulse: Pulse::new(now),
            jumps: Jumps::default(),
            inputs: Unsettled::after(seat.input),
            report_due: None,
            waiting: None,
            events: VecDeque::new(),
            counts: Counts::default(),
            starting: false,
            leaving: false,
            over: false,
            game: PhantomData,
            seat,
        }
    }

    /// A message arrived.
    ///
    /// # Errors
    ///
    /// [`Violation`] if a server must not send it; the session is then of no more use. A frame that cannot be applied is
    /// not such a case: the session asks for everything anew.
    pub fn handle(&mut self, bytes: &[u8], now: Instant) -> Result<(), Violation> {
        self.pulse.heard(now);
        match bytes.first() {
            Some(&FRAME) => self.handle_frame(bytes, now),
            Some(&CONTROL) => match codec::decode_server(&bytes[1..]) {
                Ok(message) => self.handle_control(message, now),
                Err(CodecError::Unknown(_)) => {
                    self.counts.unknown += 1;
                    Ok(())
                }
                Err(error) => Err(Violation::Control(error)),
            },
            _ => Err(Violation::UnknownKind),
        }
    }

    /// Time passed: sends what has become due.
    pub fn handle_time(&mut self, now: Instant) {
        if let Some((_, jump, _)) = self.waiting.take_if(|(due, _, _)| *due <= now) {
            self.send_jump(jump, false, now);
        }
        let takes_more = self.outgoing.len() < BACKLOG;
        if self.report_due.is_some_and(|due| due <= now) {
            let report = self.report();
            if takes_more {
                self.send_message(&ClientMessage::Report(report));
            } else {
                self.report_due = Some(now + REPORT_AFTER);
            }
        }
        if let Some(number) = self.pulse.ping(now).filter(|_| takes_more) {
            self.send_message(&ClientMessage::Ping { number });
        }
    }

    /// When [`Session::handle_time`] next has something to do.
    pub fn deadline(&self) -> Instant {
        let jump = self.waiting.map(|(due, _, _)| due);
        self.report_due.into_iter().chain(jump).fold(self.pulse.deadline(), Instant::min)
    }

    /// Something arrived that is no message: the line is alive.
    pub fn heard(&mut self, now: Instant) {
        self.pulse.heard(now);
    }

    /// Whether nothing has arrived for so long that the line must be broken.
    pub fn is_dead(&mut self, now: Instant) -> bool {
        self.pulse.is_dead(now)
    }

    /// What happened next; `None` when all has been told.
    pub fn next_event(&mut self) -> Option<Event<G::Event>> {
        self.events.pop_front()
    }

    /// Sends an input and returns its number.
    ///
    /// # Errors
    ///
    /// [`Full`] if the server has not answered so many that one more makes no sense.
    pub fn send(&mut self, input: &G::Input, now: Instant) -> Result<u32, Full> {
        let aim = Tick(self.clock.tick(now).0.saturating_add(self.lead.ticks()));
        let report = self.report();
        let sent = self.inputs.push(aim, codec::encode(input), now)?;
        let (number, aim, payload) = (sent.number, sent.aim, sent.payload.clone());
        self.replica.sent_input(number);
        self.send_message(&ClientMessage::input(number, report, aim, payload));
        Ok(number)
    }

    /// Gives the seat up; a goodbye will be the last event.
    pub fn leave(&mut self) {
        self.leaving = true;
        self.send_message(&ClientMessage::Leave);
    }

    /// What to ask for the seat with on a new line: the secret, and from where to go on.
    pub fn resume(&mut self) -> Resume {
        self.waiting = None;
        self.report_due = None;
        Resume {
            room: self.seat.room,
            token: self.seat.token,
            groups: self.replica.current_groups(),
            resync: self.replica.jump(false),
            owner: self.seat.owner,
            first_input: self.inputs.first_kept(),
        }
    }

    /// The seat was taken over on a new line.
    ///
    /// # Errors
    ///
    /// [`Violation::Inputs`] if the server claims inputs that were never sent, or has lost settled ones.
    pub fn resumed(&mut self, seat: Seat, now: Instant) -> Result<(), Violation> {
        if !self.inputs.reaches(seat.input) {
            return Err(Violation::Inputs { taken: seat.input, sent: self.inputs.last() });
        }
        self.pulse.reopen(now);
        self.clock.restart();
        self.playout.restart();
        self.jumps.sent(false, now);
        self.counts.reconnects += 1;
        let report = self.replica.report();
        self.outgoing.clear();
        for sent in self.inputs.above(seat.input) {
            let (number, aim, payload) = (sent.number, sent.aim, sent.payload.clone());
            let message = ClientMessage::input(number, report, aim, payload);
            self.outgoing.push_back(codec::encode(&message));
        }
        if self.leaving {
            self.send_message(&ClientMessage::Leave);
        }
        self.seat = seat;
        self.tell(Event::Reconnected);
        Ok(())
    }

    /// Adds an event of the line to those of the session.
    pub fn tell(&mut self, event: Event<G::Event>) {
        self.events.push_back(event);
    }

    /// The seat.
    pub fn seat(&self) -> &Seat {
        &self.seat
    }

    /// What is seen.
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// What tick it is.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How far ahead of the clock inputs aim, in ticks.
    pub fn lead(&self) -> u32 {
        self.lead.ticks()
    }

    /// The least recent round trip.
    pub fn round_trip(&self) -> Duration {
        self.pulse.round_trip()
    }

    /// Which tick to draw, and how old and how starved the picture is.
    pub fn playout(&mut self) -> &mut Playout {
        &mut self.playout
    }

    /// What has been counted so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether the server has said goodbye.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// What the server should know, in the words of the epoch that it is in.
    fn report(&mut self) -> Report {
        self.report_due = None;
        self.waiting.map_or_else(|| self.replica.report(), |(_, _, report)| report)
    }

    fn send_message(&mut self, message: &ClientMessage) {
        self.outgoing.push_back(codec::encode(message));
    }

    fn handle_control(&mut self, message: ServerMessage, now: Instant) -> Result<(), Violation> {
        match message {
            ServerMessage::Goodbye { code, message, frames, .. } => {
                self.over = true;
                self.tell(Event::Goodbye { code, message, frames });
                Ok(())
            }
            ServerMessage::Refused { code, message, .. } => {
                self.tell(Event::Refused { code, message });
                Ok(())
            }
            ServerMessage::Ping { number } => {
                self.send_message(&ClientMessage::Pong { number, held_ms: 0 });
                Ok(())
            }
            ServerMessage::Pong { number, held_ms } => {
                self.pulse.pong(number, Duration::from_millis(held_ms.into()), now);
                Ok(())
            }
            ServerMessage::Pace { every } => {
                self.playout.pace(every);
                Ok(())
            }
            ServerMessage::Welcome { .. } => Err(Violation::Unexpected("a welcome")),
            ServerMessage::Entered { .. } => Err(Violation::Unexpected("another seat")),
            ServerMessage::Redirect { .. } => Err(Violation::Unexpected("a redirect")),
            ServerMessage::Search(_) => Err(Violation::Unexpected("a search")),
            ServerMessage::ChannelMessage { .. } | ServerMessage::Present { .. } => {
                Err(Violation::Unexpected("chat in a room"))
            }
            ServerMessage::Rooms { .. } | ServerMessage::RoomsChanged { .. } => {
                Err(Violation::Unexpected("a list of rooms"))
            }
            _ => Ok(()),
        }
    }

    fn handle_frame(&mut self, bytes: &[u8], now: Instant) -> Result<(), Violation> {
        self.counts.frames += 1;
        self.counts.bytes += bytes.len() as u64;
        // Until the new epoch's first frame is here, this is what still counts at the server.
        let before = self.replica.report();
        match self.replica.apply(bytes) {
            Ok(Applied::Stale) => self.counts.stale += 1,
            Ok(Applied::Frame(head)) => self.applied(&head, bytes.len(), now),
            Err(error) => self.failed(error, before, now),
        }
        self.take_game_events()
    }

    fn applied(&mut self, head: &Head, bytes: usize, now: Instant) {
        self.lead.shift(self.clock.observe(head.tick, head.moved, now));
        self.playout.observe(head.tick, head.moved, now);
        self.report_due.get_or_insert(now + REPORT_AFTER);
        let age = self.clock.age(head.tick, now);
        let (tick, start, verified) = (head.tick, head.start, head.hash.is_some());
        self.tell(Event::Frame(Frame { tick, start, verified, bytes, age }));
        if let Some(settled) = head.inputs {
            self.lead.observe(settled.margin.into(), settled.number, self.inputs.last(), now);
            while let Some((number, after)) = self.inputs.settle(settled.number, now) {
                self.tell(Event::Settled { number, after });
            }
        }
        for &(number, code) in &head.refused {
            self.counts.inputs_refused += 1;
            self.tell(Event::InputRefused { number, code });
        }
        self.starting = (self.starting || head.start) && self.replica.tables().any(|(_, _, behind)| behind);
        if !self.starting {
            self.judge_lag(age, now);
        }
    }

    /// Does what is to be done about a frame of this age.
    fn judge_lag(&mut self, age: Duration, now: Instant) {
        match self.jumps.judge(age, self.clock.grows(), now) {
            Remedy::None => {}
            Remedy::Jump => {
                let before = self.replica.report();
                self.jump(Reason::Lag, before, now);
            }
            Remedy::Rebase => self.lead.shift(self.clock.rebase(now)),
        }
    }

    fn failed(&mut self, error: ReplicaError, before: Report, now: Instant) {
        match error {
            ReplicaError::HashMismatch(_) => self.counts.mismatches += 1,
            ReplicaError::Frame(_) | ReplicaError::Chunk { .. } | ReplicaError::NoStart => self.counts.bad_frames += 1,
        }
        self.jump(Reason::Failed(error), before, now);
    }

    /// Turns to a new epoch at once; asks for it when the last jump is long enough ago.
    fn jump(&mut self, reason: Reason, before: Report, now: Instant) {
        let for_lag = reason == Reason::Lag;
        let jump = self.replica.jump(!for_lag);
        self.report_due = None;
        let due = self.jumps.earliest(now);
        if due <= now {
            self.send_jump(jump, for_lag, now);
        } else {
            self.waiting = Some((due, jump, before));
        }
        self.tell(Event::Jumping(reason));
    }

    fn send_jump(&mut self, jump: Resync, for_lag: bool, now: Instant) {
        self.jumps.sent(for_lag, now);
        self.counts.jumps += 1;
        self.send_message(&ClientMessage::Resync(jump));
    }

    fn take_game_events(&mut self) -> Result<(), Violation> {
        for event in self.replica.drain_events() {
            let number = event.number;
            let event = codec::decode(&event.bytes).map_err(|reason| Violation::Event { number, reason })?;
            self.events.push_back(Event::Game { number, event });
        }
        Ok(())
    }
}
