//! A token bucket: limits how often a client may do something.

use std::time::Duration;

/// Gains one token per interval, up to the size of a burst. Counts in nanoseconds, because a bucket is asked for each
/// message; they last for 500 years.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    interval: u64,
    /// Nanoseconds saved up; a token costs an interval.
    credit: u64,
    most: u64,
    filled: u64,
}

fn nanos(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000_000).saturating_add(time.subsec_nanos().into())
}

impl Bucket {
    /// A full bucket of `burst` tokens that gains one per interval.
    pub fn new(burst: u32, interval: Duration, now: Duration) -> Self {
        let interval = nanos(interval);
        let most = interval.saturating_mul(burst.into());
        Self { interval, credit: most, most, filled: nanos(now) }
    }

    /// A full bucket that sustains `rate` tokens a second, with bursts of twice as many.
    pub fn per_second(rate: u32, now: Duration) -> Self {
        let rate = rate.max(1);
        Self::new(2 * rate, Duration::from_secs(1) / rate, now)
    }

    /// Takes a token; false if there is none.
    #[inline]
    pub fn take(&mut self, now: Duration) -> bool {
        self.take_all(1, now)
    }

    /// Takes `count` tokens, or none and returns false if there are fewer.
    #[inline]
    pub fn take_all(&mut self, count: usize, now: Duration) -> bool {
        let now = nanos(now);
        let passed = now.saturating_sub(self.filled);
        self.filled = self.filled.max(now);
        self.credit = self.credit.saturating_add(passed).min(self.most);
        let price = self.interval.saturating_mul(count as u64);
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
        let mut bucket = Bucket::per_second(200, start);
        assert_eq!((0..1000).filter(|_| bucket.take(start)).count(), 400);
        let taken = (1..=1000).filter(|millis| bucket.take(start + Duration::from_millis(*millis))).count();
        assert_eq!(taken, 200);
    }

    #[test]
    fn a_long_silence_saves_no_more_than_a_burst() {
        let mut bucket = Bucket::per_second(200, Duration::ZERO);
        let later = Duration::from_secs(3_600);
        assert_eq!((0..1000).filter(|_| bucket.take(later)).count(), 400);
    }

    #[test]
    fn several_are_taken_at_once_or_none() {
        let mut bucket = Bucket::per_second(10, Duration::ZERO);
        assert!(bucket.take_all(15, Duration::ZERO));
        assert!(!bucket.take_all(6, Duration::ZERO));
        assert!(bucket.take_all(5, Duration::ZERO) && bucket.take_all(0, Duration::ZERO));
        assert!(!bucket.take(Duration::ZERO) && !bucket.take_all(usize::MAX, Duration::ZERO));
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
