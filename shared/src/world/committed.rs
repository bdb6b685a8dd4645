//! The committed state: the quantized fields of every entity, their groups, and the changes of the last commit.
//!
//! Chunk encoders read nothing else. It knows no author types; [`World`](super::World) fills it.

use crate::{
    hash::StateHash,
    id::{GroupId, Tick},
    replicate::{KindLayout, Layout, Quantized},
};

mod fault;
mod group;
mod codes;
mod saved;

pub use fault::Fault;
pub use group::{Group, Member, Move};

/// The committed state of a world.
#[derive(Clone, Debug)]
pub struct Committed {
    layout: Layout,
    tick: Tick,
    previous: Tick,
    members: Vec<Member>,
    lanes: Vec<u32>,
    lanes_before: Vec<u32>,
    field_ticks: Vec<Tick>,
    blobs: Vec<Box<[u8]>>,
    /// The unquantized values of linear lanes at the last commit.
    steps: Vec<f64>,
    /// For each slot a bit: whether it has a line with a rate.
    moving: Vec<u64>,
    /// The codes of the entity being committed.
    codes: Vec<u32>,
    groups: Vec<Group>,
    /// A copy of the versions of all groups, side by side, because building views needs many of them.
    versions: Vec<Tick>,
    dirty: Vec<GroupId>,
    merged: Vec<u16>,
    /// Arrivals from other groups with their destinations, while they are collected.
    moves: Vec<(GroupId, Move)>,
}

const EMPTY: Member = Member { group: None, generation: 0, kind: 0, arrived: Tick(0), mask: 0, from: None };

