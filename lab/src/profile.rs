//! The properties of a line in numbers: each way, and what changes in the course of a game. The behaviour is in
//! [`Way`](crate::Way), the named profiles in `named`.

use std::time::Duration;

use tiltyard_shared::game::Rng;

mod named;
mod script;
mod sway;

pub use script::{Change, ParseChangeError, Step, Ways};
pub use sway::Sway;

/// A line between a player and a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Its name: `step-up-600-both`.
    pub name: String,
    /// From the server to the player.
    pub down: Direction,
    /// From the player to the server.
    pub up: Direction,
    /// The changes in mid-game, by time.
    pub steps: Vec<Step>,
    /// The length of a game that shows all of its effects.
    pub length: Duration,
}

/// One way of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Direction {
    /// The minimum delay.
    pub delay: Duration,
    /// The added delay that is drawn for each push.
    pub spread: Spread,
    /// The added delay that varies over time.
    pub sway: Sway,
    /// Bytes per second; `None` for no limit.
    pub rate: Option<u32>,
    /// The capacity of the queue before the bottleneck, as the time in which it passes. A sender waits while it is
    /// full.
    pub queue: Duration,
    /// The fraction of segments that are lost. TCP repeats them, which takes its time.
    pub loss: f32,
}

/// How the delay of single packets varies. Their order is kept all the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spread {
    /// Not at all.
    None,
    /// Uniformly distributed from zero to this.
    Uniform(Duration),
    /// Piecewise linear between these fractions and their milliseconds; the first fraction is 0, the last 1.
    Quantiles(&'static [(f32, f32)]),
}

impl Spread {
    /// Draws a delay.
    pub fn draw(&self, rng: &mut Rng) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Uniform(most) => most.mul_f32(rng.unit()),
            Self::Quantiles(points) => Duration::from_secs_f32(quantile(points, rng.unit()) / 1000.0),
        }
    }

    /// The mean delay.
    pub fn mean(&self) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Uniform(most) => *most / 2,
            Self::Quantiles(points) => {
                let part = |pair: &[(f32, f32)]| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0;
                Duration::from_secs_f32(points.windows(2).map(part).sum::<f32>() / 1000.0)
            }
        }
    }
}

fn quantile(points: &[(f32, f32)], share: f32) -> f32 {
    let Some(&[(low, from), (high, to)]) = points.windows(2).find(|pair| share <= pair[1].0) else { return 0.0 };
    from + (to - from) * (share - low) / (high - low)
}

impl Direction {
    /// A way without any delay.
    pub const OPEN: Self = Self {
        delay: Duration::ZERO,
        spread: Spread::None,
        sway: Sway::None,
        rate: None,
        queue: Duration::from_millis(100),
        loss: 0.0,
    };
}

impl Profile {
    /// The profile with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|profile| profile.name == name)
    }

    /// All named profiles, in the order of the table.
    pub fn all() -> Vec<Self> {
        named::all()
    }

    /// The delay of both ways, without what varies.
    pub fn round_trip(&self) -> Duration {
        self.down.delay + self.up.delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn names_are_unlike_and_steps_come_in_their_order_before_the_end() {
        let all = Profile::all();
        for (index, profile) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|other| other.name != profile.name), "{} is there twice", profile.name);
            assert!(profile.steps.is_sorted_by_key(|step| step.at), "{}", profile.name);
            assert!(profile.steps.iter().all(|step| step.at < profile.length), "{}", profile.name);
        }
        assert_eq!(Profile::named("3g").unwrap().round_trip(), 200 * MS, "300 less what its jitter adds on average");
        assert_eq!(Profile::named("nowhere"), None);
    }

    #[test]
    fn quantiles_are_met() {
        let mut rng = Rng::new(1);
        let wifi = Profile::named("wifi").unwrap().down.spread;
        let mut drawn: Vec<_> = (0..10_000).map(|_| wifi.draw(&mut rng)).collect();
        drawn.sort();
        assert!(drawn[5_000].abs_diff(3 * MS) < MS, "the median is {:?}", drawn[5_000]);
        assert!(drawn[9_000].abs_diff(20 * MS) < 4 * MS, "the 90th percentile is {:?}", drawn[9_000]);
        assert!(drawn[9_900].abs_diff(250 * MS) < 40 * MS, "the 99th percentile is {:?}", drawn[9_900]);
    }
}
