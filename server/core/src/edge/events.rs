//! Events do not coalesce: each group keeps a bounded log of them, each seat a bounded queue of its own.

use std::collections::VecDeque;

use super::Bounds;

/// An event as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its number in the room.
    pub(super) number: u64,
    /// Its bincode bytes.
    pub(super) bytes: Box<[u8]>,
}

/// A bounded run of events in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// The highest number that was dropped because the log was full.
    pub(super) dropped: u64,
}

impl Log {
    /// Puts an event in its place; one that is there already stays.
    pub(super) fn insert(&mut self, entry: Entry, bounds: &Bounds) {
        let place = self.entries.partition_point(|other| other.number < entry.number);
        if self.entries.get(place).is_some_and(|other| other.number == entry.number) {
            return;
        }
        self.bytes += entry.bytes.len();
        self.entries.insert(place, entry);
        while self.entries.len() > bounds.log_events || self.bytes > bounds.log_bytes {
            if let Some(oldest) = self.pop_oldest() {
                self.dropped = self.dropped.max(oldest);
            }
        }
    }

    /// The events above a number.
    pub(super) fn above(&self, number: u64) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.range(self.entries.partition_point(|entry| entry.number <= number)..)
    }

    /// Forgets the events up to a number: they have been consumed.
    pub(super) fn trim(&mut self, number: u64) {
        while self.entries.front().is_some_and(|entry| entry.number <= number) {
            self.pop_oldest();
        }
    }

    fn pop_oldest(&mut self) -> Option<u64> {
        let oldest = self.entries.pop_front()?;
        self.bytes -= oldest.bytes.len();
        Some(oldest.number)
    }
}
