//! What an instance's end of the bus counts: plain counters, read by whoever exports them.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{BusError, Payload, Unreadable};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// How many there have been.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Everything counted since the process began.
#[derive(Debug, Default)]
pub struct Counts {
    /// Messages that the bus confirmed.
    pub confirmed: Count,
    /// Messages that came back because nobody takes them.
    pub returned: Count,
    /// Messages refused because a queue was full, here or at the broker.
    pub full: Count,
    /// Messages sent and not confirmed.
    pub unconfirmed: Count,
    /// Messages not sent because the broker was away.
    pub away: Count,
    /// Requests made.
    pub requests: Count,
    /// Requests without a reply before their deadline.
    pub late: Count,
    /// Requests that their receiver did not understand.
    pub not_understood: Count,
    /// Deliveries handed out.
    pub delivered: Count,
    /// Deliveries that had been handed out before, here or elsewhere.
    pub redelivered: Count,
    /// Commands dropped because their deadline had passed. Many of them mean that the clocks of instances disagree.
    pub expired: Count,
    /// Events dropped for a mailbox that did not take them; RabbitMQ does not tell, so only in memory.
    pub dropped: Count,
    /// Replies that no request waited for any more.
    pub unexpected: Count,
    /// Deliveries and replies of a newer version: while a fleet is updated there are some.
    pub newer: Count,
    /// Deliveries of which nothing is known here, or parts of them.
    pub passed_over: Count,
    /// Dead letters because they were too large.
    pub oversized: Count,
    /// Dead letters because of the version of their envelope.
    pub unknown_version: Count,
    /// Dead letters because they were not what they should be.
    pub malformed: Count,
    /// Dead letters for a reason of their receiver.
    pub rejected: Count,
    /// Times that the broker was connected.
    pub connected: Count,
    /// Times that a connection was lost or could not be made.
    pub disconnected: Count,
}

impl Counts {
    /// The outcome of a publish, however it was made.
    pub(super) fn outcome(&self, outcome: Result<(), BusError>) {
        match outcome {
            Ok(()) => self.confirmed.add(),
            Err(BusError::Unroutable) => self.returned.add(),
            Err(BusError::Full | BusError::TooLarge) => self.full.add(),
            Err(BusError::Unconfirmed) => self.unconfirmed.add(),
            Err(BusError::Away) => self.away.add(),
            Err(BusError::Late) => self.late.add(),
            Err(BusError::NotUnderstood) => self.not_understood.add(),
        }
    }

    /// The reply to a request of ours.
    pub(super) fn reply(&self, reply: Payload) -> Result<Payload, BusError> {
        if reply.is_newer() == Ok(true) {
            self.newer.add();
        }
        reply.understood()
    }

    /// A dead letter; `None` is a reason of its receiver.
    pub(super) fn dead(&self, reason: Option<Unreadable>) {
        match reason {
            Some(Unreadable::Oversized) => self.oversized.add(),
            Some(Unreadable::UnknownVersion) => self.unknown_version.add(),
            Some(Unreadable::Malformed | Unreadable::Newer) => self.malformed.add(),
            None => self.rejected.add(),
        }
    }
}
