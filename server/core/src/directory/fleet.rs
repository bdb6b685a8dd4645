//! The other instances, as one immutable picture shared by everyone who places players.

use std::sync::Arc;

use super::messages::Heartbeat;
use crate::instance::InstanceId;

/// The known instances beside this one, without dead ones. Rebuilt when one of them has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetView {
    /// Sorted by name, each with whether it takes players.
    peers: Vec<(Arc<Heartbeat>, bool)>,
}

impl FleetView {
    /// `peers` are sorted by name, each with whether it takes players.
    pub(super) fn new(peers: impl Iterator<Item = (Arc<Heartbeat>, bool)>) -> Self {
        Self { peers: peers.collect() }
    }

    /// All of them.
    pub fn peers(&self) -> impl Iterator<Item = &Heartbeat> {
        self.peers.iter().map(|(peer, _)| &**peer)
    }

    /// The number of instances.
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

    /// Whether an instance is in our region and takes players, as far as is known: it is not draining, full or suspect.
    pub fn is_open(&self, instance: InstanceId) -> bool {
        self.get(instance).is_some_and(|(_, open)| *open)
    }

    /// The least loaded of the open instances.
    pub fn emptiest(&self) -> Option<&Heartbeat> {
        let open = self.peers.iter().filter(|(_, open)| *open).map(|(peer, _)| &**peer);
        open.min_by_key(|peer| peer.load_per_mille())
    }

    fn get(&self, instance: InstanceId) -> Option<&(Arc<Heartbeat>, bool)> {
        let index = self.peers.binary_search_by_key(&instance, |(peer, _)| peer.instance).ok()?;
        self.peers.get(index)
    }
}
