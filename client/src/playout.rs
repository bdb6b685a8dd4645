//! The playout: how far in the past to draw, so that the frames to interpolate between have arrived. The delay is no
//! more than the measured jitter of the line requires. Pure: the time is an argument. As `web/sdk/playout.js`.
//!
//! After the jitter buffer of WebRTC (NetEQ): the latest arrival of every half second is kept for ten seconds, and
//! nearly all of them must be in time. A frame that comes later makes the delay longer at once; the delay shrinks
//! slowly. A client that draws nothing uses it to count what its player would have seen.

use std::time::{Duration, Instant};

use tiltyard_shared::{game::Tick, protocol::limits};

mod arrivals;

use arrivals::Arrivals;

/// The margin in ms for timers and the duration of a draw.
const SPARE: f64 = 8.0;
/// The delay shrinks after it was sufficient for so many ms.
const CALM: f64 = 2000.0;
/// It shrinks by the excess over that time, within these bounds, as fractions of the time that passes.
const SLOWEST: f64 = 0.02;
const FASTEST: f64 = 0.25;
/// After so many ms without a frame (a stopped process, a tunnel) the measurement starts anew.
const PAUSE: f64 = 1000.0;
/// Frames in a burst after that were held up: the measurement counts once so many frames did not come faster than due.
const WARM_FRAMES: u32 = 4;
/// A server with nothing new sends a frame this often, in ms; the picture advances for as long.
const QUIET: f64 = limits::IDLE_FRAME.as_millis() as f64;
/// A picture that is ahead of time by more than so many ms is set back at once.
const FAR: f64 = 1000.0;
/// The fraction of its normal pace at which a picture advances that is ahead by less.
const HELD_BACK: f64 = 0.5;

/// Determines the tick to draw. All times in it are ms after `start`.
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
    /// The number of frames since the start that did not come faster than due; at most [`WARM_FRAMES`].
    steady: u32,
    last: f64,
    arrivals: Arrivals,
    /// The tick drawn at `now` is `(now - offset) / tick_ms - moved`.
    offset: f64,
    calm_since: f64,
    advanced: f64,
    /// The tick that was drawn last, and when.
    time: Option<f64>,
    drawn: f64,
    draws: u64,
    underruns: u64,
    /// Draws ahead of the newest frame. The next frame tells whether there was anything to show.
    pending: u64,
}

impl Playout {
    /// The playout of a newly opened line. Frames come every `send_every` ticks; `tick` is the last one that the server
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

    /// Sets a fixed delay; `None` for the delay that the line requires.
    pub fn fix(&mut self, delay: Option<Duration>) {
        self.fixed = delay.map(|delay| delay.as_secs_f64() * 1000.0);
    }

    /// Sets the pace: the server sends a frame at every so many-th send tick from now on.
    pub fn pace(&mut self, every: u32) {
        self.every = every.max(1);
    }

    /// Takes the arrival of a tick's frame; `moved` is the schedule move in its head.
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

    /// Discards the measurements, for another line.
    pub fn restart(&mut self) {
        self.arrivals.clear();
        self.steady = 0;
    }

    /// How much older the picture is than if every frame came as early as the earliest recent one.
    pub fn delay(&self) -> Duration {
        let ms = if self.arrivals.is_empty() { 0.0 } else { self.offset - self.arrivals.earliest() };
        Duration::from_secs_f64(ms.max(0.0) / 1000.0)
    }

    /// The tick to draw now, with its fraction. It goes back only if it is ahead by more than 1 s, as after a new
    /// start.
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

    /// The number of draws.
    pub fn draws(&self) -> u64 {
        self.draws
    }

    /// The number of draws for whose time no frame had come, or that stood still; except while nothing was new.
    pub fn underruns(&self) -> u64 {
        self.underruns
    }

    /// The next tick to draw after the last one.
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

    /// Judges the draws ahead of the previous frame by this one: if the server left frames out because nothing was new,
    /// and this one came before its time, they missed nothing.
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

    /// Shrinks the delay for the time that has passed, or raises it to what is needed.
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

    /// The offset that nearly all frames need.
    fn wanted(&self) -> f64 {
        self.fixed.map_or(self.arrivals.level() + self.interval() + SPARE, |fixed| self.arrivals.earliest() + fixed)
    }

    /// The time between two frames in ms.
    fn interval(&self) -> f64 {
        f64::from(self.send_every) * f64::from(self.every) * self.tick_ms
    }

    fn ms(&self, now: Instant) -> f64 {
        now.saturating_duration_since(self.start).as_nanos() as f64 / 1e6
    }
}
