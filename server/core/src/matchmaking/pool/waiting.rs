//! A ticket in the pool: when its home stated it last, how long it has waited since, and what a round looks at. `hold`
//! keeps whether it may be proposed.

use std::{sync::Arc, time::Duration};

use crate::matchmaking::ticket::Ticket;

/// A ticket of the pool.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// As it came into the pool, but for whom it avoids.
    pub(super) ticket: Arc<Ticket>,
    /// The longest waiting time that was stated.
    waited: Duration,
    /// When `waited` was true, by our clock; also the time of its last statement.
    pub(super) heard: Duration,
    /// The number of the last statement that named it.
    pub(super) number: u64,
    /// The index of its mode.
    pub(super) mode: usize,
    /// Its players.
    pub(super) size: usize,
    /// The sum of their ratings.
    pub(super) strength: i64,
    /// The mean of their ratings.
    pub(super) rating: i32,
    /// Whether it avoids anybody.
    pub(super) avoids: bool,
    /// Whether it can go anywhere, because it names no region.
    pub(super) anywhere: bool,
    /// The regions that it names, each once, with their distances.
    pub(super) reach: Box<[(u16, u32)]>,
}

impl Waiting {
    /// A ticket that came with this statement.
    pub(super) fn new(ticket: Ticket, mode: usize, reach: Box<[(u16, u32)]>, heard: Duration, number: u64) -> Self {
        let (waited, size) = (ticket.waited, ticket.party.len());
        let (strength, rating) = (ticket.strength(), ticket.rating());
        let (avoids, anywhere, ticket) = (!ticket.avoid.is_empty(), ticket.regions.is_empty(), Arc::new(ticket));
        Self { ticket, waited, heard, number, mode, size, strength, rating, avoids, anywhere, reach }
    }

    /// Takes another statement of the ticket. Statements that overtook each other never make its waiting shorter, and
    /// the newest says whom it avoids.
    pub(super) fn state_again(&mut self, heard: Duration, number: u64, ticket: Ticket) {
        let heard = heard.max(self.heard);
        self.waited = self.waited(heard).max(ticket.waited);
        self.heard = heard;
        if number >= self.number && ticket.avoid != self.ticket.avoid {
            self.avoids = !ticket.avoid.is_empty();
            self.ticket = Arc::new(ticket);
        }
        self.number = self.number.max(number);
    }

    /// How long its players have waited so far.
    pub(super) fn waited(&self, now: Duration) -> Duration {
        self.waited.saturating_add(now.saturating_sub(self.heard))
    }
}
