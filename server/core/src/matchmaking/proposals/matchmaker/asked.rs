//! How many unanswered questions each instance has: none is asked more than a window of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{InstanceId, Open};

/// Most proposals that a host, and most tickets that a home, was asked for and has not answered; the last proposal may
/// exceed it. The others follow in later rounds, the oldest first.
pub const WINDOW: usize = 1_024;

/// The unanswered questions.
#[derive(Debug, Default)]
pub(super) struct Asked {
    hosts: BTreeMap<InstanceId, usize>,
    homes: BTreeMap<InstanceId, usize>,
}

impl Asked {
    /// Adds the unanswered questions of this proposal.
    pub(super) fn count(&mut self, open: &Open) {
        if open.reserved.is_none() {
            *self.hosts.entry(open.host).or_default() += 1;
        }
        for ticket in open.proposal.tickets().filter(|ticket| open.asked.contains(&ticket.home)) {
            *self.homes.entry(ticket.home).or_default() += 1;
        }
    }

    /// Whether a host must answer before it is asked more.
    pub(super) fn is_full_host(&self, host: InstanceId) -> bool {
        self.hosts.get(&host).is_some_and(|asked| *asked >= WINDOW)
    }

    /// Whether a home must answer before it is asked more.
    pub(super) fn is_full_home(&self, home: InstanceId) -> bool {
        self.homes.get(&home).is_some_and(|asked| *asked >= WINDOW)
    }

    /// The homes that must answer before they are asked more.
    pub(super) fn full_homes(&self) -> BTreeSet<InstanceId> {
        self.homes.keys().filter(|home| self.is_full_home(**home)).copied().collect()
    }
}
