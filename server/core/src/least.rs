//! The least of recent measurements: what a line takes when nothing is in the way.

use std::time::Duration;

/// The least value of a window of time. The window is divided in halves, of which three are kept, so a value counts for
/// the window and up to half a window more. While nothing is measured, the last value stays.
#[derive(Clone, Copy, Debug)]
pub struct Least {
    /// The least value of each half in microseconds, the present half first.
    halves: [u32; 3],
    /// When the present half began.
    began: Duration,
}

const NONE: u32 = u32::MAX;

impl Default for Least {
    fn default() -> Self {
        Self { halves: [NONE; 3], began: Duration::ZERO }
    }
}

impl Least {
    /// Takes a value measured now. `window` must be the same each time.
    #[inline]
    pub fn note(&mut self, value: Duration, now: Duration, window: Duration) {
        let micros = value.as_secs().saturating_mul(1_000_000) + u64::from(value.subsec_micros());
        let value = micros.min(u64::from(NONE - 1)) as u32;
        let (half, passed) = (window / 2, now.saturating_sub(self.began));
        let [present, before, _] = self.halves;
        if passed < half {
            self.halves[0] = present.min(value);
            return;
        }
        self.halves = match passed {
            _ if passed < half * 2 => [value, present, before],
            _ if passed < half * 3 => [value, NONE, present],
            _ => [value, NONE, NONE],
        };
        self.began = now - Duration::from_micros((passed.as_micros() % half.as_micros().max(1)) as u64);
    }

    /// The least value, if any was measured.
    pub fn get(&self) -> Option<Duration> {
        let [a, b, c] = self.halves;
        let least = a.min(b).min(c);
        (least != NONE).then(|| Duration::from_micros(least.into()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WINDOW: Duration = Duration::from_millis(2_000);

    proptest! {
        #[test]
        fn it_is_the_least_of_the_window_and_of_at_most_half_a_window_more(
            steps in prop::collection::vec((0u64..1_500, 1u64..5_000), 1..60)
        ) {
            let (mut least, mut now, mut all) = (Least::default(), Duration::ZERO, Vec::new());
            prop_assert_eq!(least.get(), None);
            for (pause, value) in steps {
                now += Duration::from_millis(pause);
                let value = Duration::from_millis(value);
                all.push((now, value));
                least.note(value, now, WINDOW);
                let since = |age: Duration| {
                    let young = all.iter().filter(|(at, _)| now - *at <= age);
                    young.map(|(_, value)| *value).min().expect("the last is young")
                };
                let got = least.get().expect("there is one");
                prop_assert!(got <= since(WINDOW) && got >= since(WINDOW * 3 / 2), "{:?}", least);
            }
        }
    }
}
