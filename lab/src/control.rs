//! A running line, as its rim and whoever drives it share it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use crate::{
    line::{Conditions, Line},
    profile::{Change, Profile},
};

/// What changes a running line. Clones are of the same one.
#[derive(Clone, Debug)]
pub struct Control(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    start: Instant,
    seed: u64,
    line: Mutex<Line>,
    conditions: watch::Sender<Conditions>,
}

impl Control {
    pub(crate) fn new(profile: Profile, seed: u64) -> Self {
        let line = Line::new(profile, seed);
        let conditions = watch::Sender::new(line.conditions());
        Self(Arc::new(Shared { start: Instant::now(), seed, line: Mutex::new(line), conditions }))
    }

    /// The steps of the profile count from now on.
    pub fn begin(&self) {
        self.with(Line::begin);
    }

    /// From now on it is another line; what is open stays so.
    pub fn set(&self, profile: &Profile) {
        self.with(|line, _| line.set(profile.clone()));
    }

    /// Something changes.
    pub fn change(&self, change: Change) {
        self.with(|line, _| line.change(change));
    }

    /// Takes the steps that are due.
    pub(crate) fn advance(&self) {
        if self.deadline().is_some_and(|due| due <= self.now()) {
            self.with(|_, _| {});
        }
    }

    /// When the next step is due.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.line().deadline()
    }

    /// The seed of one of its connections.
    pub(crate) fn seed_of(&self, connection: u64) -> u64 {
        self.0.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(connection)
    }

    /// The time of the line.
    pub(crate) fn now(&self) -> Duration {
        self.0.start.elapsed()
    }

    /// When that is by the clock.
    pub(crate) fn instant(&self, time: Duration) -> tokio::time::Instant {
        (self.0.start + time).into()
    }

    /// What holds, and what will.
    pub(crate) fn conditions(&self) -> watch::Receiver<Conditions> {
        self.0.conditions.subscribe()
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.line.lock()
    }

    fn with(&self, change: impl FnOnce(&mut Line, Duration)) {
        let mut line = self.line();
        let now = self.now();
        line.advance(now);
        change(&mut line, now);
        line.advance(now);
        // Sent while the line is locked: conditions arrive in their order.
        self.0.conditions.send_replace(line.conditions());
    }
}
