//! The signal that the server is stopping: given once, seen by everyone who holds a [`Stop`].

use tokio::sync::watch;

/// How far the server's life is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// Players are being told.
    Stopping,
    /// Nothing is left but to answer operators no more.
    Over,
}

/// Gives the signal.
#[derive(Debug)]
pub(crate) struct StopSender(watch::Sender<Phase>);

/// Sees the signal.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<Phase>);

/// The two ends of a signal not yet given.
pub(crate) fn channel() -> (StopSender, Stop) {
    let (sender, receiver) = watch::channel(Phase::Running);
    (StopSender(sender), Stop(receiver))
}

impl StopSender {
    /// From now on everyone stops.
    pub(crate) fn stop(&self) {
        self.0.send_replace(Phase::Stopping);
    }

    /// Everyone has stopped.
    pub(crate) fn finish(&self) {
        self.0.send_replace(Phase::Over);
    }
}

impl Stop {
    /// Whether the server is stopping.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.borrow() >= Phase::Stopping
    }

    /// Waits until the server is stopping. Cancel-safe. (A sender that is gone has stopped, too.)
    pub(crate) async fn requested(&mut self) {
        let _ = self.0.wait_for(|phase| *phase >= Phase::Stopping).await;
    }

    /// Waits until everything has stopped.
    pub(crate) async fn is_over(&mut self) {
        let _ = self.0.wait_for(|phase| *phase >= Phase::Over).await;
    }
}
