//! Estimates the server's tick from the arrivals of frames. Pure: the time is an argument. As `web/sdk/clock.js`.
//!
//! The clock speaks of *arrivals*: "tick 90 is now" means that the frame of tick 90 would arrive now on the line at its
//! best. The way up to the server is left to the [`Lead`](crate::lead::Lead), which learns from the margins in heads.

use std::time::{Duration, Instant};

use tiltyard_shared::game::Tick;

mod spell;
#[cfg(test)]
mod tests;

use spell::Spell;

/// How fast the estimate follows a line that slowly becomes slower, in ms per ms.
const DRIFT: f64 = 0.0005;

/// After so many ms without a frame the clock stands: a stalled server computes no ticks.
const COAST: f64 = 500.0;

/// After so many ms without a frame (a stopped process, a broken line) the measurements of the line are discarded.
const PAUSE: f64 = 2000.0;

/// The clock is cold until it has heard so many frames in a row.
const WARM_FRAMES: u32 = 4;

/// The state of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockState {
    /// It knows too little: it stands at the newest frame, and considers no frame old.
    Cold,
    /// It runs.
    Running,
    /// It stands, because no frame has come for half a second.
    Standing,
}

/// Estimates the server's tick from the arrivals of its frames.
///
/// Every arrival says "tick 0 arrived, or would have arrived, at this time". The earliest of these times is taken as
/// true, because later frames were delayed. Schedule moves (told in heads, in whole ticks) are taken out first. When
/// all frames of a second are late by the same time, the line itself has become slower, and their earliest is true from
/// then on.
#[derive(Clone, Debug)]
pub struct Clock {
    start: Instant,
    tick_ms: f64,
    /// When tick 0 would have arrived at best without schedule moves: ms after `start`, as all times here.
    zero: f64,
    heard: f64,
    moved: u32,
    /// The number of frames heard since it was last cold, at most [`WARM_FRAMES`].
    frames: u32,
    newest: Tick,
    /// The ms by which the estimate has become later and the lead was not yet told.
    owed: f64,
    spell: Spell,
}

impl Clock {
    /// A clock that has heard nothing yet; `tick` is the last one that the server is known to have computed.
    pub fn new(tick_hz: u32, tick: Tick, now: Instant) -> Self {
        Self {
            start: now,
            tick_ms: 1000.0 / f64::from(tick_hz.max(1)),
            zero: 0.0,
            heard: 0.0,
            moved: 0,
            frames: 0,
            newest: tick,
            owed: 0.0,
            spell: Spell::default(),
        }
    }

    /// Takes the arrival of a tick's frame; `moved` is the schedule move in its head. Returns by how many more ticks
    /// inputs must aim above the clock: it has learned something about the way down, while the server's time has not
    /// changed.
    pub fn observe(&mut self, tick: Tick, moved: Option<u32>, now: Instant) -> i32 {
        let now = self.ms(now);
        self.moved = moved.unwrap_or(self.moved);
        if now - self.heard > PAUSE {
            self.restart();
        }
        let sample = now - self.due(tick);
        let slack = (now - self.heard).max(0.0) * DRIFT;
        let zero = if self.frames == 0 { sample } else { self.zero + slack };
        let step = self.spell.observe(sample, zero, now);
        self.move_to(step.unwrap_or(sample.min(zero)));
        self.frames = (self.frames + 1).min(WARM_FRAMES);
        self.heard = now;
        self.newest = tick;
        self.pay()
    }

    /// Whether frames continuously come later and later, rather than by one step.
    pub fn grows(&self) -> bool {
        self.spell.grows()
    }

    /// Accepts the line as it is: the frames of the last second were in time. Returns the same as [`Clock::observe`].
    pub fn rebase(&mut self, now: Instant) -> i32 {
        let least = self.spell.least(self.ms(now));
        self.move_to(least.unwrap_or(self.zero));
        self.spell.end();
        self.pay()
    }

    /// Discards the measurements, for another line.
    pub fn restart(&mut self) {
        self.frames = 0;
        self.owed = 0.0;
        self.spell = Spell::default();
    }

    /// Whether it knows the line, and whether frames are arriving.
    pub fn state(&self, now: Instant) -> ClockState {
        if self.frames < WARM_FRAMES {
            ClockState::Cold
        } else if self.ms(now) - self.heard > COAST {
            ClockState::Standing
        } else {
            ClockState::Running
        }
    }

    /// How much later than on the best line this tick's frame would be if it arrived now; 0 while the clock is cold.
    pub fn age(&self, tick: Tick, now: Instant) -> Duration {
        let late = if self.frames < WARM_FRAMES { 0.0 } else { self.ms(now) - self.zero - self.due(tick) };
        Duration::from_secs_f64(late.max(0.0) / 1000.0)
    }

    /// The tick whose frame should be arriving now, with its fraction; never lower than the last frame's.
    pub fn time(&self, now: Instant) -> f64 {
        let newest = f64::from(self.newest.0);
        if self.frames < WARM_FRAMES {
            return newest;
        }
        let running = (self.ms(now).min(self.heard + COAST) - self.zero) / self.tick_ms - f64::from(self.moved);
        running.max(newest)
    }

    /// The same without its fraction. Inputs that aim at it plus the lead never aim below the newest frame plus the
    /// lead.
    pub fn tick(&self, now: Instant) -> Tick {
        Tick(self.time(now) as u32)
    }

    /// The tick of the last frame that has arrived.
    pub fn newest(&self) -> Tick {
        self.newest
    }

    fn move_to(&mut self, zero: f64) {
        self.owed += if self.frames == 0 { 0.0 } else { zero - self.zero };
        self.zero = zero;
    }

    /// Takes the whole ticks that are owed to the lead.
    fn pay(&mut self) -> i32 {
        let ticks = (self.owed / self.tick_ms).trunc();
        self.owed -= ticks * self.tick_ms;
        ticks as i32
    }

    fn ms(&self, now: Instant) -> f64 {
        now.saturating_duration_since(self.start).as_nanos() as f64 / 1e6
    }

    /// The ms from tick 0 to this one.
    fn due(&self, tick: Tick) -> f64 {
        (f64::from(tick.0) + f64::from(self.moved)) * self.tick_ms
    }
}
