//! The monotonic clock of the process, as the pure crates see it: time since a fixed start.

use std::time::{Duration, Instant};

/// A clock that everything in the server shares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time.
    pub(crate) fn now(self) -> Duration {
        self.0.elapsed()
    }

    /// When it will be so late, as tokio's timers want it.
    pub(crate) fn at(self, time: Duration) -> tokio::time::Instant {
        (self.0 + time).into()
    }
}
