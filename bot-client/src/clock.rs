//! What tick it is at the server, judged by when frames arrive; and how far ahead of it inputs must aim. Pure: the time is
//! an argument.
//!
//! The clock speaks of *arrivals*: "tick 90 is now" means that its frame would be arriving now on the best line seen so
//! far. The way up to the server is the [`Lead`]'s business, which learns from the margins that heads tell.

use std::time::{Duration, Instant};

use tiltyard_shared::game::Tick;

/// How fast the estimate follows a line that has become slower, in seconds per second. A faster line counts at once.
const DRIFT: f64 = 0.0005;

/// Beyond the newest frame the clock runs on for this long and then stands: a stalled server computes no ticks.
const COAST: Duration = Duration::from_millis(500);

/// Estimates the server's tick from the arrivals of its frames.
///
/// Every arrival says "tick 0 arrived, or would have, at so-and-so"; the earliest of these is the truth, the later ones
/// were delayed. Schedule moves (told in heads, in whole ticks) are taken out first.
#[derive(Clone, Debug)]
pub struct Clock {
    start: Instant,
    tick_seconds: f64,
    /// When tick 0 arrived at best, had the schedule never been moved: seconds after `start`.
    zero: Option<f64>,
    heard: f64,
    moved: u32,
    newest: Tick,
}

impl Clock {
    /// A clock that has heard nothing yet.
    pub fn new(tick_hz: u32, now: Instant) -> Self {
        let tick_seconds = 1.0 / f64::from(tick_hz.max(1));
        Self { start: now, tick_seconds, zero: None, heard: 0.0, moved: 0, newest: Tick(0) }
    }

    /// The frame of a tick has arrived; `moved` is what its head says of schedule moves.
    pub fn observe(&mut self, tick: Tick, moved: Option<u32>, now: Instant) {
        self.moved = moved.unwrap_or(self.moved);
        let seconds = self.seconds(now);
        let sample = seconds - self.due(tick);
        let slack = (seconds - self.heard).max(0.0) * DRIFT;
        self.zero = Some(self.zero.map_or(sample, |zero| sample.min(zero + slack)));
        self.heard = seconds;
        self.newest = self.newest.max(tick);
    }

    /// How much later than on the best line this tick's frame would be, were it arriving now.
    pub fn age(&self, tick: Tick, now: Instant) -> Duration {
        let zero = self.zero.unwrap_or_default();
        Duration::from_secs_f64((self.seconds(now) - zero - self.due(tick)).max(0.0))
    }

    /// The tick whose frame should be arriving now: at least the newest that did, and not far beyond it.
    pub fn tick(&self, now: Instant) -> Tick {
        let Some(zero) = self.zero else { return self.newest };
        let elapsed = ((self.seconds(now) - zero) / self.tick_seconds) as u32;
        let most = self.newest.0.saturating_add((COAST.as_secs_f64() / self.tick_seconds) as u32);
        Tick(elapsed.saturating_sub(self.moved).clamp(self.newest.0, most))
    }

    /// The newest tick of which a frame has arrived.
    pub fn newest(&self) -> Tick {
        self.newest
    }

    fn seconds(&self, now: Instant) -> f64 {
        now.saturating_duration_since(self.start).as_secs_f64()
    }

    /// Seconds from tick 0 to this one.
    fn due(&self, tick: Tick) -> f64 {
        (f64::from(tick.0) + f64::from(self.moved)) * self.tick_seconds
    }
}

/// The lead starts here: on a local line it is never less.
const FIRST_LEAD: u32 = 2;
/// More lead than this no line needs; beyond it inputs are late.
const MOST_LEAD: u32 = 40;
/// The lead is lowered when for this long every input came earlier than needed.
const CALM: Duration = Duration::from_secs(5);
/// An input that arrives at least so many ticks early could have aimed lower.
const AMPLE: i16 = 2;

