//! The instances that rooms can be opened on, as a matchmaker knows them, and which of them is the least loaded.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::matchmaking::InstanceId;

/// A host that did not reserve is asked for new rooms so long only if all have been as slow.
pub const AVOIDED: Duration = Duration::from_secs(5);

/// An instance that rooms can be opened on, as the directory knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLoad {
    /// The instance.
    pub host: InstanceId,
    /// Where it is.
    pub region: String,
    /// Seats of its rooms.
    pub seats: usize,
    /// The most seats that it can have. 0 for one that takes no rooms: it is draining, say.
    pub capacity: usize,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Hosts(BTreeMap<InstanceId, Known>);

#[derive(Debug)]
struct Known {
    load: HostLoad,
    /// Seats of proposals that the host has not yet told of in its load.
    proposed: usize,
    avoided: Duration,
}

impl Hosts {
    /// These are all; who is avoided stays so.
    pub(super) fn know(&mut self, hosts: Vec<HostLoad>) {
        let avoided = |host| self.0.get(&host).map_or(Duration::ZERO, |known| known.avoided);
        let known = |load: HostLoad| (load.host, Known { avoided: avoided(load.host), proposed: 0, load });
        self.0 = hosts.into_iter().map(known).collect();
    }

    pub(super) fn forget(&mut self, host: InstanceId) {
        self.0.remove(&host);
    }

    /// It did not reserve.
    pub(super) fn avoid(&mut self, now: Duration, host: InstanceId) {
        if let Some(known) = self.0.get_mut(&host) {
            known.avoided = now + AVOIDED;
        }
    }

    /// Where rooms can be opened.
    pub(super) fn regions(&self, now: Duration) -> BTreeSet<String> {
        let regions = |which: fn(&Known, Duration) -> bool| -> BTreeSet<String> {
            let here = self.0.values().filter(|known| known.takes(1) && which(known, now));
            here.map(|known| known.load.region.clone()).collect()
        };
        let quick = regions(|known, now| !known.is_avoided(now));
        if quick.is_empty() { regions(|_, _| true) } else { quick }
    }

    /// The host in a region, of those that may be asked, whose share of taken seats is the smallest, but one that is avoided
    /// only if all are. It is counted as so much fuller.
    pub(super) fn least_loaded(
        &mut self,
        now: Duration,
        region: &str,
        players: usize,
        may: impl Fn(InstanceId) -> bool,
    ) -> Option<InstanceId> {
        let fits = |known: &&mut Known| known.load.region == region && known.takes(players) && may(known.load.host);
        let here = self.0.values_mut().filter(fits);
        let by_answers = |one: &Known, other: &Known| one.is_avoided(now).cmp(&other.is_avoided(now));
        let least = here.min_by(|one, other| {
            by_answers(one, other).then(one.is_fuller(other)).then(one.load.host.cmp(&other.load.host))
        })?;
        least.proposed += players;
        Some(least.load.host)
    }
}

impl Known {
    fn is_avoided(&self, now: Duration) -> bool {
        now < self.avoided
    }

    fn takes(&self, players: usize) -> bool {
        self.load.seats + self.proposed + players <= self.load.capacity
    }

    /// Compares the shares of taken seats.
    fn is_fuller(&self, other: &Self) -> Ordering {
        let share = |known: &Self, by: &Self| (known.load.seats + known.proposed) as u128 * by.load.capacity as u128;
        share(self, other).cmp(&share(other, self))
    }
}
