//! The monotonic clock of the process, as the pure crates see it: time since a fixed start.

use std::time::{Duration, Instant};

/// The clock that everything in the server shares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The current time.
    pub(crate) fn now(self) -> Duration {
        self.0.elapsed()
    }

    /// The instant at which it will be this time, for tokio's timers.
    pub(crate) fn at(self, time: Duration) -> tokio::time::Instant {
        (self.0 + time).into()
    }
}
