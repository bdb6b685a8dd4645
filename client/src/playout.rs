//! How far in the past to draw, so that the frames to glide between are there: no more than the line's jitter asks for,
//! which is measured. Pure: the time is an argument. As `web/sdk/playout.js`.
//!
//! After the jitter buffer of WebRTC (NetEQ): the latest arrival of every half second is kept for ten seconds, and nearly
//! all of them must be in time. A frame that comes later makes the delay longer at once; it becomes shorter little by
//! little. A client that draws nothing counts by it what its player would have seen.

use std::time::{Duration, Instant};

use tiltyard_shared::{game::Tick, protocol::limits};

mod arrivals;

use arrivals::Arrivals;

/// So many ms earlier than needed, for timers and the length of a draw.
const SPARE: f64 = 8.0;
/// The delay becomes shorter when it was long enough for so many ms,
const CALM: f64 = 2000.0;
/// by what is too much in as long, but at least and at most by this part of the time that passes.
const SLOWEST: f64 = 0.02;
const FASTEST: f64 = 0.25;
/// After so many ms without a frame (a stopped process, a tunnel) it begins anew,
const PAUSE: f64 = 1000.0;
/// and what comes then in a burst had been held up: it is measured when so many frames did not come faster than due.
const WARM_FRAMES: u32 = 4;
/// A server with nothing to say says so this often; drawing goes on for as long.
const QUIET: f64 = limits::IDLE_FRAME.as_millis() as f64;
/// A draw that is so many ms from where it should be does not hurry: it is there at once.
const FAR: f64 = 1000.0;
/// The part of its pace at which the picture goes on that is ahead of what it should be.
const HELD_BACK: f64 = 0.5;

/// Says which tick to draw. All times in it are ms after `start`.
#[derive(Clone, Debug)]
pub struct Playout {
    start: Instant,
    tick_ms: f64,
    send_every: u32,
    every: u32,
    fixed: Option<f64>,
    moved: u32,
    newest: Tick,
    heard: f64,
    /// How many frames did not come faster than due since the start; at most [`WARM_FRAMES`].
    steady: u32,
    last: f64,
    arrivals: Arrivals,
    /// The tick that is drawn at `now` is `(now - offset) / tick_ms - moved`.
    offset: f64,
    calm_since: f64,
    advanced: f64,
    /// What was drawn last, and when.
    time: Option<f64>,
    drawn: f64,
    draws: u64,
    underruns: u64,
    /// Draws ahead of the newest frame, of which the next one will tell whether there was anything to show.
    pending: u64,
}

impl Playout {
    /// The playout of a line that has just opened. Frames come every `send_every` ticks; `tick` is the last that the server
    /// is known to have computed.
    pub fn new(tick_hz: u32, send_every: u32, tick: Tick, now: Instant) -> Self {
        Self {
            start: now,
            tick_ms: 1000.0 / f64::from(tick_hz.max(1)),
            send_every,
            every: 1,
            fixed: None,
            moved: 0,
            newest: tick,
            heard: 0.0,
            steady: 0,
            last: 0.0,
            arrivals: Arrivals::default(),
            offset: 0.0,
            calm_since: 0.0,
            advanced: 0.0,
            time: None,
            drawn: 0.0,
            draws: 0,
            underruns: 0,
            pending: 0,
        }
    }

    /// Draws so far in the past instead of what the line asks for; `None` for that.
    pub fn fix(&mut self, delay: Option<Duration>) {
        self.fixed = delay.map(|delay| delay.as_secs_f64() * 1000.0);
    }

    /// The server sends a frame at every so many-th send tick from now on.
    pub fn pace(&mut self, every: u32) {
        self.every = every.max(1);
    }

    /// The frame of a tick has arrived; `moved` is what its head says of schedule moves.
    pub fn observe(&mut self, tick: Tick, moved: Option<u32>, now: Instant) {
        let now = self.ms(now);
        self.moved = moved.unwrap_or(self.moved);
        self.judge(tick);
        if now - self.heard > PAUSE {
            self.restart();
        }
        let sample = now - (f64::from(tick.0) + f64::from(self.moved)) * self.tick_ms;
        if self.steady < WARM_FRAMES {
            let hurries = !self.arrivals.is_empty() && sample < self.last - self.interval() / 2.0;
            if hurries {
                self.arrivals.clear();
            }
            self.steady = if hurries { 0 } else { self.steady + 1 };
        }
        self.heard = now;
        self.last = sample;
        self.newest = tick;
        let first = self.arrivals.is_empty();
        if self.arrivals.note(sample, now) {
            self.calm_since = self.calm_since.min(now - CALM);
        }
        if first {
            self.raise(self.wanted(), now);
        }
        self.advance(now);
        let needed = sample + self.interval() + SPARE;
        if self.fixed.is_none() && needed > self.offset {
            self.raise(needed, now);
        }
    }

