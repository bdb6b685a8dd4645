//! The open rooms of an instance by id, code and game.

use std::{collections::BTreeMap, sync::Arc};

use tiltyard_shared::protocol::lobby::RoomCode;
use uuid::Uuid;

use crate::room::door::Entry;

/// The open rooms of an instance.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) by_id: BTreeMap<Uuid, Arc<Entry>>,
    pub(super) by_code: BTreeMap<RoomCode, Uuid>,
}

impl Open {
    /// The number of people in all rooms, and of those on their way.
    pub(super) fn expected(&self) -> u64 {
        self.by_id.values().map(|entry| u64::from(entry.expected())).sum()
    }

    /// The rooms of a game that are not private.
    pub(super) fn listed(&self, game: &str) -> impl Iterator<Item = &Arc<Entry>> {
        self.by_id.values().filter(move |entry| !entry.options.private && entry.game == game)
    }

    /// The fullest room of a game with room for one more: filling rooms one by one keeps players together.
    pub(super) fn fullest(&self, game: &str) -> Option<&Arc<Entry>> {
        self.listed(game).filter(|entry| entry.has_room()).max_by_key(|entry| entry.expected())
    }

    pub(super) fn add(&mut self, entry: Arc<Entry>) {
        self.by_code.insert(entry.code, entry.id);
        self.by_id.insert(entry.id, entry);
    }

    pub(super) fn remove(&mut self, entry: &Entry) {
        self.by_id.remove(&entry.id);
        self.by_code.remove(&entry.code);
    }
}