impl Committed {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            tick: Tick(0),
            previous: Tick(0),
            members: Vec::new(),
            lanes: Vec::new(),
            lanes_before: Vec::new(),
            field_ticks: Vec::new(),
            blobs: Vec::new(),
            steps: Vec::new(),
            moving: Vec::new(),
            codes: Vec::new(),
            groups: Vec::new(),
            versions: Vec::new(),
            dirty: Vec::new(),
            merged: Vec::new(),
            moves: Vec::new(),
        }
    }

    /// The layout of the kinds.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The tick of the last commit; 0 before the first.
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// The tick of the commit before the last.
    pub fn previous(&self) -> Tick {
        self.previous
    }

    /// The number of groups; ids are below it.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// A group.
    ///
    /// # Panics
    ///
    /// If there is no such group.
    pub fn group(&self, group: GroupId) -> &Group {
        &self.groups[group.0 as usize]
    }

    /// The version of a group.
    ///
    /// # Panics
    ///
    /// If there is no such group.
    #[inline]
    pub fn version(&self, group: GroupId) -> Tick {
        self.versions[group.0 as usize]
    }

    /// The version of a group at the commit before the last.
    pub fn version_before(&self, group: GroupId) -> Tick {
        let group = self.group(group);
        if group.version == self.tick { group.before } else { group.version }
    }

    /// The groups that the last commit changed.
    pub fn changed_groups(&self) -> &[GroupId] {
        &self.dirty
    }

    /// The entity in a slot.
    #[inline]
    pub fn member(&self, slot: u16) -> Member {
        self.members.get(slot as usize).copied().unwrap_or(EMPTY)
    }

    /// The layout of a member's kind.
    #[inline]
    pub fn kind(&self, member: Member) -> &KindLayout {
        &self.layout.kinds[member.kind as usize]
    }

    /// The codes of a slot's lanes, then the rates of its linear ones. Those beyond its kind's are meaningless.
    #[inline]
    pub fn lanes(&self, slot: u16) -> &[u32] {
        let stride = self.layout.lane_stride;
        &self.lanes[slot as usize * stride..][..stride]
    }

    /// The codes before the last commit; only valid for slots listed in [`Group::changed`].
    #[inline]
    pub fn lanes_before(&self, slot: u16) -> &[u32] {
        let stride = self.layout.lane_stride;
        &self.lanes_before[slot as usize * stride..][..stride]
    }

    /// The ticks at which the fields of a slot (lanes, then blobs) last changed or arrived.
    #[inline]
    pub fn field_ticks(&self, slot: u16) -> &[Tick] {
        let stride = self.layout.lane_stride + self.layout.blob_stride;
        &self.field_ticks[slot as usize * stride..][..stride]
    }

    /// The blobs of a slot.
    #[inline]
    pub fn blobs(&self, slot: u16) -> &[Box<[u8]>] {
        let stride = self.layout.blob_stride;
        &self.blobs[slot as usize * stride..][..stride]
    }

    /// Appends groups, until there are `count`.
    pub(super) fn grow_groups(&mut self, count: usize, shared: bool) {
        self.groups.resize_with(count.max(self.groups.len()), || Group { shared, ..Group::default() });
        self.versions.resize(self.groups.len(), Tick(0));
    }

    /// Starts counting ticks here, before the first commit.
    pub(super) fn skip_to(&mut self, tick: Tick) {
        self.tick = tick;
    }

    pub(super) fn begin(&mut self, tick: Tick) {
        debug_assert!(tick > self.tick, "ticks rise");
        for group in self.dirty.drain(..) {
            let group = &mut self.groups[group.0 as usize];
            group.changed.clear();
            group.arrived.clear();
            group.departed.clear();
            group.moved.clear();
        }
        self.previous = self.tick;
        self.tick = tick;
    }

    /// Removes the entity of a slot, if there is one.
    pub(super) fn remove(&mut self, slot: u16) {
        let member = self.member(slot);
        let Some(group) = member.group else { return };
        self.subtract_all(slot, member, group);
        self.touch(group).departed.push(slot);
        self.members[slot as usize].group = None;
        self.moving[slot as usize / 64] &= !(1 << (slot % 64));
    }

    /// The slots of a word (64 of them) that have a line with a rate, so that their values change by themselves.
    pub(super) fn moving(&self, word: usize) -> u64 {
        self.moving.get(word).copied().unwrap_or(0)
    }

    /// Fixes the fields of the entity in a slot. Slots come in ascending order.
    pub(super) fn put(&mut self, slot: u16, generation: u16, kind: u8, group: GroupId, fields: &Quantized) {
        self.grow_slots(slot);
        let old = self.members[slot as usize];
        let known = old.group.is_some() && old.generation == generation && old.kind == kind;
        let moves = self.find_codes(slot, kind, known, fields);
        if known && old.group == Some(group) {
            self.compare(slot, old, group, fields);
        } else {
            let is_shared = |group: GroupId| self.groups[group.0 as usize].shared;
            let from = old.group.filter(|from| known && is_shared(*from) && is_shared(group));
            let mask = if from.is_some() { self.differences(slot, fields) } else { 0 };
            self.remove(slot);
            self.members[slot as usize] =
                Member { group: Some(group), generation, kind, arrived: self.tick, mask, from };
            self.arrive(slot, group, fields);
        }
        let bit = 1 << (slot % 64);
        let word = &mut self.moving[slot as usize / 64];
        *word = if moves { *word | bit } else { *word & !bit };
    }

    /// Updates the member lists.
    pub(super) fn finish(&mut self) {
        for &id in &self.dirty {
            let group = &mut self.groups[id.0 as usize];
            if group.arrived.is_empty() && group.departed.is_empty() {
                continue;
            }
            self.merged.clear();
            let (mut arrived, mut departed) = (group.arrived.iter().peekable(), group.departed.iter().peekable());
            for (index, &slot) in group.members.iter().enumerate() {
                while let Some(new) = arrived.next_if(|new| **new <= slot) {
                    self.merged.push(*new);
                }
                if departed.next_if(|gone| **gone == slot).is_none() {
                    self.merged.push(slot);
                    continue;
                }
                if let Member { group: Some(to), from: Some(from), arrived, .. } = self.members[slot as usize]
                    && (from, arrived) == (id, self.tick)
                {
                    self.moves.push((to, Move { from, index: index as u32, slot }));
                }
            }
            self.merged.extend(arrived);
            std::mem::swap(&mut self.merged, &mut group.members);
        }
        self.moves.sort_unstable();
        for (to, arrival) in self.moves.drain(..) {
            self.groups[to.0 as usize].moved.push(arrival);
        }
    }

    fn grow_slots(&mut self, slot: u16) {
        let count = slot as usize + 1;
        if count > self.members.len() {
            let Layout { lane_stride, linear_stride, blob_stride, .. } = self.layout;
            self.members.resize(count, EMPTY);
            self.lanes.resize(count * lane_stride, 0);
            self.lanes_before.resize(count * lane_stride, 0);
            self.field_ticks.resize(count * (lane_stride + blob_stride), Tick(0));
            self.blobs.resize_with(count * blob_stride, Box::default);
            self.steps.resize(count * linear_stride, 0.0);
            self.moving.resize(count.div_ceil(64), 0);
        }
    }

    /// Marks a group as changed by this commit, and returns it.
    fn touch(&mut self, id: GroupId) -> &mut Group {
        let group = &mut self.groups[id.0 as usize];
        if group.version != self.tick {
            group.before = group.version;
            group.version = self.tick;
            self.versions[id.0 as usize] = self.tick;
            self.dirty.push(id);
        }
        group
    }

    fn arrive(&mut self, slot: u16, group: GroupId, fields: &Quantized) {
        let Layout { lane_stride, blob_stride, .. } = self.layout;
        let at = slot as usize;
        let Member { generation, kind, .. } = self.members[at];
        self.lanes[at * lane_stride..][..self.codes.len()].copy_from_slice(&self.codes);
        self.field_ticks[at * (lane_stride + blob_stride)..][..lane_stride + blob_stride].fill(self.tick);
        let mut hash = StateHash::member(slot, generation, kind);
        let layout = &self.layout.kinds[kind as usize];
        for index in 0..layout.lanes.len() {
            hash += StateHash::field(slot, generation, index as u32, layout.content(&self.codes, index));
        }
        for index in 0..fields.blob_count() {
            let bytes = fields.blob(index);
            let field = (fields.lanes.len() + index) as u32;
            hash += StateHash::field(slot, generation, field, StateHash::blob_content(bytes));
            // An entity that only changes its group keeps its blobs.
            let held = &mut self.blobs[at * blob_stride + index];
            if **held != *bytes {
                *held = bytes.into();
            }
        }
        let group = self.touch(group);
        group.hash += hash;
        group.arrived.push(slot);
    }

    fn subtract_all(&mut self, slot: u16, member: Member, group: GroupId) {
        let hash = self.member_hash(slot, member);
        self.groups[group.0 as usize].hash -= hash;
    }

    /// The contribution of a member and its fields to the hash of their group.
    fn member_hash(&self, slot: u16, member: Member) -> StateHash {
        let kind = self.kind(member);
        let (lanes, blobs) = (kind.lanes.len(), kind.blobs.len());
        let mut hash = StateHash::member(slot, member.generation, member.kind);
        let codes = self.lanes(slot);
        for index in 0..lanes {
            hash += StateHash::field(slot, member.generation, index as u32, kind.content(codes, index));
        }
        for (index, bytes) in self.blobs(slot)[..blobs].iter().enumerate() {
            let field = (lanes + index) as u32;
            hash += StateHash::field(slot, member.generation, field, StateHash::blob_content(bytes));
        }
        hash
    }

    /// Finds the fields that differ from the committed ones, and commits them.
    fn compare(&mut self, slot: u16, member: Member, group: GroupId, fields: &Quantized) {
        let Layout { lane_stride, blob_stride, .. } = self.layout;
        let at = slot as usize;
        let count = fields.lanes.len();
        let old = &mut self.lanes[at * lane_stride..][..self.codes.len()];
        let ticks = &mut self.field_ticks[at * (lane_stride + blob_stride)..][..lane_stride + blob_stride];
        let (mut mask, mut delta) = (0u64, StateHash::default());
        self.lanes_before[at * lane_stride..][..old.len()].copy_from_slice(old);
        if *old != *self.codes {
            let kind = &self.layout.kinds[member.kind as usize];
            for index in 0..count {
                let [before, after] = [&*old, &self.codes].map(|codes| kind.content(codes, index));
                let rate = kind.lanes[index].rate.is_some_and(|rate| old[rate] != self.codes[rate]);
                if old[index] != self.codes[index] || rate {
                    mask |= 1 << index;
                    ticks[index] = self.tick;
                    delta += StateHash::field(slot, member.generation, index as u32, after);
                    delta -= StateHash::field(slot, member.generation, index as u32, before);
                }
            }
            old.copy_from_slice(&self.codes);
        }
        for index in 0..fields.blob_count() {
            let (old, new) = (&mut self.blobs[at * blob_stride + index], fields.blob(index));
            if **old != *new {
                let field = count + index;
                mask |= 1 << field;
                ticks[field] = self.tick;
                delta += StateHash::field(slot, member.generation, field as u32, StateHash::blob_content(new));
                delta -= StateHash::field(slot, member.generation, field as u32, StateHash::blob_content(old));
                *old = new.into();
            }
        }
        if mask != 0 {
            self.members[at].mask = mask;
            let group = self.touch(group);
            group.hash += delta;
            group.changed.push(slot);
        }
    }
}
