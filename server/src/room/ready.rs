//! Which of a room's sockets have something to read: an event queue of the room's own, asked at each scan, never waited for.
//!
//! The runtime of the shard does not know these sockets: what players send wakes nobody, however many there are, and a scan
//! costs one system call and a read for each socket that has something. Events are edges: who was told of once is not told
//! of again before more arrives, so a socket that was not read to its end is remembered with [`Ready::again`].

use std::{io, time::Duration};

use mio::{Events, Poll, Registry, Token};

/// Events that the kernel tells at a time; it is asked until there are fewer.
const EVENTS: usize = 256;

/// The event queue of a room.
#[derive(Debug)]
pub(crate) struct Ready {
    poll: Poll,
    events: Events,
    /// Places to look at in the next scan, some perhaps twice. At most one for each event and one for each `again`.
    places: Vec<usize>,
}

impl Ready {
    /// Watches nothing yet.
    ///
    /// # Errors
    ///
    /// If the system gives no event queue.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { poll: Poll::new()?, events: Events::with_capacity(EVENTS), places: Vec::new() })
    }

    /// Where sockets are entered, each with the [`Token`] of its place.
    pub(crate) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    /// A socket is to be looked at again, whatever arrives.
    pub(crate) fn again(&mut self, place: usize) {
        self.places.push(place);
    }

    /// Moves the places of all sockets that are to be looked at into an empty list. Does not wait.
    pub(crate) fn take(&mut self, places: &mut Vec<usize>) {
        std::mem::swap(&mut self.places, places);
        // An interrupted call tells nothing; the next scan is told.
        while self.poll.poll(&mut self.events, Some(Duration::ZERO)).is_ok() {
            places.extend(self.events.iter().map(|event| event.token().0));
            if self.events.iter().count() < EVENTS {
                break;
            }
        }
    }
}

/// The name of a place in the queue.
pub(crate) fn token(place: usize) -> Token {
    Token(place)
}
