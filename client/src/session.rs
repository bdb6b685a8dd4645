//! One seat in a room from its client's side, without a socket: takes messages and the time, and gives [`Event`]s and
//! messages. Pure.
//!
//! Pass received messages to [`Session::handle`] and the time to [`Session::handle_time`]; take messages to send from
//! [`Session::outgoing`] and events from [`Session::next_event`]. Take all events before the next message, so that
//! there are never more than one frame brings. A blocked line holds up at most the contents of [`Inputs`], a resync,
//! and 16 messages: beyond these, reports and inputs wait.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use tiltyard_shared::{
    game::Tick,
    protocol::{
        CONTROL, ClientMessage, FRAME, Input, PIECE, Report, Resume, Resync, ServerMessage,
        codec::{self, CodecError},
        limits,
    },
    replica::Replica,
};

use crate::{
    clock::Clock,
    error::Violation,
    game::{ClientGame, KnownSchema},
    inputs::{Inputs, NotSent},
    lead::Lead,
    playout::Playout,
    resyncs::Resyncs,
};

mod event;
mod frames;
mod seat;
#[cfg(test)]
mod tests;

pub use event::{Event, Frame, Reason};
pub use seat::{Counts, Seat};

/// The delay after which a report goes out alone: in time for [`limits::REPORT`] even with a coarse timer.
const REPORT_AFTER: Duration = limits::REPORT.saturating_sub(Duration::from_millis(20));

/// The number of waiting messages from which on reports and inputs wait.
const BACKLOG: usize = 16;

/// One seat in a room of a game.
#[derive(Debug)]
pub struct Session<G: ClientGame> {
    /// The messages to be sent, in order.
    pub outgoing: VecDeque<Vec<u8>>,
    seat: Seat,
    schema: KnownSchema,
    replica: Replica,
    clock: Clock,
    lead: Lead,
    playout: Playout,
    resyncs: Resyncs,
    inputs: Inputs,
    /// The bytes of pieces of an incomplete frame.
    pieces: usize,
    /// When the last frame must be reported, unless an input does so before.
    report_due: Option<Instant>,
    /// A resync that must wait until this time, and the report for the epoch that the server is still in.
    waiting: Option<(Instant, Resync, Report)>,
    events: VecDeque<Event<G::Event>>,
    counts: Counts,
    /// Whether the parts of the view are still arriving since the start of the epoch.
    starting: bool,
    leaving: bool,
    over: bool,
}

impl<G: ClientGame> Session<G> {
    /// A session for a new seat, or for one taken over from an earlier session: its inputs are numbered on.
    pub fn new(seat: Seat, schema: KnownSchema, now: Instant) -> Self {
        let mut replica = Replica::new(&schema.schema.entity, seat.epoch);
        replica.sent_input(seat.input);
        Self {
            outgoing: VecDeque::new(),
            replica,
            clock: Clock::new(seat.tick_hz, seat.tick, now),
            lead: Lead::new(seat.tick_hz, now),
            playout: Playout::new(seat.tick_hz, seat.send_every, seat.tick, now),
            resyncs: Resyncs::default(),
            inputs: Inputs::after(seat.input, now),
            pieces: 0,
            report_due: None,
            waiting: None,
            events: VecDeque::new(),
            counts: Counts::default(),
            starting: false,
            leaving: false,
            over: false,
            schema,
            seat,
        }
    }

    /// Handles a message.
    ///
    /// # Errors
    ///
    /// [`Violation`] if the server broke the protocol; the session cannot be used any more. A frame that cannot be
    /// applied is no violation: the session asks for everything anew.
    pub fn handle(&mut self, bytes: &[u8], now: Instant) -> Result<(), Violation> {
        match bytes.first() {
            Some(&(FRAME | PIECE)) => self.handle_frame(bytes, now),
            Some(&CONTROL) => match codec::decode_server(&bytes[1..]) {
                Ok(message) => self.handle_message(message),
                Err(CodecError::Unknown(_)) => {
                    self.pass_over();
                    Ok(())
                }
                Err(error) => Err(Violation::Control(error)),
            },
            _ => Err(Violation::UnknownKind),
        }
    }

