//! Detects clients that fall behind: compares the age of frames when they are reported applied with the least recent
//! age.
//!
//! On a longer way all ages grow once and then stay, which needs no action. On a line that takes less than it is given,
//! or with a client that does not keep up, each age is greater than the one before: such a seat is throttled. So is one
//! that has reported nothing for long.

use std::time::Duration;

use tiltyard_shared::protocol::limits;

use crate::least::Least;

/// The least age within this time counts as the line's own.
const WINDOW: Duration = Duration::from_secs(2);

/// How much longer than the line's own age a report may be missing.
const SILENCE: Duration = Duration::from_secs(2);

/// Ages that differ by less count as equal.
const SAME: Duration = Duration::from_millis(2);

/// Reports in a row, each with a new highest age, that make a trend.
const TREND: u8 = 3;

/// The ages of one seat's frames.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lag {
    base: Least,
    /// The highest age since ages became too high.
    highest: Option<Duration>,
    /// Reports in a row that exceeded it.
    rising: u8,
    /// When something new was last reported.
    heard: Duration,
}

impl Lag {
    /// Notes the age of a frame at the time it is reported applied.
    pub(super) fn note(&mut self, age: Duration, now: Duration) {
        self.heard = now;
        self.base.note(age, now, WINDOW);
        let base = self.base.get().unwrap_or(age);
        match self.highest {
            _ if age <= base + limits::LAG => (self.highest, self.rising) = (None, 0),
            None => self.highest = Some(age),
            Some(highest) if age > highest + SAME => {
                (self.highest, self.rising) = (Some(age), self.rising.saturating_add(1));
            }
            Some(_) => self.rising = 0,
        }
    }

    /// Notes that everything handed over is applied: what follows is judged anew.
    pub(super) fn settle(&mut self) {
        (self.highest, self.rising) = (None, 0);
    }

    /// Notes a report that is not judged.
    pub(super) fn hear(&mut self, now: Duration) {
        self.heard = now;
    }

    /// When something new was last reported.
    pub(super) fn heard(&self) -> Duration {
        self.heard
    }

    /// Whether ages are too high and keep rising.
    pub(super) fn is_rising(&self) -> bool {
        self.rising >= TREND
    }

    /// Whether nothing has been reported for too long although a frame handed over at `handed` is waiting. `rtt` is the
    /// round trip, for a seat that has no age yet.
    pub(super) fn is_silent(&self, handed: Duration, now: Duration, rtt: Duration) -> bool {
        let base = self.base.get().unwrap_or(rtt);
        let patience = (base + SILENCE).max(rtt) + limits::REPORT;
        now.saturating_sub(self.heard.max(handed)) > patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const TICK: Duration = Duration::from_millis(50);

    /// Frames of each tick, each with the time that it takes until it is reported; whether the seat was throttled at
    /// any time, and whether at the end.
    fn throttled(delays: impl Iterator<Item = u32>) -> (bool, bool) {
        let (mut lag, mut under_way) = (Lag::default(), Vec::new());
        let (mut now, mut ever) = (Duration::ZERO, false);
        let mut last = Duration::ZERO;
        for delay in delays {
            now += TICK;
            // The order is kept.
            last = last.max(now + MS * delay);
            under_way.push((now, last));
            for (handed, reported) in under_way.extract_if(.., |(_, reported)| *reported <= now + TICK) {
                // A report alone comes once it is there.
                lag.note(reported - handed, reported);
            }
            let oldest = under_way.first().map(|(handed, _)| *handed);
            ever |= lag.is_rising() || oldest.is_some_and(|oldest| lag.is_silent(oldest, now, MS * 30));
        }
        (ever, lag.is_rising())
    }

    #[test]
    fn a_way_that_becomes_longer_or_shorter_at_once_throttles_nobody() {
        for step in [300, 600, 1_000, 2_000] {
            let steps = move |tick: u32| 30 + if (100..300).contains(&tick) { step } else { 0 };
            assert_eq!(throttled((0..600).map(steps)), (false, false), "{step} ms");
        }
    }

    #[test]
    fn jitter_throttles_nobody() {
        let mut rng = tiltyard_shared::game::Rng::new(1);
        for (base, jitter) in [(30, 150), (300, 50), (840, 300), (70, 500)] {
            assert_eq!(throttled((0..2_000).map(|_| base + rng.below(jitter))), (false, false), "{base} + {jitter} ms");
        }
    }

    #[test]
    fn a_line_that_takes_less_than_it_is_given_throttles_its_seat_whatever_its_way_was() {
        for base in [30, 600, 1_500] {
            // Each frame waits half a tick longer than the one before.
            let queue = move |tick: u32| base + tick.saturating_sub(100) * 25;
            assert_eq!(throttled((0..100).map(queue)), (false, false), "{base} ms");
            assert!(throttled((0..300).map(queue)).1, "{base} ms");
        }
    }

    #[test]
    fn who_says_nothing_is_throttled_after_two_seconds_and_what_the_line_is() {
        let mut lag = Lag::default();
        let handed = MS * 10_000;
        for base in [30, 900, 4_000] {
            assert!(!Lag::default().is_silent(handed, handed + MS * (2_100 + base), MS * base));
            assert!(
                Lag::default().is_silent(handed, handed + MS * (2_101 + base), MS * base),
                "before the first report"
            );
        }
        lag.note(MS * 700, handed);
        assert!(!lag.is_silent(handed, handed + MS * 2_800, MS * 30));
        assert!(lag.is_silent(handed, handed + MS * 2_801, MS * 30));
        assert!(!lag.is_silent(handed, handed + MS * 5_000, MS * 4_900), "a round trip has not passed");
        lag.note(MS * 700, handed + MS * 2_800);
        assert!(!lag.is_silent(handed, handed + MS * 5_000, MS * 30), "it has reported since");
    }
}
