//! An entity shown by a replica, at the tick for which its table is known.

use super::TableMember;
use crate::{
    id::{EntityId, GroupId, Tick},
    replicate::{Fields, KindLayout, Replicate},
};

/// An entity that a replica shows.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Its slot, generation and kind.
    pub member: TableMember,
    /// The group from which it is shown.
    pub group: GroupId,
    /// The codes of its lanes, as in [`Table::lanes`](super::Table::lanes).
    pub lanes: &'a [u32],
    /// Its blobs.
    pub blobs: &'a [Box<[u8]>],
    /// The tick of this state: that of the frame, or the last known one of a group that is behind.
    pub tick: Tick,
    pub(super) kind: &'a KindLayout,
}

impl Shown<'_> {
    /// The id, with the low 16 bits of the generation only.
    pub fn id(&self) -> EntityId {
        EntityId { slot: u32::from(self.member.slot), generation: u32::from(self.member.generation) }
    }

    /// The entity as the author's type; `None` if it belongs to another game.
    pub fn restore<E: Replicate>(&self) -> Option<E> {
        E::restore(self.member.kind, &mut Fields::at(self.tick, self.kind, self.lanes, self.blobs))
    }

    /// The codes of its lanes at [`Shown::tick`].
    pub fn codes(&self) -> impl Iterator<Item = u32> {
        (0..self.kind.lanes.len()).map(|lane| self.kind.code_at(self.lanes, lane, self.tick))
    }
}
