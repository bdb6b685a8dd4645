//! The waits between attempts: exponential backoff with jitter. Pure. As `web/sdk/backoff.js`.
//!
//! Waits stay short at first, when somebody sits in a tunnel and waits to play on; later they grow with the time away,
//! so that coming back never takes much longer than that.

use std::time::Duration;

/// Waits may grow up to this from the start.
const SHORT: Duration = Duration::from_millis(660);

/// A longer wait is at most the time away divided by this.
const PART: u32 = 40;

/// How a client that lost its connection tries again.
#[derive(Clone, Debug)]
pub struct Backoff {
    /// The first wait, doubled with each further attempt. Default 200 ms.
    pub first: Duration,
    /// The longest wait, before the jitter. Default 10 s.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(200), longest: Duration::from_secs(10) }
    }
}

impl Backoff {
    /// Returns the wait before this attempt (the first is 1) after so much time without a connection. Half more or less
    /// at random, so that a thousand clients of one lost server do not come back at once. `random` is from 0 up to 1.
    pub fn wait(&self, attempt: u32, away: Duration, random: f64) -> Duration {
        let doubled = 1u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let grown = self.first.max(SHORT).max(away / PART);
        self.first.saturating_mul(doubled).min(grown).min(self.longest).mul_f64(0.5 + random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn waits_differ_by_half_more_or_less_and_grow_with_the_time_away() {
        let backoff = Backoff::default();
        for (attempt, away, random, wait) in [
            (1, 0, 0.0, 100),
            (1, 0, 1.0, 300),
            (2, 0, 0.5, 400),
            (9, 0, 0.5, 660),
            (9, 80_000, 0.5, 2000),
            (99, 1_000_000_000, 0.5, 10_000),
            (u32::MAX, 0, 0.5, 660),
        ] {
            assert_eq!(backoff.wait(attempt, away * MS, random), wait * MS, "attempt {attempt} after {away} ms");
        }
        let patient = Backoff { first: 5000 * MS, ..backoff };
        assert_eq!(patient.wait(1, Duration::ZERO, 0.5), 5000 * MS);
    }
}
