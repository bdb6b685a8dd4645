//! Events do not coalesce: each group keeps a bounded log of them, each seat a bounded queue of its own.
//!
//! A queue forgets what its seat has confirmed with each report. Logs are shared: now and then they forget what none of
//! those who see their group can need again.

use std::{collections::VecDeque, sync::Arc};

use serde::{Deserialize, Serialize};
use tiltyard_shared::world::GroupId;

/// Logs are rid of what is consumed at each such commit: that costs a look at everybody's view.
const FORGET_EVERY: u64 = 16;

/// How much of events is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Most events of a log; the oldest is dropped for a new one, and whom it was owed is told.
    pub events: usize,
    /// Most bytes of them; the same.
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
    /// The highest number that was dropped because the log was full.
    pub(crate) dropped: u64,
}

impl Log {
    /// Puts an event in its place; one that is there already stays.
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

    /// The log that was saved, within its bounds, in order, and with nothing above the `last` event.
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

    /// Forgets the events up to a number: they have been consumed.
    pub(crate) fn trim(&mut self, number: u64) {
        while self.entries.front().is_some_and(|entry| entry.number <= number) {
            self.pop_oldest();
        }
    }

    /// The same, and the memory as well if nothing is left.
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
    /// By group, as far as there were events.
    logs: Vec<Log>,
    /// By group: up to where its events may go, while that is found.
    #[serde(skip)]
    spent: Vec<u64>,
    commits: u64,
}

impl Logs {
    /// The logs that were saved, of so many groups, each within its bounds.
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

    /// At every 16th commit: forgets the events up to `before`, except those above what one who sees their group has
    /// confirmed. `confirmed` lists that for everyone and each group of its view.
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
