//! Tickets and seats that must not be proposed now. They are kept beside the tickets and seats themselves, so that one
//! that is forgotten and stated again while a proposal names it is not proposed twice.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

/// The held keys, with the time until which each is held.
#[derive(Clone, Debug)]
pub(super) struct Holds<K>(BTreeMap<K, Hold>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Until(Duration),
    Proposed,
}

impl<K: Ord> Holds<K> {
    /// With nothing held.
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Holds a key because a proposal names it, until [`Self::hold`] sets a time.
    pub(super) fn propose(&mut self, key: K) {
        self.0.insert(key, Hold::Proposed);
    }

    /// As [`Self::propose`], for many keys.
    pub(super) fn propose_all(&mut self, mut keys: Vec<K>) {
        keys.sort_unstable();
        self.0.append(&mut keys.into_iter().map(|key| (key, Hold::Proposed)).collect());
    }

    /// Holds a key until a time.
    pub(super) fn hold(&mut self, key: K, until: Duration) {
        self.0.insert(key, Hold::Until(until));
    }

    /// Frees a key, unless a proposal names it.
    pub(super) fn lift(&mut self, key: K) {
        if let Entry::Occupied(held) = self.0.entry(key)
            && *held.get() != Hold::Proposed
        {
            held.remove();
        }
    }

    /// Whether each of several keys, asked for in ascending order, can be proposed.
    pub(super) fn ascending(&self, now: Duration) -> impl FnMut(&K) -> bool {
        let mut held = self.0.iter().peekable();
        move |key| {
            while held.next_if(|(other, _)| *other < key).is_some() {}
            held.peek().is_none_or(|(other, hold)| *other != key || hold.is_over(now))
        }
    }

    /// Forgets keys that are free again.
    pub(super) fn expire(&mut self, now: Duration) {
        self.0.retain(|_, hold| !hold.is_over(now));
    }
}

impl Hold {
    fn is_over(self, now: Duration) -> bool {
        matches!(self, Self::Until(until) if until <= now)
    }
}
