//! When to try again: exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", 2015). Pure.

use std::time::Duration;

use tiltyard_shared::game::Rng;

/// How a client that lost its connection tries again.
#[derive(Clone, Debug)]
pub struct Backoff {
    /// The bound of the first wait, doubled with each further attempt. Default 200 ms.
    pub first: Duration,
    /// No wait is longer. Default 10 s.
    pub longest: Duration,
    /// So many attempts fail before the client gives up. Default 12.
    pub attempts: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(200), longest: Duration::from_secs(10), attempts: 12 }
    }
}

impl Backoff {
    /// How long to wait before this attempt (the first is 1): anything between a tenth of the bound and the bound, so that
    /// a thousand clients of one lost server do not come back as one. `None` when it is time to give up.
    pub fn wait(&self, attempt: u32, rng: &mut Rng) -> Option<Duration> {
        if attempt > self.attempts {
            return None;
        }
        let doubled = 1u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let bound = self.first.saturating_mul(doubled).min(self.longest);
        Some(bound.mul_f32(rng.between(0.1, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_within_their_bounds_and_end() {
        let (backoff, mut rng) = (Backoff::default(), Rng::new(1));
        for attempt in 1..=backoff.attempts {
            let bound = (backoff.first * 2u32.pow(attempt - 1)).min(backoff.longest);
            let wait = backoff.wait(attempt, &mut rng).unwrap();
            assert!(wait >= bound / 11 && wait <= bound, "attempt {attempt}: {wait:?} of {bound:?}");
        }
        assert_eq!(backoff.wait(backoff.attempts + 1, &mut rng), None);
        let patient = Backoff { attempts: u32::MAX, ..backoff };
        assert!(patient.wait(u32::MAX, &mut rng).unwrap() <= patient.longest);
    }
}