/// How many ticks ahead of the clock inputs aim: raised at once when one comes late, lowered by one after a calm spell.
#[derive(Clone, Debug)]
pub struct Lead {
    ticks: u32,
    /// Margins of inputs up to this number were told by an older lead.
    heeds_after: u32,
    least: i16,
    since: Instant,
}

impl Lead {
    /// The lead of a client that has sent nothing yet.
    pub fn new(now: Instant) -> Self {
        Self { ticks: FIRST_LEAD, heeds_after: 0, least: i16::MAX, since: now }
    }

    /// The lead in ticks.
    pub fn ticks(&self) -> u32 {
        self.ticks
    }

    /// A head told how early input `number` came; `sent` is the highest number sent so far.
    pub fn observe(&mut self, margin: i16, number: u32, sent: u32, now: Instant) {
        if number <= self.heeds_after {
            return;
        }
        self.least = self.least.min(margin);
        if margin < 0 {
            self.change(self.ticks + u32::from(margin.unsigned_abs()), sent, now);
        } else if now.saturating_duration_since(self.since) >= CALM {
            let ample = self.least >= AMPLE;
            self.change(self.ticks - u32::from(ample), if ample { sent } else { self.heeds_after }, now);
        }
    }

    fn change(&mut self, ticks: u32, heeds_after: u32, now: Instant) {
        *self = Self { ticks: ticks.clamp(1, MOST_LEAD), heeds_after, least: i16::MAX, since: now };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_earliest_arrival_is_believed_and_delays_are_not() {
        let start = Instant::now();
        let mut clock = Clock::new(20, start);
        clock.observe(Tick(100), None, start + 80 * MS);
        clock.observe(Tick(101), None, start + 100 * MS);
        clock.observe(Tick(102), None, start + 190 * MS);
        assert!(clock.age(Tick(102), start + 190 * MS).abs_diff(40 * MS) < MS);
        assert_eq!(clock.tick(start + 215 * MS), Tick(103));
    }

    #[test]
    fn a_moved_schedule_makes_no_frame_old() {
        let start = Instant::now();
        let mut clock = Clock::new(20, start);
        clock.observe(Tick(100), Some(0), start);
        clock.observe(Tick(101), Some(19), start + 1000 * MS);
        assert!(clock.age(Tick(101), start + 1000 * MS) < MS);
        assert_eq!(clock.tick(start + 1110 * MS), Tick(103));
    }

    #[test]
    fn the_clock_coasts_for_half_a_second_and_stands() {
        let start = Instant::now();
        let mut clock = Clock::new(20, start);
        assert_eq!(clock.tick(start + 900 * MS), Tick(0));
        clock.observe(Tick(7), None, start);
        assert_eq!(clock.tick(start + 410 * MS), Tick(15));
        assert_eq!(clock.tick(start + 9000 * MS), Tick(17));
    }

    #[test]
    fn a_slower_line_is_believed_in_the_end() {
        let start = Instant::now();
        let mut clock = Clock::new(20, start);
        clock.observe(Tick(0), None, start);
        for tick in 1..20_000 {
            clock.observe(Tick(tick), None, start + tick * 50 * MS + 100 * MS);
        }
        let now = start + 20_000 * 50 * MS + 100 * MS;
        assert!(clock.age(Tick(20_000), now) < 2 * MS);
    }

    #[test]
    fn a_late_input_raises_the_lead_once_and_calm_lowers_it() {
        let start = Instant::now();
        let mut lead = Lead::new(start);
        lead.observe(-3, 1, 5, start);
        assert_eq!(lead.ticks(), 5);
        lead.observe(-3, 5, 6, start);
        assert_eq!(lead.ticks(), 5, "input 5 was sent with the old lead");
        lead.observe(2, 6, 7, start + CALM);
        assert_eq!(lead.ticks(), 4);
        lead.observe(1, 8, 9, start + CALM);
        lead.observe(4, 9, 10, start + 2 * CALM);
        assert_eq!(lead.ticks(), 4, "one of them was not early");
    }
}
