//! How the server's life ends: it may drain for a while, then it stops. Said once, seen by everyone who holds a [`Stop`].

use std::sync::Arc;

use tokio::sync::{Notify, futures::Notified, watch};

/// How far the server's life is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// Nobody new comes in; rooms play on.
    Draining,
    /// Players are being told.
    Stopping,
    /// Nothing is left but to answer operators no more.
    Over,
}

/// Gives the signals.
#[derive(Clone, Debug)]
pub(crate) struct StopSender(watch::Sender<Phase>);

/// Sees the signals.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    phase: watch::Receiver<Phase>,
    /// Told of each end that a drain may wait for.
    ends: Arc<Notify>,
}

/// The two ends of a signal not yet given.
pub(crate) fn channel() -> (StopSender, Stop) {
    let (sender, receiver) = watch::channel(Phase::Running);
    (StopSender(sender), Stop { phase: receiver, ends: Arc::default() })
}

impl StopSender {
    /// From now on nobody new comes in.
    pub(crate) fn drain(&self) {
        self.raise(Phase::Draining);
    }

    /// From now on everyone stops.
    pub(crate) fn stop(&self) {
        self.raise(Phase::Stopping);
    }

    /// Everyone has stopped.
    pub(crate) fn finish(&self) {
        self.raise(Phase::Over);
    }

    /// There is no way back.
    fn raise(&self, to: Phase) {
        self.0.send_if_modified(|phase| std::mem::replace(phase, to.max(*phase)) < to);
    }
}

impl Stop {
    /// Whether nobody new comes in any more.
    pub(crate) fn is_draining(&self) -> bool {
        *self.phase.borrow() >= Phase::Draining
    }

    /// Whether the server is stopping.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.phase.borrow() >= Phase::Stopping
    }

    /// Waits until the server is draining, or stopping. Cancel-safe.
    pub(crate) async fn draining(&mut self) {
        let _ = self.phase.wait_for(|phase| *phase >= Phase::Draining).await;
    }

    /// Waits until the server is stopping. Cancel-safe. (A sender that is gone has stopped, too.)
    pub(crate) async fn requested(&mut self) {
        let _ = self.phase.wait_for(|phase| *phase >= Phase::Stopping).await;
    }

    /// Something that a drain waits for has ended: a room, or what a player had to do with a match.
    pub(crate) fn note_end(&self) {
        self.ends.notify_waiters();
    }

    /// The next end that is noted after this was called, also if it is waited for only later.
    pub(crate) fn next_end(&self) -> Notified<'_> {
        self.ends.notified()
    }

    /// Waits until everything has stopped.
    pub(crate) async fn is_over(&mut self) {
        let _ = self.phase.wait_for(|phase| *phase >= Phase::Over).await;
    }
}
