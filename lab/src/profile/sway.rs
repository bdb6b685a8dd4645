//! How the delay of a line moves over time. A pure function of the seed and the time, so that both ways and all
//! connections of a line move together.

use std::time::Duration;

use tiltyard_shared::game::Rng;

/// A movement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sway {
    /// No movement.
    None,
    /// Nothing arrives for a while, once in each period at a random moment: a radio that looks for other stations.
    Stalls {
        /// The period.
        every: Duration,
        /// The duration of a stall.
        lasts: Duration,
    },
    /// A different added delay in each period, and a burst of losses at each change: satellites that hand over.
    Handovers {
        /// The period.
        every: Duration,
        /// The maximum added delay.
        most: Duration,
        /// The time after a change in which everything sent is lost.
        burst: Duration,
    },
    /// A rise and fall between two added delays: a router's queue that others keep full.
    Wave {
        /// The minimum added delay.
        low: Duration,
        /// The maximum.
        high: Duration,
        /// The time from the minimum to the maximum.
        rise: Duration,
        /// The time from the maximum to the minimum.
        fall: Duration,
    },
}

impl Sway {
    /// The added delay for what is sent at this time.
    pub fn extra(&self, seed: u64, at: Duration) -> Duration {
        match *self {
            Self::None | Self::Stalls { .. } => Duration::ZERO,
            Self::Handovers { every, most, .. } => most.mul_f32(period(seed, at, every).2.unit()),
            Self::Wave { low, high, rise, fall } => {
                let (_, within, _) = period(seed, at, rise + fall);
                let part = if within < rise {
                    within.as_secs_f32() / rise.as_secs_f32()
                } else {
                    1.0 - (within - rise).as_secs_f32() / fall.as_secs_f32()
                };
                low + (high - low).mul_f32(part)
            }
        }
    }

    /// When something arrives that would otherwise arrive at this time.
    pub fn arrival(&self, seed: u64, at: Duration) -> Duration {
        let Self::Stalls { every, lasts } = *self else { return at };
        let (start, _, mut rng) = period(seed, at, every);
        let begin = start + every.saturating_sub(lasts).mul_f32(rng.unit());
        if (begin..begin + lasts).contains(&at) { begin + lasts } else { at }
    }

    /// Whether what is sent at this time is lost.
    pub fn loses(&self, seed: u64, at: Duration) -> bool {
        matches!(*self, Self::Handovers { every, burst, .. } if at >= every && period(seed, at, every).1 < burst)
    }

    /// The mean added delay.
    pub fn mean(&self) -> Duration {
        match *self {
            Self::None | Self::Stalls { .. } => Duration::ZERO,
            Self::Handovers { most, .. } => most / 2,
            Self::Wave { low, high, .. } => (low + high) / 2,
        }
    }
}

/// The start of the period of a time, the time since then, and the period's random numbers.
fn period(seed: u64, at: Duration, every: Duration) -> (Duration, Duration, Rng) {
    let number = (at.as_nanos() / every.as_nanos().max(1)) as u32;
    let start = every * number;
    let mut rng = Rng::new(seed ^ u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    rng.next_u32();
    (start, at - start, rng)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_stall_comes_once_in_each_period_and_holds_what_would_arrive_in_it() {
        let (every, lasts) = (1000 * MS, 100 * MS);
        let sway = Sway::Stalls { every, lasts };
        for second in 0..50 {
            let held = (0..1000).filter(|ms| sway.arrival(7, second * every + *ms * MS) != second * every + *ms * MS);
            assert!((99..=101).contains(&held.count()), "in second {second}");
        }
        assert_eq!(sway.extra(7, 300 * MS), Duration::ZERO);
    }

    #[test]
    fn a_handover_changes_the_delay_and_loses_a_burst() {
        let sway = Sway::Handovers { every: 15_000 * MS, most: 50 * MS, burst: 30 * MS };
        assert_eq!(sway.extra(3, MS), sway.extra(3, 14_999 * MS), "nothing changes within a period");
        assert_ne!(sway.extra(3, 14_999 * MS), sway.extra(3, 15_001 * MS));
        assert!(sway.loses(3, 15_010 * MS) && !sway.loses(3, 15_030 * MS) && !sway.loses(3, MS));
    }

    #[test]
    fn a_wave_goes_up_slowly_and_down_fast() {
        let sway = Sway::Wave { low: 1000 * MS, high: 2000 * MS, rise: 8000 * MS, fall: 2000 * MS };
        for (at, extra) in [(0, 1000), (4000, 1500), (8000, 2000), (9000, 1500), (10_000, 1000)] {
            assert!(sway.extra(1, at * MS).abs_diff(extra * MS) < MS, "at {at} ms");
        }
    }
}
