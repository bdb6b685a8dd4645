//! The life of a connection, for a room or a search. Pure: it takes events, the time and random numbers, and returns
//! effects. As `web/sdk/connection.js`; [`Link`](crate::link::Link) runs it on a WebSocket.
//!
//! docs/connection.md has the whole table of states and events; a test runs that table against this file. The rows
//! about pages, their events and probes apply only to browsers.

use std::time::{Duration, Instant};

use tiltyard_shared::protocol::{ClientMessage, Code, Entered, ServerMessage};

use crate::{backoff::Backoff, pulse::Pulse};

mod attempts;
mod kinds;
mod vigil;
#[cfg(test)]
mod tests;

use attempts::Attempts;
pub use kinds::{Effect, Event, State, Told, Why};
use vigil::Vigil;

/// How long to try before the first seat, and again after having given up.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// The maximum wait for the server's welcome, and for a seat.
const HELLO: Duration = Duration::from_secs(5);
const ENTER: Duration = Duration::from_secs(10);
/// The minimum age of an attempt that is replaced by a fresh one when the network comes back.
const FRESH: Duration = Duration::from_secs(1);
/// The maximum number of redirects to follow for one wish.
const REDIRECTS: u32 = 3;

/// A connection.
#[derive(Clone, Debug)]
pub struct Connection {
    seat: bool,
    patience: Option<Duration>,
    backoff: Backoff,
    state: State,
    attempts: Attempts,
    vigil: Vigil,
    /// The address given by the owner, the address of the last success or redirect, and that of the present attempt.
    home: String,
    place: String,
    address: String,
    request: u32,
    /// The time of the next attempt.
    due: Instant,
    /// How long the server keeps the seat; `None` for ever.
    grace: Option<Duration>,
    redirects: u32,
    was_ready: bool,
    /// Whether a connection that was given up may be tried again.
    revives: bool,
    now: Instant,
    random: f64,
    effects: Vec<Effect>,
}

impl Connection {
    /// A connection before its start. It will ask for a seat if `seat` is set, and try for `patience` before the first
    /// success; `None` for ever.
    pub fn new(seat: bool, patience: Option<Duration>, backoff: Backoff, now: Instant) -> Self {
        Self {
            seat,
            patience,
            backoff,
            state: State::Idle,
            attempts: Attempts::new(now, patience),
            vigil: Vigil::new(now),
            home: String::new(),
            place: String::new(),
            address: String::new(),
            request: 0,
            due: now,
            grace: None,
            redirects: REDIRECTS,
            was_ready: false,
            revives: false,
            now,
            random: 0.0,
            effects: Vec::new(),
        }
    }

    /// The state of its life.
    pub fn state(&self) -> State {
        self.state
    }

    /// The URL to which it is connected or connecting.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The pulse of the line: whether it is alive, and its round trip.
    pub fn pulse(&self) -> &Pulse {
        &self.vigil.pulse
    }

