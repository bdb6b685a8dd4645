//! A ticket in the pool: when its home stated it last, and how long it has waited since. `hold` keeps
//! whether it may be proposed.

use std::time::Duration;

use crate::matchmaking::ticket::Ticket;

/// A ticket of the pool.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// As last stated, with the longest waiting time.
    pub(super) ticket: Ticket,
    /// When `ticket.waited` was true, by our clock; also the time of its last statement.
    pub(super) heard: Duration,
    /// The number of the last statement that named it.
    pub(super) number: u64,
}

impl Waiting {
    /// Takes another statement of the ticket. Statements that overtook each other never make its waiting shorter.
    pub(super) fn state_again(&mut self, heard: Duration, number: u64, ticket: Ticket) {
        let heard = heard.max(self.heard);
        let waited = self.waited(heard).max(ticket.waited);
        self.ticket = Ticket { waited, ..ticket };
        (self.heard, self.number) = (heard, self.number.max(number));
    }

    /// How long its players have waited so far.
    pub(super) fn waited(&self, now: Duration) -> Duration {
        self.ticket.waited.saturating_add(now.saturating_sub(self.heard))
    }
}
