//! A token bucket: how many messages a client may send.

use std::time::Duration;

/// Takes `rate` messages a second for long, and a burst of twice as many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    rate: u32,
    /// In nanoseconds of waiting: a message costs a second divided by the rate.
    credit: u64,
    filled: Duration,
}

const SECOND: u64 = 1_000_000_000;

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(rate: u32, now: Duration) -> Self {
        Self { rate: rate.max(1), credit: 2 * SECOND, filled: now }
    }

    /// Takes a message out; false if there is none.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        let passed = u64::try_from(now.saturating_sub(self.filled).as_nanos()).unwrap_or(u64::MAX);
        self.filled = self.filled.max(now);
        self.credit = self.credit.saturating_add(passed).min(2 * SECOND);
        let price = SECOND / u64::from(self.rate);
        match self.credit.checked_sub(price) {
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
        let mut bucket = Bucket::new(200, start);
        assert_eq!((0..1000).filter(|_| bucket.take(start)).count(), 400);
        let taken = (1..=1000).filter(|millis| bucket.take(start + Duration::from_millis(*millis))).count();
        assert_eq!(taken, 200);
    }

    #[test]
    fn a_clock_that_stands_still_fills_nothing() {
        let mut bucket = Bucket::new(1, Duration::ZERO);
        assert_eq!((0..10).filter(|_| bucket.take(Duration::ZERO)).count(), 2);
    }
}
