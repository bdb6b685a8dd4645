//! The opening of a connection: a SYN that is repeated after 1, 3, 7, 15, 31 and 63 s while nothing passes, and the
//! round trip of its answer. Pure.

use std::time::Duration;

use tiltyard_shared::game::Rng;

use crate::line::Conditions;

/// The wait after the first attempt; doubled each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The number of attempts.
const ATTEMPTS: u32 = 7;

/// A connection that is being opened.
#[derive(Debug)]
pub struct Opening {
    next: Duration,
    made: u32,
    rng: Rng,
}

/// The outcome of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The connection is open from this time on.
    Open(Duration),
    /// The next attempt is at this time.
    Again(Duration),
    /// There are no more attempts.
    Failed,
}

impl Opening {
    /// Starts to open a connection.
    pub fn new(now: Duration, seed: u64) -> Self {
        Self { next: now, made: 0, rng: Rng::new(seed) }
    }

    /// Makes the attempt that is due now under these conditions.
    pub fn attempt(&mut self, conditions: &Conditions) -> Outcome {
        let is_lost = [conditions.up, conditions.down].map(|way| self.rng.chance(way.direction.loss)).contains(&true);
        if conditions.answers() && !is_lost {
            return Outcome::Open(self.next + conditions.up.round_trip);
        }
        self.next += FIRST_WAIT * 2u32.pow(self.made);
        self.made += 1;
        if self.made < ATTEMPTS { Outcome::Again(self.next) } else { Outcome::Failed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        line::Line,
        profile::{Change, Profile},
    };

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_connection_costs_a_round_trip() {
        let line = Line::new(Profile::named("satellite").unwrap(), 1);
        let mut opening = Opening::new(500 * MS, 1);
        assert_eq!(opening.attempt(&line.conditions()), Outcome::Open(1100 * MS));
    }

    #[test]
    fn what_is_opened_in_a_hole_comes_alive_on_the_grid_of_retries() {
        let mut line = Line::new(Profile::named("good").unwrap(), 1);
        line.change(Change::Hang);
        let mut opening = Opening::new(Duration::ZERO, 1);
        for second in [1, 3, 7] {
            assert_eq!(opening.attempt(&line.conditions()), Outcome::Again(second * 1000 * MS));
        }
        line.change(Change::Resume);
        assert_eq!(opening.attempt(&line.conditions()), Outcome::Open(7028 * MS));
    }

    #[test]
    fn attempts_end() {
        let mut line = Line::new(Profile::named("good").unwrap(), 1);
        line.change(Change::Hang);
        let mut opening = Opening::new(Duration::ZERO, 1);
        let failed = (0..).find(|_| opening.attempt(&line.conditions()) == Outcome::Failed);
        assert_eq!(failed, Some(6));
    }
}
