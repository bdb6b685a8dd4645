//! Events do not coalesce: each group keeps a bounded log of them, and each seat a bounded queue of its own.
//!
//! A report lets a seat's queue forget what its client has confirmed. Logs are shared: now and then they forget what no
//! seat that sees their group can still need.

use std::{collections::VecDeque, sync::Arc};

use serde::{Deserialize, Serialize};
use tiltyard_shared::world::GroupId;

/// Commits from one cleanup of the logs to the next: a cleanup looks at everybody's view.
const FORGET_EVERY: u64 = 16;

/// Limits on the events that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Most events of a log. One more drops the oldest, and the players it was owed to are told.
    pub events: usize,
    /// Most bytes of these events; the same applies.
    pub bytes: usize,
}

/// An event as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number in the room.
    pub(crate) number: u64,
    /// Its bincode bytes.
    pub(crate) bytes: Arc<[u8]>,
}

/// A bounded run of events in the order of their numbers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Log {
    entries: VecDeque<Entry>,
    #[serde(skip)]
    bytes: usize,
    /// The highest number of an event dropped because the log was full.
    pub(crate) dropped: u64,
}

impl Log {
    /// Inserts an event in order. Does nothing if its number is there already.
    pub(crate) fn insert(&mut self, entry: Entry, keep: Keep) {
        let index = self.entries.partition_point(|other| other.number < entry.number);
        if self.entries.get(index).is_some_and(|other| other.number == entry.number) {
            return;
        }
        self.bytes += entry.bytes.len();
        self.entries.insert(index, entry);
        while self.entries.len() > keep.events || self.bytes > keep.bytes {
            let Some(oldest) = self.pop_oldest() else { break };
            self.dropped = self.dropped.max(oldest);
        }
    }

    /// Restores a saved log: within its bounds, in order, and with nothing above the `last` event.
    pub(crate) fn restored(self, keep: Keep, last: u64) -> Self {
        let mut log = Self { dropped: self.dropped.min(last), ..Self::default() };
        for entry in self.entries.into_iter().filter(|entry| entry.number <= last) {
            log.insert(entry, keep);
        }
        log
    }

    /// The events above a number.
    pub(crate) fn above(&self, number: u64) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.range(self.entries.partition_point(|entry| entry.number <= number)..)
    }

    /// Forgets the events up to a number, because they have been consumed.
    pub(crate) fn trim(&mut self, number: u64) {
        while self.entries.front().is_some_and(|entry| entry.number <= number) {
            self.pop_oldest();
        }
    }

    /// The same, and frees the memory if nothing is left.
    pub(crate) fn consume(&mut self, number: u64) {
        self.trim(number);
        if self.entries.is_empty() {
            self.entries = VecDeque::new();
        }
    }

    fn pop_oldest(&mut self) -> Option<u64> {
        let oldest = self.entries.pop_front()?;
        self.bytes -= oldest.bytes.len();
        Some(oldest.number)
    }
}

/// The logs of a room's groups.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Logs {
    /// By group, up to the last group that had an event.
    logs: Vec<Log>,
    /// By group, while forgetting: the number up to which its events may go.
    #[serde(skip)]
    spent: Vec<u64>,
    commits: u64,
}

impl Logs {
    /// Restores saved logs of this many groups, each within its bounds.
    pub(crate) fn restored(self, groups: usize, keep: Keep, last: u64) -> Self {
        let logs = self.logs.into_iter().take(groups).map(|log| log.restored(keep, last));
        Self { logs: logs.collect(), spent: Vec::new(), commits: self.commits % FORGET_EVERY }
    }

    /// Puts an event in its group's log.
    pub(crate) fn insert(&mut self, group: GroupId, entry: Entry, keep: Keep) {
        let index = group.0 as usize;
        if index >= self.logs.len() {
            self.logs.resize_with(index + 1, Log::default);
        }
        self.logs[index].insert(entry, keep);
    }

    /// The log of a group, if it ever had an event.
    pub(crate) fn get(&self, group: GroupId) -> Option<&Log> {
        self.logs.get(group.0 as usize)
    }

    /// At every 16th commit: forgets the events up to `before`, except those above the number that a client who sees
    /// their group has confirmed. `confirmed` lists this number for each client and each group of its view.
    pub(crate) fn forget(&mut self, before: u64, confirmed: impl Iterator<Item = (GroupId, u64)>) {
        self.commits = (self.commits + 1) % FORGET_EVERY;
        if self.commits != 0 || self.logs.iter().all(|log| log.entries.is_empty()) {
            return;
        }
        self.spent.clear();
        self.spent.resize(self.logs.len(), before);
        for (group, number) in confirmed {
            if let Some(spent) = self.spent.get_mut(group.0 as usize) {
                *spent = number.min(*spent);
            }
        }
        for (log, spent) in self.logs.iter_mut().zip(&self.spent) {
            log.consume(*spent);
        }
    }
}