    /// Forgets what it knows of the line, for another one.
    pub fn restart(&mut self) {
        self.arrivals.clear();
        self.steady = 0;
    }

    /// How much older the picture is than it could be, had every frame come as early as the earliest of late.
    pub fn delay(&self) -> Duration {
        let ms = if self.arrivals.is_empty() { 0.0 } else { self.offset - self.arrivals.earliest() };
        Duration::from_secs_f64(ms.max(0.0) / 1000.0)
    }

    /// The tick to draw now, with its fraction. Never goes backwards but for a start.
    pub fn draw(&mut self, now: Instant) -> f64 {
        let now = self.ms(now);
        self.advance(now);
        let time = self.next(now);
        let stands = self.time.is_some_and(|last| now > self.drawn && time <= last);
        self.draws += 1;
        if !self.arrivals.is_empty() && (time > f64::from(self.newest.0) || stands) {
            self.pending += 1;
        }
        if now - self.heard > QUIET + self.interval() {
            self.settle();
        }
        self.time = Some(time);
        self.drawn = now;
        time
    }

    /// How often anything was drawn.
    pub fn draws(&self) -> u64 {
        self.draws
    }

    /// How often something was drawn for whose time no frame had come, or that stood still; not while nothing is new.
    pub fn underruns(&self) -> u64 {
        self.underruns
    }

    /// Where the picture goes from where it is.
    fn next(&self, now: f64) -> f64 {
        let newest = f64::from(self.newest.0);
        if self.arrivals.is_empty() {
            return self.time.unwrap_or(newest);
        }
        let due = (now - self.offset) / self.tick_ms - f64::from(self.moved);
        let wanted = due.min(newest + QUIET / self.tick_ms);
        let Some(time) = self.time else { return wanted };
        if wanted >= time || (time - wanted) * self.tick_ms > FAR {
            return wanted;
        }
        let slowly = time + (HELD_BACK * (now - self.drawn)) / self.tick_ms;
        slowly.min(newest).max(time)
    }

    /// A frame tells of the draws ahead of the one before it: if the server left frames out because nothing was new, and
    /// this one came before its time, they had nothing to miss.
    fn judge(&mut self, tick: Tick) {
        let interval = f64::from(self.send_every) * f64::from(self.every);
        let apart = f64::from(tick.0) - f64::from(self.newest.0);
        let quiet = apart > interval && apart <= QUIET / self.tick_ms + interval;
        if quiet && self.time.is_some_and(|time| time <= f64::from(tick.0) - interval) {
            self.pending = 0;
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.underruns += self.pending;
        self.pending = 0;
    }

    /// Shortens the delay for the time that has passed, or takes it as it must be.
    fn advance(&mut self, now: f64) {
        let passed = now - self.advanced;
        self.advanced = now;
        if self.arrivals.is_empty() {
            return;
        }
        let wanted = self.wanted();
        let excess = self.offset - wanted;
        if excess <= 0.0 {
            self.raise(wanted, now);
        } else if now - self.calm_since >= CALM {
            let rate = (excess / CALM).clamp(SLOWEST, FASTEST);
            self.offset = (self.offset - rate * passed).max(wanted);
        }
    }

    fn raise(&mut self, offset: f64, now: f64) {
        self.offset = offset;
        self.calm_since = now;
    }

    /// What the offset must be for nearly all frames.
    fn wanted(&self) -> f64 {
        self.fixed.map_or(self.arrivals.level() + self.interval() + SPARE, |fixed| self.arrivals.earliest() + fixed)
    }

    /// How many ms lie between two frames.
    fn interval(&self) -> f64 {
        f64::from(self.send_every) * f64::from(self.every) * self.tick_ms
    }

    fn ms(&self, now: Instant) -> f64 {
        now.saturating_duration_since(self.start).as_nanos() as f64 / 1e6
    }
}