    /// Sends what is due by now.
    pub fn handle_time(&mut self, now: Instant) {
        if let Some((_, resync, _)) = self.waiting.take_if(|(due, _, _)| *due <= now) {
            self.send_resync(resync, false, now);
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
        if takes_more {
            self.send_inputs(now);
        } else {
            self.inputs.hold(now);
        }
    }

    /// When [`Session::handle_time`] must be called next; `None` if an event must happen before.
    pub fn deadline(&self) -> Option<Instant> {
        let resync = self.waiting.map(|(due, _, _)| due);
        self.report_due.into_iter().chain(resync).chain(self.inputs.deadline()).min()
    }

    /// Takes the next event.
    pub fn next_event(&mut self) -> Option<Event<G::Event>> {
        self.events.pop_front()
    }

    /// Sends an input and returns its number. The pace is limited to what the server takes: the first goes out at once,
    /// soon following ones together.
    ///
    /// # Errors
    ///
    /// [`NotSent`] if no server takes it, or if too many inputs are unanswered.
    pub fn send(&mut self, input: &G::Input, now: Instant) -> Result<u32, NotSent> {
        let aim = Tick(self.clock.tick(now).0.saturating_add(self.lead.ticks()));
        let number = self.inputs.push(aim, G::encode(&self.schema.schema, input)?, now)?;
        self.replica.sent_input(number);
        if self.outgoing.len() < BACKLOG {
            self.send_inputs(now);
        }
        Ok(number)
    }

    /// Gives up the seat; the last event will be a goodbye.
    pub fn leave(&mut self) {
        self.leaving = true;
        self.send_message(&ClientMessage::Leave);
    }

    /// Notes the loss of the line. Messages wait for the next one.
    pub fn lost(&mut self) {
        self.outgoing.clear();
        self.inputs.lost();
    }

    /// Returns the request for the seat on a new line: the secret, and where to go on from.
    pub fn resume(&mut self) -> Resume {
        self.waiting = None;
        self.report_due = None;
        self.pieces = 0;
        Resume {
            room: self.seat.room,
            token: self.seat.token,
            groups: self.replica.current_groups(),
            resync: self.replica.resync(false),
            owner: self.seat.owner,
            first_input: self.inputs.first_kept(),
        }
    }

    /// Takes over the seat on a new line.
    ///
    /// # Errors
    ///
    /// [`Violation::Inputs`] if the server claims inputs that were never sent, or lacks some that are not kept any
    /// more.
    pub fn resumed(&mut self, seat: Seat, now: Instant) -> Result<(), Violation> {
        if !self.inputs.resume(seat.input) {
            return Err(Violation::Inputs { taken: seat.input, sent: self.inputs.last() });
        }
        self.clock.restart();
        self.playout.restart();
        self.pace(1);
        self.lead.resumed(self.inputs.last());
        self.resyncs.sent(false, now);
        self.counts.reconnects += 1;
        self.seat = seat;
        self.tell(Event::Reconnected);
        self.rewind(now);
        self.outgoing.clear();
        self.send_inputs(now);
        if self.leaving {
            self.send_message(&ClientMessage::Leave);
        }
        Ok(())
    }

    /// Takes another seat in another room, of the same game: everything begins anew but the counts.
    pub fn transferred(&mut self, seat: Seat, now: Instant) {
        let new = Self::new(seat, self.schema.clone(), now);
        let Self { events, counts, leaving, .. } = std::mem::replace(self, new);
        (self.events, self.counts, self.leaving) = (events, counts, leaving);
        self.counts.transfers += 1;
        self.tell(Event::Transferred);
        if leaving {
            self.send_message(&ClientMessage::Leave);
        }
    }

    /// Sets the pace: the server sends a frame at every so many-th send tick from now on.
    fn pace(&mut self, every: u32) {
        self.playout.pace(every);
        self.resyncs.pace(every);
    }

    /// Discards later ticks that the room's new owner does not have.
    fn rewind(&mut self, now: Instant) {
        let Seat { tick_hz, send_every, cut, .. } = self.seat;
        let Some((to, from)) = cut.zip(self.replica.tick()).filter(|(to, from)| to < from) else { return };
        self.replica.rewind();
        self.clock = Clock::new(tick_hz, to, now);
        self.playout = Playout::new(tick_hz, send_every, to, now);
        self.tell(Event::Rewound { from, to });
    }

    /// Adds an event of the line to those of the session.
    pub fn tell(&mut self, event: Event<G::Event>) {
        self.events.push_back(event);
    }

    /// The seat.
    pub fn seat(&self) -> &Seat {
        &self.seat
    }

    /// The schema of the room's game.
    pub fn schema(&self) -> &KnownSchema {
        &self.schema
    }

    /// The client's view of the world.
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The lead: how many ticks ahead of the clock inputs aim.
    pub fn lead(&self) -> u32 {
        self.lead.ticks()
    }

    /// The playout: the tick to draw, and the delay and underruns of the picture.
    pub fn playout(&mut self) -> &mut Playout {
        &mut self.playout
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether the server has said goodbye.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The report for the server, for the epoch that the server is in.
    fn report(&mut self) -> Report {
        self.report_due = None;
        self.waiting.map_or_else(|| self.replica.report(), |(_, _, report)| report)
    }

    fn send_message(&mut self, message: &ClientMessage) {
        self.outgoing.push_back(codec::encode(message));
    }

    fn send_inputs(&mut self, now: Instant) {
        let taken = self.inputs.take(now);
        let Some(number) = taken.first().map(|sent| sent.number) else { return };
        let inputs = taken.into_iter().map(|sent| Input { aim: sent.aim, payload: sent.payload.clone() }).collect();
        let report = self.report();
        self.send_message(&ClientMessage::Inputs { number, report, inputs });
    }

    /// Counts a message of a later version that was passed over.
    pub fn pass_over(&mut self) {
        self.counts.unknown += 1;
    }

    /// Handles a message that the connection does not handle itself.
    ///
    /// # Errors
    ///
    /// [`Violation`] if it is not allowed in a room.
    pub fn handle_message(&mut self, message: ServerMessage) -> Result<(), Violation> {
        match message {
            // After any other goodbye the client comes back.
            ServerMessage::Goodbye { code, message, frames, .. } if code.is_final() => {
                self.over = true;
                self.tell(Event::Goodbye { code, message, frames });
                Ok(())
            }
            ServerMessage::Refused { code, message, .. } => {
                self.tell(Event::Refused { code, message });
                Ok(())
            }
            ServerMessage::Result { result } => {
                self.tell(Event::Result(result));
                Ok(())
            }
            ServerMessage::Announcement { text } => {
                self.tell(Event::Announcement(text));
                Ok(())
            }
            ServerMessage::Pace { every } => {
                self.pace(every);
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
}
