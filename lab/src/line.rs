//! The present conditions of a line: its profile with all changes so far. Pure: times count from the start of the line.

use std::time::Duration;

use crate::profile::{Change, Direction, Profile, Ways};

/// The present conditions of one way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// The way of the profile, with the delay that steps have added.
    pub direction: Direction,
    /// The round trip as measured by TCP.
    pub round_trip: Duration,
    /// What passes.
    pub flow: Flow,
    /// The seed of the line: its movements are the same for all ways and connections.
    pub seed: u64,
}

/// What passes on a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Everything.
    Open,
    /// Only what TCP sends without answers.
    Unanswered,
    /// Nothing.
    Silent,
}

/// The present conditions of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// From the server to the player.
    pub down: Terms,
    /// From the player to the server.
    pub up: Terms,
    /// Whether new connections are not answered.
    pub hangs: bool,
    /// How many times all open connections have been reset.
    pub cuts: u64,
}

impl Conditions {
    /// Whether a request for a connection is answered.
    pub fn answers(&self) -> bool {
        !self.hangs && self.down.flow == Flow::Open && self.up.flow == Flow::Open
    }
}

/// A line and its changes in the course of a game.
#[derive(Clone, Debug)]
pub struct Line {
    profile: Profile,
    seed: u64,
    /// The added delays: down, up.
    added: (Duration, Duration),
    silent: Option<Ways>,
    hangs: bool,
    cuts: u64,
    /// When the steps were started, and how many have been taken.
    began: Option<(Duration, usize)>,
}

impl Line {
    /// A line with this profile, whose steps have not started.
    pub fn new(profile: Profile, seed: u64) -> Self {
        Self { profile, seed, added: Default::default(), silent: None, hangs: false, cuts: 0, began: None }
    }

    /// Starts the steps of the profile unless they have started already.
    pub fn begin(&mut self, now: Duration) {
        self.began.get_or_insert((now, 0));
    }

    /// Changes the line to another profile, whose steps have not started. Open connections stay open.
    pub fn set(&mut self, profile: Profile) {
        *self = Self { cuts: self.cuts, ..Self::new(profile, self.seed) };
    }

    /// Changes the line.
    pub fn change(&mut self, change: Change) {
        match change {
            Change::Delay { down, up } => self.added = (down, up),
            Change::Silence(ways) => self.silent = Some(ways),
            Change::Hang => self.hangs = true,
            Change::Resume => (self.silent, self.hangs) = (None, false),
            Change::Cut => self.cuts += 1,
        }
    }

    /// Takes the steps that are due.
    pub fn advance(&mut self, now: Duration) {
        while self.deadline().is_some_and(|due| due <= now) {
            let Some((_, taken)) = &mut self.began else { return };
            let change = self.profile.steps[*taken].change;
            *taken += 1;
            self.change(change);
        }
    }

    /// The time of the next step.
    pub fn deadline(&self) -> Option<Duration> {
        let (began, taken) = self.began?;
        Some(began + self.profile.steps.get(taken)?.at)
    }

    /// The present conditions.
    pub fn conditions(&self) -> Conditions {
        let (down_added, up_added) = self.added;
        let slower = |way: Direction, added| Direction { delay: way.delay + added, ..way };
        let (down, up) = (slower(self.profile.down, down_added), slower(self.profile.up, up_added));
        let usual = |way: Direction| way.delay + way.spread.mean() + way.sway.mean();
        let round_trip = usual(down) + usual(up);
        let flow = |of: fn(Ways) -> bool| match self.silent {
            None => Flow::Open,
            Some(ways) if of(ways) => Flow::Silent,
            Some(_) => Flow::Unanswered,
        };
        let terms = |direction, flow| Terms { direction, round_trip, flow, seed: self.seed };
        Conditions {
            down: terms(down, flow(Ways::has_down)),
            up: terms(up, flow(Ways::has_up)),
            hangs: self.hangs,
            cuts: self.cuts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn steps_are_taken_at_their_time_after_the_beginning() {
        let mut line = Line::new(Profile::named("step-up-600").unwrap(), 1);
        let delay = |line: &Line| line.conditions().down.direction.delay;
        let before = delay(&line);
        line.advance(90_000 * MS);
        assert_eq!((delay(&line), line.deadline()), (before, None), "it has not begun");
        line.begin(100_000 * MS);
        line.advance(114_999 * MS);
        assert_eq!(delay(&line), before);
        line.advance(115_000 * MS);
        assert_eq!(delay(&line), before + 600 * MS);
        assert_eq!(line.conditions().round_trip(), 628 * MS, "both ways know");
    }

    #[test]
    fn what_is_silent_one_way_passes_the_other_unanswered_and_answers_nobody() {
        let mut line = Line::new(Profile::named("good").unwrap(), 1);
        line.change(Change::Silence(Ways::Up));
        let conditions = line.conditions();
        assert_eq!((conditions.up.flow, conditions.down.flow), (Flow::Silent, Flow::Unanswered));
        assert!(!conditions.answers());
        line.change(Change::Resume);
        assert!(line.conditions().answers());
    }

    impl Conditions {
        fn round_trip(&self) -> Duration {
            assert_eq!(self.down.round_trip, self.up.round_trip);
            self.up.round_trip
        }
    }
}
