//! One group as a client holds it, at its own version, with its hash. `decoder` applies chunks to it.

use super::{Anatomy, BadChunk};
use crate::{
    hash::StateHash,
    id::{GroupId, Tick},
    replicate::Layout,
};

mod decoder;

pub(super) use decoder::{Frame, Gone, Others};

/// An entity of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableMember {
    /// Its slot.
    pub slot: u16,
    /// The low 16 bits of its generation.
    pub generation: u16,
    /// Its kind.
    pub kind: u8,
}

/// The members of one group, by slot, and their fields.
#[derive(Clone, Debug, Default)]
pub struct Table {
    version: Tick,
    hash: StateHash,
    members: Vec<TableMember>,
    lanes: Vec<u32>,
    blobs: Vec<Box<[u8]>>,
}

impl Table {
    /// The version of the group that this table equals; 0 for none.
    pub fn version(&self) -> Tick {
        self.version
    }

    /// The hash of its members and fields.
    pub fn hash(&self) -> StateHash {
        self.hash
    }

    /// The members in the order of their slots.
    pub fn members(&self) -> &[TableMember] {
        &self.members
    }

    /// The codes of a member's lanes (of a linear one, the origin of its line), then the rates of its linear ones.
    pub fn lanes(&self, layout: &Layout, index: usize) -> &[u32] {
        let count = layout.kinds[self.members[index].kind as usize].codes();
        &self.lanes[index * layout.lane_stride..][..count]
    }

    /// A member's blobs.
    pub fn blobs(&self, layout: &Layout, index: usize) -> &[Box<[u8]>] {
        let count = layout.kinds[self.members[index].kind as usize].blobs.len();
        &self.blobs[index * layout.blob_stride..][..count]
    }

    /// Applies one chunk of a frame. Returns its length in bytes. `fresh` is the last tick whose state this table is
    /// known to equal. After an error the table is only good for a snapshot.
    ///
    /// # Errors
    ///
    /// [`BadChunk`] if the bytes are no chunk or do not start from this table's state.
    pub fn apply(&mut self, layout: &Layout, bytes: &[u8], tick: Tick, fresh: Tick) -> Result<usize, BadChunk> {
        let (others, gone, anatomy) = (Others::default(), &mut Gone::default(), &mut Anatomy::default());
        let frame = &mut Frame { layout, tick, others, gone, anatomy };
        self.read(frame, GroupId(0), bytes, fresh)
    }

    fn push(&mut self, layout: &Layout, member: TableMember, lanes: &[u32], blobs: &mut Vec<Box<[u8]>>) {
        self.members.push(member);
        self.lanes.extend_from_slice(lanes);
        self.lanes.resize(self.members.len() * layout.lane_stride, 0);
        self.blobs.append(blobs);
        self.blobs.resize_with(self.members.len() * layout.blob_stride, Box::default);
    }

    /// Moves a member of another table to the end of this one.
    fn push_from(&mut self, layout: &Layout, from: &mut Self, index: usize) {
        self.members.push(from.members[index]);
        self.lanes.extend_from_slice(&from.lanes[index * layout.lane_stride..][..layout.lane_stride]);
        let blobs = &mut from.blobs[index * layout.blob_stride..][..layout.blob_stride];
        self.blobs.extend(blobs.iter_mut().map(std::mem::take));
    }

    /// A member with all its fields.
    fn whole(&self, layout: &Layout, index: usize) -> Whole {
        let (lanes, blobs) = (self.lanes(layout, index).to_vec(), self.blobs(layout, index).to_vec());
        Whole { member: self.members[index], lanes, blobs }
    }

    fn rehash(&mut self, layout: &Layout) {
        self.hash = StateHash::default();
        for at in 0..self.members.len() {
            self.hash += self.member_hash(layout, at);
        }
    }

    fn member_hash(&self, layout: &Layout, at: usize) -> StateHash {
        let TableMember { slot, generation, kind } = self.members[at];
        let mut hash = StateHash::member(slot, generation, kind);
        let (codes, kind) = (self.lanes(layout, at), &layout.kinds[kind as usize]);
        for index in 0..kind.lanes.len() {
            hash += StateHash::field(slot, generation, index as u32, kind.content(codes, index));
        }
        for (index, bytes) in self.blobs(layout, at).iter().enumerate() {
            let field = (kind.lanes.len() + index) as u32;
            hash += StateHash::field(slot, generation, field, StateHash::blob_content(bytes));
        }
        hash
    }
}

/// An entity stated whole by a chunk, or taken from another table.
#[derive(Clone)]
struct Whole {
    member: TableMember,
    lanes: Vec<u32>,
    blobs: Vec<Box<[u8]>>,
}
