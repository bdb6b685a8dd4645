//! The end of the server's life: it may drain for a while, then it stops. Signalled once, seen by everyone who holds a
//! [`Stop`].

use std::sync::Arc;

use tokio::sync::{Notify, futures::Notified, watch};

/// The phase of the server's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// Nobody new is taken; rooms play on.
    Draining,
    /// Players are being told.
    Stopping,
    /// Only the operators' port is still to be closed.
    Over,
}

/// Gives the signals.
#[derive(Clone, Debug)]
pub(crate) struct StopSender(watch::Sender<Phase>);

/// Sees the signals.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    phase: watch::Receiver<Phase>,
    /// Notified of each end that a drain may wait for.
    ends: Arc<Notify>,
}

/// Creates a signal and its receiver.
pub(crate) fn channel() -> (StopSender, Stop) {
    let (sender, receiver) = watch::channel(Phase::Running);
    (StopSender(sender), Stop { phase: receiver, ends: Arc::default() })
}

impl StopSender {
    /// Starts to drain: nobody new is taken from now on.
    pub(crate) fn drain(&self) {
        self.raise(Phase::Draining);
    }

    /// Starts to stop everything.
    pub(crate) fn stop(&self) {
        self.raise(Phase::Stopping);
    }

    /// Notes that everything has stopped.
    pub(crate) fn finish(&self) {
        self.raise(Phase::Over);
    }

    /// Phases only advance.
    fn raise(&self, to: Phase) {
        self.0.send_if_modified(|phase| std::mem::replace(phase, to.max(*phase)) < to);
    }
}

impl Stop {
    /// Whether the server takes nobody new any more.
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

    /// Waits until the server is stopping. Cancel-safe. (If the sender is gone, it has stopped too.)
    pub(crate) async fn requested(&mut self) {
        let _ = self.phase.wait_for(|phase| *phase >= Phase::Stopping).await;
    }

    /// Notes the end of something that a drain waits for: a room, or a player's search or seat in a match.
    pub(crate) fn note_end(&self) {
        self.ends.notify_waiters();
    }

    /// Waits for the next end noted after this call, also if the future is polled only later.
    pub(crate) fn next_end(&self) -> Notified<'_> {
        self.ends.notified()
    }

    /// Waits until everything has stopped.
    pub(crate) async fn is_over(&mut self) {
        let _ = self.phase.wait_for(|phase| *phase >= Phase::Over).await;
    }
}