    /// When [`Event::Tick`] is next needed; `None` if never.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Waiting => Some(self.due),
            _ if self.is_trying() => self.vigil.deadline(self.is_in()),
            _ => None,
        }
    }

    /// A new number for a request that expects an answer.
    pub fn request(&mut self) -> u32 {
        self.request = self.request.wrapping_add(1).max(1);
        self.request
    }

    /// Handles an event. Returns the effects in order. `random` is from 0 up to 1.
    pub fn handle(&mut self, event: Event, now: Instant, random: f64) -> Vec<Effect> {
        self.now = now;
        self.random = random;
        match event {
            Event::Start(url) => self.start(url),
            Event::Opened if self.state == State::Connecting => self.greet(),
            Event::Message(message) if self.is_open() => self.hear(message),
            Event::Sign if self.is_open() => {
                self.vigil.heard(now);
                self.ping();
            }
            Event::Closed(None) if self.is_trying() => self.fail(Duration::ZERO, None, "no connection"),
            Event::Closed(Some(code)) if self.is_trying() => self.end(code, &code.to_string(), Duration::ZERO),
            Event::Tick => self.tick(),
            Event::Online => self.wake(),
            Event::Retry => self.retry(),
            Event::Drop(wait) if self.is_trying() => self.fail(wait, None, "dropped"),
            Event::Close => self.close(),
            _ => {}
        }
        std::mem::take(&mut self.effects)
    }

    /// Whether the server has sent its welcome: from then on it answers pings.
    fn is_in(&self) -> bool {
        matches!(self.state, State::Entering | State::Ready)
    }

    /// Whether there is a socket that has opened.
    fn is_open(&self) -> bool {
        self.is_in() || self.state == State::Hello
    }

    /// Whether there is a socket.
    fn is_trying(&self) -> bool {
        self.is_open() || self.state == State::Connecting
    }

    fn tell(&mut self, told: Told) {
        self.effects.push(Effect::Tell(told));
    }

    /// Enters a state, which may last for `patience`.
    fn turn(&mut self, state: State, patience: Option<Duration>) {
        self.state = state;
        self.vigil.begin(self.now, patience);
    }

    fn start(&mut self, url: String) {
        if !matches!(self.state, State::Idle | State::Over) {
            return;
        }
        self.home.clone_from(&url);
        self.place.clone_from(&url);
        self.address = url;
        self.attempts = Attempts::new(self.now, self.patience);
        self.redirects = REDIRECTS;
        self.was_ready = false;
        self.open();
    }

    /// Begins an attempt: at the address of the last success, and every second time at the owner's, which may redirect
    /// it.
    fn begin(&mut self) {
        let at_home = self.attempts.count > 0 && self.attempts.count.is_multiple_of(2);
        self.address.clone_from(if at_home { &self.home } else { &self.place });
        self.attempts.begin(self.now);
        self.open();
    }

    fn open(&mut self) {
        self.turn(State::Connecting, Some(self.attempts.patience()));
        self.effects.push(Effect::Open);
    }

    fn greet(&mut self) {
        self.vigil.pulse.reopen(self.now);
        self.turn(State::Hello, Some(HELLO));
        self.effects.push(Effect::Greet);
    }

    fn hear(&mut self, message: Box<ServerMessage>) {
        self.vigil.heard(self.now);
        match *message {
            ServerMessage::Ping { number } => {
                self.effects.push(Effect::Send(ClientMessage::Pong { number, held_ms: 0 }));
                self.ping();
            }
            ServerMessage::Pong { number, held_ms } => {
                self.vigil.pulse.pong(number, Duration::from_millis(held_ms.into()), self.now);
            }
            ServerMessage::Goodbye { code, message: ref words, retry_within_ms, .. } => {
                let words = words.clone();
                self.tell(Told::Message(message));
                self.end(code, &words, Duration::from_millis(retry_within_ms.into()).mul_f64(self.random));
            }
            ServerMessage::Redirect { url, pass, .. } => self.redirect(url, pass),
            _ if self.state == State::Ready => self.tell(Told::Message(message)),
            _ => self.answered(message),
        }
    }

    /// Handles an answer before the connection is ready.
    fn answered(&mut self, message: Box<ServerMessage>) {
        let is_entering = self.state == State::Entering;
        match *message {
            ServerMessage::Refused { request, code, message, retry_after_ms } if self.is_mine(request, code) => {
                let wait = Duration::from_millis(retry_after_ms.unwrap_or(0).into());
                self.end(code, &message, wait.mul_f64(1.0 + self.random / 2.0));
            }
            ServerMessage::Welcome { .. } if self.state == State::Hello => {
                self.tell(Told::Message(message));
                if self.seat {
                    self.turn(State::Entering, Some(ENTER));
                } else {
                    self.ready(None);
                }
                let request = self.request();
                self.effects.push(Effect::Wish(request));
            }
            ServerMessage::Entered(entered) if is_entering && entered.request == self.request => {
                self.grace = Some(Duration::from_millis(entered.grace_ms.into()));
                self.ready(Some(entered));
            }
            ServerMessage::Wait { for_ms, .. } if is_entering => {
                self.vigil.extend(self.now + Duration::from_millis(for_ms.into()) + HELLO);
            }
            _ => self.ping(),
        }
    }

    /// Whether a refusal ends this attempt: it names the wish, or no request at all.
    fn is_mine(&self, request: u32, code: Code) -> bool {
        if request == 0 { code != Code::Unsupported } else { self.state == State::Entering && request == self.request }
    }

    fn ready(&mut self, seat: Option<Box<Entered>>) {
        self.turn(State::Ready, None);
        self.was_ready = true;
        self.redirects = REDIRECTS;
        self.attempts.not_before = self.now;
        self.place.clone_from(&self.address);
        self.tell(Told::Ready(seat));
        self.ping();
    }

    fn ping(&mut self) {
        if self.is_in()
            && let Some(number) = self.vigil.pulse.ping(self.now)
        {
            self.effects.push(Effect::Send(ClientMessage::Ping { number }));
        }
    }

    /// Handles the server's last message: a final code ends the connection, any other has to wait.
    fn end(&mut self, code: Code, message: &str, wait: Duration) {
        if code.is_final() {
            self.over(Why::Refused, Some(code), message);
        } else {
            self.fail(wait, Some(code), message);
        }
    }

    fn redirect(&mut self, url: String, pass: Vec<u8>) {
        self.tell(Told::Redirect { url: url.clone(), pass });
        if self.redirects == 0 {
            return self.over(Why::Redirected, None, "sent on too often");
        }
        self.place.clone_from(&url);
        self.address = url;
        self.redirects -= 1;
        self.effects.push(Effect::Shut);
        if self.state == State::Ready {
            self.lost();
        }
        self.attempts.begin(self.now);
        self.open();
    }

    /// Notes the loss of a connection that was ready.
    fn lost(&mut self) {
        let lived = self.now.saturating_duration_since(self.vigil.since);
        self.attempts.lost(self.now, lived, self.vigil.pulse.smoothed(), self.grace.filter(|_| self.seat));
        self.tell(Told::Lost);
    }

    /// Ends this attempt or connection. Another attempt follows if there is time for one, but not within `wait`.
    fn fail(&mut self, wait: Duration, code: Option<Code>, message: &str) {
        let was_ready = self.state == State::Ready;
        self.effects.push(Effect::Shut);
        if was_ready {
            self.lost();
        }
        self.turn(State::Waiting, None);
        let due = self.attempts.failed(self.now, wait, &self.backoff, self.random).max(self.now);
        if !was_ready && self.attempts.is_late(self.now) {
            self.over(Why::Gone, code, message);
        } else {
            self.wait(due, code);
        }
    }

    fn wait(&mut self, due: Instant, code: Option<Code>) {
        self.turn(State::Waiting, None);
        self.due = due;
        let (attempt, until) = (self.attempts.count, self.attempts.until);
        self.tell(Told::Waiting { attempt, wait: due.saturating_duration_since(self.now), until, code });
    }

    fn over(&mut self, why: Why, code: Option<Code>, message: &str) {
        if self.is_trying() {
            self.effects.push(Effect::Shut);
        }
        self.turn(State::Over, None);
        self.revives = why == Why::Gone && self.was_ready;
        self.tell(Told::Over { why, code, message: message.to_owned() });
    }

    fn tick(&mut self) {
        if self.state == State::Waiting && self.now >= self.due {
            return self.begin();
        }
        if !self.is_trying() {
            return;
        }
        if self.vigil.slept(self.now) && self.is_in() {
            self.doubt();
        }
        if self.vigil.is_over(self.now, self.is_in()) {
            self.attempts.hung();
            self.fail(Duration::ZERO, None, "no answer in time");
        } else {
            self.ping();
        }
    }

    /// Pings at once, even if another ping is unanswered.
    fn doubt(&mut self) {
        self.vigil.doubt(self.now);
        self.effects.push(Effect::Send(ClientMessage::Ping { number: 0 }));
    }

    /// Uses a network that has come back: replaces an attempt that hangs, and revives a connection that was given up.
    fn wake(&mut self) {
        if self.state == State::Waiting || (self.state == State::Over && self.revives) {
            self.again();
        } else if self.is_in() {
            self.doubt();
        } else if self.is_trying() && self.now.saturating_duration_since(self.vigil.since) >= FRESH {
            self.effects.push(Effect::Shut);
            self.begin();
        }
    }

    /// Starts an attempt for the owner, even if the server said to wait.
    fn retry(&mut self) {
        self.attempts.not_before = self.now;
        self.wake();
    }

    fn again(&mut self) {
        if self.state == State::Over {
            self.attempts.revive(self.now, PATIENCE);
            self.wait(self.now, None);
        }
        if self.attempts.not_before > self.now {
            self.due = self.attempts.not_before;
        } else {
            self.begin();
        }
    }

    fn close(&mut self) {
        if self.state == State::Over {
            self.revives = false;
            return;
        }
        if self.is_in() {
            self.effects.push(Effect::Farewell);
        }
        self.over(Why::Closed, None, "closed");
    }
}
