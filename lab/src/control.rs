//! The handle to a running line, shared by the rim and the drivers.

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

/// Changes a running line. Clones refer to the same line.
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

    /// Starts the steps of the profile.
    pub fn begin(&self) {
        self.with(Line::begin);
    }

    /// Changes the line to another profile; open connections stay open.
    pub fn set(&self, profile: &Profile) {
        self.with(|line, _| line.set(profile.clone()));
    }

    /// Changes the line.
    pub fn change(&self, change: Change) {
        self.with(|line, _| line.change(change));
    }

    /// Takes the steps that are due.
    pub(crate) fn advance(&self) {
        if self.deadline().is_some_and(|due| due <= self.now()) {
            self.with(|_, _| {});
        }
    }

    /// The time of the next step.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.line().deadline()
    }

    /// The seed of a connection.
    pub(crate) fn seed_of(&self, connection: u64) -> u64 {
        self.0.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(connection)
    }

    /// The time of the line.
    pub(crate) fn now(&self) -> Duration {
        self.0.start.elapsed()
    }

    /// Converts a time of the line to an instant.
    pub(crate) fn instant(&self, time: Duration) -> tokio::time::Instant {
        (self.0.start + time).into()
    }

    /// Watches the conditions of the line.
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
        // Sent while the line is locked, so that conditions arrive in order.
        self.0.conditions.send_replace(line.conditions());
    }
}
