//! A ticket as the pool has it: when its home stated it last, and how long it has waited since. Whether it may be proposed is
//! not known here: `hold` knows.

use std::time::Duration;

use crate::matchmaking::ticket::Ticket;

/// A ticket of the pool.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// As it was last stated, with the longest waiting.
    pub(super) ticket: Ticket,
    /// When `ticket.waited` was true, by our clock; also when it was last stated.
    pub(super) heard: Duration,
    /// The number of the statement that named it last.
    pub(super) number: u64,
}

impl Waiting {
    /// Its home named it once more. Statements that overtook each other never make the waiting shorter.
    pub(super) fn state_again(&mut self, heard: Duration, number: u64, ticket: Ticket) {
        let heard = heard.max(self.heard);
        let waited = self.waited(heard).max(ticket.waited);
        self.ticket = Ticket { waited, ..ticket };
        (self.heard, self.number) = (heard, self.number.max(number));
    }

    /// How long its players have waited by now.
    pub(super) fn waited(&self, now: Duration) -> Duration {
        self.ticket.waited.saturating_add(now.saturating_sub(self.heard))
    }
}
