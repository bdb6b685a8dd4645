//! The instances on which a matchmaker can have rooms opened, and which of them is the least loaded.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::matchmaking::InstanceId;

/// How long a host that did not reserve is asked for new rooms only if all others have been as slow.
pub const AVOIDED: Duration = Duration::from_secs(5);

/// An instance on which rooms can be opened, as the directory knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLoad {
    /// The instance.
    pub host: InstanceId,
    /// Its region.
    pub region: String,
    /// The seats of its rooms.
    pub seats: usize,
    /// The most seats that it can have; 0 for one that takes no rooms, for example because it drains.
    pub capacity: usize,
}

/// All of these instances.
#[derive(Debug, Default)]
pub(super) struct Hosts(BTreeMap<InstanceId, Known>);

#[derive(Debug)]
struct Known {
    load: HostLoad,
    /// Seats of proposals that its load does not include yet.
    proposed: usize,
    avoided: Duration,
}

impl Hosts {
    /// Sets the instances. Those that are avoided stay so.
    pub(super) fn know(&mut self, hosts: Vec<HostLoad>) {
        let avoided = |host| self.0.get(&host).map_or(Duration::ZERO, |known| known.avoided);
        let known = |load: HostLoad| (load.host, Known { avoided: avoided(load.host), proposed: 0, load });
        self.0 = hosts.into_iter().map(known).collect();
    }

    pub(super) fn forget(&mut self, host: InstanceId) {
        self.0.remove(&host);
    }

    /// Avoids a host that did not reserve.
    pub(super) fn avoid(&mut self, now: Duration, host: InstanceId) {
        if let Some(known) = self.0.get_mut(&host) {
            known.avoided = now + AVOIDED;
        }
    }

    /// The regions where rooms can be opened.
    pub(super) fn regions(&self, now: Duration) -> BTreeSet<String> {
        let regions = |which: fn(&Known, Duration) -> bool| -> BTreeSet<String> {
            let here = self.0.values().filter(|known| known.takes(1) && which(known, now));
            here.map(|known| known.load.region.clone()).collect()
        };
        let quick = regions(|known, now| !known.is_avoided(now));
        if quick.is_empty() { regions(|_, _| true) } else { quick }
    }

    /// The host in a region with the smallest share of taken seats, of those that may be asked; an avoided one only if
    /// all are. The players are counted into its load.
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
