//! A token bucket: how often a client may do something.

use std::time::Duration;

/// Gives one token in each interval, and keeps so many that a burst is taken.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    interval: Duration,
    /// Saved waiting: a token costs an interval.
    credit: Duration,
    most: Duration,
    filled: Duration,
}

impl Bucket {
    /// A full bucket of `burst` tokens, which gets a new one in each interval.
    pub fn new(burst: u32, interval: Duration, now: Duration) -> Self {
        let most = interval.saturating_mul(burst);
        Self { interval, credit: most, most, filled: now }
    }

    /// A full bucket that gives so many tokens a second for long, and a burst of twice as many.
    pub fn per_second(rate: u32, now: Duration) -> Self {
        let rate = rate.max(1);
        Self::new(2 * rate, Duration::from_secs(1) / rate, now)
    }

    /// Takes a token out; false if there is none.
    pub fn take(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.filled);
        self.filled = self.filled.max(now);
        self.credit = self.credit.saturating_add(passed).min(self.most);
        match self.credit.checked_sub(self.interval) {
            Some(rest) => self.credit = rest,
            None => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_twice_the_rate_is_taken_and_then_the_rate() {
        let start = Duration::from_secs(7);
        let mut bucket = Bucket::per_second(200, start);
        assert_eq!((0..1000).filter(|_| bucket.take(start)).count(), 400);
        let taken = (1..=1000).filter(|millis| bucket.take(start + Duration::from_millis(*millis))).count();
        assert_eq!(taken, 200);
    }

    #[test]
    fn a_clock_that_stands_still_fills_nothing() {
        let mut bucket = Bucket::per_second(1, Duration::ZERO);
        assert_eq!((0..10).filter(|_| bucket.take(Duration::ZERO)).count(), 2);
    }

    #[test]
    fn slow_things_have_long_intervals() {
        let mut bucket = Bucket::new(2, Duration::from_secs(5), Duration::ZERO);
        assert_eq!((0..10).filter(|_| bucket.take(Duration::ZERO)).count(), 2);
        assert!(!bucket.take(Duration::from_secs(4)));
        assert!(bucket.take(Duration::from_secs(5)));
    }
}
