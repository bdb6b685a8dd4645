//! Saves the committed state as bytes of our own. They leave out what can be computed again: member lists, hashes,
//! versions side by side, and the changes of the last commit.

use serde::{Deserialize, Serialize};

use super::{Committed, EMPTY, Member};
use crate::{
    hash::StateHash,
    id::{GroupId, Tick},
    protocol::codec,
    replicate::{EntitySchema, Layout},
    world::BadSave,
};

/// Not a commit: the changes of the last one are unknown, so no delta leads to it.
const FORGOTTEN: Tick = Tick(u32::MAX);

const MALFORMED: BadSave = BadSave::Malformed("what was committed");

#[derive(Serialize, Deserialize)]
struct Saved {
    /// The hash of the schema that describes the lanes.
    schema: u32,
    tick: Tick,
    previous: Tick,
    /// The members by slot.
    members: Vec<SavedMember>,
    lanes: Vec<u32>,
    field_ticks: Vec<Tick>,
    blobs: Vec<Box<[u8]>>,
    steps: Vec<f64>,
    /// The versions by group.
    versions: Vec<Tick>,
}

#[derive(Serialize, Deserialize)]
struct SavedMember {
    group: Option<GroupId>,
    generation: u16,
    kind: u8,
    arrived: Tick,
}

impl Committed {
    /// The bytes for [`Self::restore`].
    pub(in crate::world) fn save(&self, schema: &EntitySchema) -> Vec<u8> {
        let member = |&Member { group, generation, kind, arrived, .. }: &Member| SavedMember {
            group,
            generation,
            kind,
            arrived,
        };
        codec::encode(&Saved {
            schema: hash(schema),
            tick: self.tick,
            previous: self.previous,
            members: self.members.iter().map(member).collect(),
            lanes: self.lanes.clone(),
            field_ticks: self.field_ticks.clone(),
            blobs: self.blobs.clone(),
            steps: self.steps.clone(),
            versions: self.versions.clone(),
        })
    }

    /// Restores the committed state, or only its tick if it has another schema. `shared` is by group; `slots` is the
    /// number of slots.
    ///
    /// # Errors
    ///
    /// [`BadSave::Malformed`].
    pub(in crate::world) fn restore(
        bytes: &[u8],
        schema: &EntitySchema,
        shared: &[bool],
        slots: usize,
    ) -> Result<Result<Self, Tick>, BadSave> {
        let saved: Saved = codec::decode_saved(bytes).map_err(|_| MALFORMED)?;
        if saved.schema != hash(schema) {
            return Ok(Err(saved.tick));
        }
        let layout = Layout::new(schema);
        saved.check(&layout, shared.len(), slots)?;
        let Saved { tick, previous, members, lanes, field_ticks, blobs, steps, versions, .. } = saved;
        let mut committed = Self::new(layout);
        for (count, shared) in (1..).zip(shared) {
            committed.grow_groups(count, *shared);
        }
        let member =
            |SavedMember { group, generation, kind, arrived }| Member { group, generation, kind, arrived, ..EMPTY };
        committed.members = members.into_iter().map(member).collect();
        committed.lanes_before = vec![0; lanes.len()];
        committed.moving = vec![0; committed.members.len().div_ceil(64)];
        (committed.tick, committed.previous) = (tick, previous);
        (committed.lanes, committed.field_ticks, committed.blobs, committed.steps) = (lanes, field_ticks, blobs, steps);
        for (group, version) in committed.groups.iter_mut().zip(&versions) {
            (group.version, group.before) = (*version, FORGOTTEN);
        }
        committed.versions = versions;
        for slot in 0..committed.members.len() as u16 {
            committed.find_again(slot);
        }
        Ok(Ok(committed))
    }

    /// Computes again what follows from the member in a slot.
    fn find_again(&mut self, slot: u16) {
        let member = self.member(slot);
        let Some(group) = member.group else { return };
        let hash = self.member_hash(slot, member);
        let entry = &mut self.groups[group.0 as usize];
        entry.members.push(slot);
        entry.hash += hash;
        let kind = &self.layout.kinds[member.kind as usize];
        let codes = &self.lanes[slot as usize * self.layout.lane_stride..][..self.layout.lane_stride];
        if kind.linear.iter().any(|lane| kind.line(codes, *lane).is_some_and(|line| line.rate != 0)) {
            self.moving[slot as usize / 64] |= 1 << (slot % 64);
        }
    }
}

impl Saved {
    /// Checks everything that the methods of [`Committed`] rely on.
    fn check(&self, layout: &Layout, groups: usize, slots: usize) -> Result<(), BadSave> {
        let Layout { lane_stride, linear_stride, blob_stride, kinds, .. } = layout;
        let count = self.members.len();
        let fits = count <= slots
            && self.lanes.len() == count * lane_stride
            && self.field_ticks.len() == count * (lane_stride + blob_stride)
            && self.blobs.len() == count * blob_stride
            && self.steps.len() == count * linear_stride
            && self.versions.len() == groups
            && self.versions.iter().all(|version| *version <= self.tick)
            && (self.previous < self.tick || self.tick == Tick(0) && self.previous == Tick(0));
        let known = |member: &SavedMember| {
            member.group.is_none_or(|group| (group.0 as usize) < groups && (member.kind as usize) < kinds.len())
        };
        if fits && self.members.iter().all(known) { Ok(()) } else { Err(MALFORMED) }
    }
}

/// A hash that distinguishes schemas.
fn hash(schema: &EntitySchema) -> u32 {
    StateHash::blob_content(&serde_json::to_vec(schema).unwrap_or_default())
}
