//! What is shown of a replica: one entity, as it is at the tick that its table is known for.

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
    /// The group it is shown from.
    pub group: GroupId,
    /// The codes of its lanes, as [`Table::lanes`](super::Table::lanes) has them.
    pub lanes: &'a [u32],
    /// Its blobs.
    pub blobs: &'a [Box<[u8]>],
    /// The tick whose state this is: that of the frame, or the last known one of a group that is behind.
    pub tick: Tick,
    pub(super) kind: &'a KindLayout,
}

impl Shown<'_> {
    /// The id, with the low 16 bits of the generation only.
    pub fn id(&self) -> EntityId {
        EntityId { slot: u32::from(self.member.slot), generation: u32::from(self.member.generation) }
    }

    /// The entity as the author's type; `None` if it is another game's.
    pub fn restore<E: Replicate>(&self) -> Option<E> {
        E::restore(self.member.kind, &mut Fields::at(self.tick, self.kind, self.lanes, self.blobs))
    }

    /// The codes that its lanes have at [`Shown::tick`].
    pub fn codes(&self) -> impl Iterator<Item = u32> {
        (0..self.kind.lanes.len()).map(|lane| self.kind.code_at(self.lanes, lane, self.tick))
    }
}
