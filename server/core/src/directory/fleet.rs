//! The other instances, as one immutable picture that all who place players share.

use std::sync::Arc;

use super::messages::Heartbeat;
use crate::instance::InstanceId;

/// The instances that are known beside this one, dead ones excluded. Made anew when one of them has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetView {
    /// In the order of their names; and whether each takes players.
    peers: Vec<(Arc<Heartbeat>, bool)>,
}

impl FleetView {
    /// `peers` come in the order of their names, each with whether it takes players.
    pub(super) fn new(peers: impl Iterator<Item = (Arc<Heartbeat>, bool)>) -> Self {
        Self { peers: peers.collect() }
    }

    /// All of them.
    pub fn peers(&self) -> impl Iterator<Item = &Heartbeat> {
        self.peers.iter().map(|(peer, _)| &**peer)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether this instance is alone.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// One of them.
    pub fn find(&self, instance: InstanceId) -> Option<&Heartbeat> {
        self.get(instance).map(|(peer, _)| &**peer)
    }

    /// Whether this one is of our region and takes players, as far as is known: not draining, not full, not suspect.
    pub fn is_open(&self, instance: InstanceId) -> bool {
        self.get(instance).is_some_and(|(_, open)| *open)
    }

    /// The emptiest of those that are open.
    pub fn emptiest(&self) -> Option<&Heartbeat> {
        let open = self.peers.iter().filter(|(_, open)| *open).map(|(peer, _)| &**peer);
        open.min_by_key(|peer| peer.load_per_mille())
    }

    fn get(&self, instance: InstanceId) -> Option<&(Arc<Heartbeat>, bool)> {
        let index = self.peers.binary_search_by_key(&instance, |(peer, _)| peer.instance).ok()?;
        self.peers.get(index)
    }
}
