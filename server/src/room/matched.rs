//! What a room keeps of a match that was made elsewhere, without knowing who made it.

use std::fmt;

use tokio::sync::mpsc;
use uuid::Uuid;

/// A seat in a match, for the player who was matched into it.
#[derive(Debug)]
pub(crate) struct MatchSeat {
    /// Who: the secret with which the seat is resumed, too.
    pub(crate) session: Uuid,
    /// The player's team.
    pub(crate) team: u16,
    /// To be kept with the seat: dropped, it says that the seat is free again.
    pub(crate) guard: Guard,
}

/// Sends what it was given when it is dropped. It has had its place in the queue from the beginning, so that nothing is lost or
/// waited for.
pub(crate) struct Guard(Option<Box<dyn FnOnce() + Send>>);

impl Guard {
    /// Takes a place in the queue; `None` if it is full, or nobody reads it.
    pub(crate) fn reserve<T: Send + 'static>(queue: &mpsc::Sender<T>, message: T) -> Option<Self> {
        let permit = queue.clone().try_reserve_owned().ok()?;
        Some(Self(Some(Box::new(move || drop(permit.send(message))))))
    }

    /// There is nothing to say: another has taken its place.
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
