//! The visible members on other instances, as these told it last.
//!
//! A presence is valid for a while and is told again before that ends. So none needs an acknowledgement, and none that
//! is no longer repeated stays. When an instance is known to be gone, its names go with it at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    time::Duration,
};

use tiltyard_shared::protocol::chat::Channel;

use super::messages::Presence;
use crate::instance::{Incarnation, InstanceId};

/// How long a presence of a known instance is valid.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// The same for an instance that is not (yet) known: longer than becoming known and telling it again take.
const STRANGERS_LEASE: Duration = Duration::from_secs(40);

/// Most channels of other instances that are known, counted once per instance. Further ones are ignored.
const MOST: usize = 16_384;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Remote {
    /// An empty presence is kept until its lease ends, so that a late one does not bring it back.
    channels: BTreeMap<Channel, BTreeMap<InstanceId, Told>>,
    /// Entries in all channels.
    kept: usize,
    known: BTreeMap<InstanceId, Incarnation>,
}

#[derive(Debug)]
struct Told {
    /// The life of the instance, and the number within it. A presence that is not above this changes nothing.
    version: (Incarnation, u64),
    visible: u32,
    names: Vec<String>,
    until: Duration,
}

impl Remote {
    /// Takes a presence. Returns whether it changed who is visible.
    pub(super) fn take(&mut self, now: Duration, presence: Presence) -> bool {
        let Presence { instance, incarnation, number, channel, visible, names } = presence;
        let known = self.known.get(&instance);
        let version = (incarnation, number);
        let told = self.channels.get(&channel).and_then(|told| told.get(&instance));
        let late = known.is_some_and(|life| incarnation < *life) || told.is_some_and(|told| version <= told.version);
        if late || (told.is_none() && (visible == 0 || self.kept >= MOST)) {
            return false;
        }
        let until = now + if known == Some(&incarnation) { LEASE } else { STRANGERS_LEASE };
        let news = Told { version, visible, names, until };
        let told = self.channels.entry(channel).or_default();
        match told.get_mut(&instance) {
            Some(told) => {
                let before = mem::replace(told, news);
                (before.visible, before.names) != (told.visible, told.names.clone())
            }
            None => {
                told.insert(instance, news);
                self.kept += 1;
                true
            }
        }
    }

    /// Takes the set of living instances. Returns the channels that lost names, and whether an instance is new.
    pub(super) fn know(&mut self, alive: BTreeMap<InstanceId, Incarnation>) -> (BTreeSet<Channel>, bool) {
        if self.known == alive {
            return (BTreeSet::new(), false);
        }
        let before = mem::take(&mut self.known);
        let is_new = alive.iter().any(|(instance, life)| before.get(instance) != Some(life));
        let left = self.drop_those(|instance, told| match (before.get(instance), alive.get(instance)) {
            (_, Some(life)) => told.version.0 < *life,
            (Some(life), None) => told.version.0 <= *life,
            (None, None) => false,
        });
        self.known = alive;
        (left, is_new)
    }

    /// Drops what was not told again. Returns the channels that lost names.
    pub(super) fn expire(&mut self, now: Duration) -> BTreeSet<Channel> {
        self.drop_those(|_, told| told.until <= now)
    }

    /// Renews all leases: for a while nothing could be told.
    pub(super) fn renew(&mut self, now: Duration) {
        for told in self.channels.values_mut().flat_map(BTreeMap::values_mut) {
            told.until = now + LEASE;
        }
    }

    /// The visible members of a channel per instance: their number, and the first of their names.
    pub(super) fn visible(&self, channel: &Channel) -> impl Iterator<Item = (u32, &[String])> {
        self.channels.get(channel).into_iter().flat_map(BTreeMap::values).map(|told| (told.visible, &*told.names))
    }

    fn drop_those(&mut self, mut is_over: impl FnMut(&InstanceId, &Told) -> bool) -> BTreeSet<Channel> {
        let mut left = BTreeSet::new();
        let mut kept = 0;
        self.channels.retain(|channel, told| {
            told.retain(|instance, told| {
                let over = is_over(instance, told);
                if over && told.visible > 0 {
                    left.insert(channel.clone());
                }
                !over
            });
            kept += told.len();
            !told.is_empty()
        });
        self.kept = kept;
        left
    }
}
