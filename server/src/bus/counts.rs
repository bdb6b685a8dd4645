//! The counters of an instance's end of the bus. They are plain numbers; exporting them is the reader's business.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{BusError, Payload, Unreadable};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// The current value.
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
    /// Messages returned because no queue takes them.
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
    /// Events dropped because a mailbox did not take them. Only the bus in memory counts these: RabbitMQ does not
    /// report them.
    pub dropped: Count,
    /// Replies for which no request was waiting any more.
    pub unexpected: Count,
    /// Deliveries and replies of a newer version. Some are normal while a fleet is updated.
    pub newer: Count,
    /// Deliveries, or parts of them, of a kind that is unknown here.
    pub passed_over: Count,
    /// Dead letters that were too large.
    pub oversized: Count,
    /// Dead letters with an unknown envelope version.
    pub unknown_version: Count,
    /// Dead letters that could not be decoded.
    pub malformed: Count,
    /// Dead letters that their receiver rejected.
    pub rejected: Count,
    /// Dead letters that were dropped because the operator's queue for them is missing.
    pub unburied: Count,
    /// Connections made to the broker.
    pub connected: Count,
    /// Addresses of the broker that refused or did not answer in time.
    pub unreached: Count,
    /// Connections to the broker that were lost or could not be made.
    pub disconnected: Count,
}

impl Counts {
    /// Counts the outcome of a publish or request.
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

    /// Counts a reply if its sender is newer, and returns it unless the command was not understood.
    pub(super) fn reply(&self, reply: Payload) -> Result<Payload, BusError> {
        if reply.is_newer() == Ok(true) {
            self.newer.add();
        }
        reply.understood()
    }

    /// Counts a dead letter. `None`: its receiver rejected it.
    pub(super) fn dead(&self, reason: Option<Unreadable>) {
        match reason {
            Some(Unreadable::Oversized) => self.oversized.add(),
            Some(Unreadable::UnknownVersion) => self.unknown_version.add(),
            Some(Unreadable::Malformed | Unreadable::Newer) => self.malformed.add(),
            None => self.rejected.add(),
        }
    }
}
