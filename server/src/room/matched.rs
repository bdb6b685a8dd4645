//! A room's knowledge of a match that was made elsewhere. It does not know who made it.

use std::fmt;

use tokio::sync::mpsc;
use uuid::Uuid;

/// A seat in a match, for a matched player.
#[derive(Debug)]
pub(crate) struct MatchSeat {
    /// The player's session. It is also the secret to resume the seat.
    pub(crate) session: Uuid,
    /// The player's team.
    pub(crate) team: u16,
    /// Kept with the seat. Dropping it reports that the seat is free again.
    pub(crate) guard: Guard,
}

/// Sends a message when it is dropped. Its place in the queue is reserved from the beginning, so that the message is
/// never lost and never waits.
pub(crate) struct Guard(Option<Box<dyn FnOnce() + Send>>);

impl Guard {
    /// Reserves a place in the queue; `None` if the queue is full or closed.
    pub(crate) fn reserve<T: Send + 'static>(queue: &mpsc::Sender<T>, message: T) -> Option<Self> {
        let permit = queue.clone().try_reserve_owned().ok()?;
        Some(Self(Some(Box::new(move || drop(permit.send(message))))))
    }

    /// Drops it without the message, because another has taken its place.
    pub(crate) fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(send) = self.0.take() {
            send();
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guard").finish_non_exhaustive()
    }
}
