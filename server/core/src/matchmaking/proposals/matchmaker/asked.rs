//! How much every instance has been asked and has not answered: nobody is asked more than a window of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{InstanceId, Open};

/// Most proposals that a host, and most tickets that a home has been asked for and not answered, but for the last proposal.
/// The others follow in later rounds, the oldest first.
pub const WINDOW: usize = 256;

/// What is unanswered.
#[derive(Debug, Default)]
pub(super) struct Asked {
    hosts: BTreeMap<InstanceId, usize>,
    homes: BTreeMap<InstanceId, usize>,
}

impl Asked {
    /// What is unanswered of this proposal.
    pub(super) fn count(&mut self, open: &Open) {
        if open.reserved.is_none() {
            *self.hosts.entry(open.host).or_default() += 1;
        }
        for ticket in open.proposal.tickets().filter(|ticket| open.asked.contains(&ticket.home)) {
            *self.homes.entry(ticket.home).or_default() += 1;
        }
    }

    /// Whether a host has to answer before it is asked more.
    pub(super) fn is_full_host(&self, host: InstanceId) -> bool {
        self.hosts.get(&host).is_some_and(|asked| *asked >= WINDOW)
    }

    /// Whether a home has to answer before it is asked more.
    pub(super) fn is_full_home(&self, home: InstanceId) -> bool {
        self.homes.get(&home).is_some_and(|asked| *asked >= WINDOW)
    }

    /// The homes of which that is so.
    pub(super) fn full_homes(&self) -> BTreeSet<InstanceId> {
        self.homes.keys().filter(|home| self.is_full_home(**home)).copied().collect()
    }
}
