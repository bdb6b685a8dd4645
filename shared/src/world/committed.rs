//! What was committed: the quantized fields of every entity, the groups they form, and what the last commit changed.
//!
//! This is all that chunk encoders read. It knows no author types; [`World`](super::World) fills it.

use crate::{
    game::Tick,
    hash::StateHash,
    replicate::{Coding, EntitySchema, Quantized},
};

use super::GroupId;

mod fault;

pub use fault::Fault;

/// What an encoder or decoder must know of the kinds: counts, widths, codings. Made from a schema.
#[derive(Clone, Debug)]
pub struct Layout {
    /// By kind number.
    pub kinds: Vec<KindLayout>,
    /// Most lanes of any kind.
    pub lane_stride: usize,
    /// Most blobs of any kind.
    pub blob_stride: usize,
    /// Bits of a kind number.
    pub kind_bits: u32,
}

/// The lanes and blobs of one kind.
#[derive(Clone, Debug)]
pub struct KindLayout {
    /// Width in bits and Golomb order of each lane.
    pub lanes: Vec<LaneLayout>,
    /// Most bytes of each blob.
    pub blobs: Vec<u32>,
}

/// The width and coding of one lane.
#[derive(Clone, Copy, Debug)]
pub struct LaneLayout {
    /// Bits of a code.
    pub bits: u32,
    /// Order of the Golomb code of its changes.
    pub golomb: u32,
}

impl KindLayout {
    /// How many bits a change mask of this kind has.
    pub fn fields(&self) -> usize {
        self.lanes.len() + self.blobs.len()
    }
}

impl Layout {
    /// The layout of a schema.
    pub fn new(schema: &EntitySchema) -> Self {
        let kinds: Vec<KindLayout> = schema
            .kinds
            .iter()
            .map(|kind| KindLayout {
                lanes: kind
                    .lanes
                    .iter()
                    .map(|lane| {
                        let Coding::Golomb { k } = lane.coding;
                        LaneLayout { bits: lane.quantizer.bits().min(32), golomb: u32::from(k).min(31) }
                    })
                    .collect(),
                blobs: kind.blobs.iter().map(|blob| blob.max_len).collect(),
            })
            .collect();
        let kind_bits = usize::BITS - kinds.len().saturating_sub(1).leading_zeros();
        Self {
            lane_stride: kinds.iter().map(|kind| kind.lanes.len()).max().unwrap_or(0),
            blob_stride: kinds.iter().map(|kind| kind.blobs.len()).max().unwrap_or(0),
            kind_bits,
            kinds,
        }
    }
}

/// An entity as it was committed.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The group in which it stands; `None` for an empty slot.
    pub group: Option<GroupId>,
    /// The low 16 bits of its generation.
    pub generation: u16,
    /// Its kind.
    pub kind: u8,
    /// When it arrived in its group.
    pub arrived: Tick,
    /// The fields that the last commit changed; only valid for slots listed in [`Group::changed`].
    pub mask: u64,
}

/// A group as it was committed. Lists are slots in rising order.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Who stands in it.
    pub members: Vec<u16>,
    /// The tick of its last change, arrival or departure; 0 for never.
    pub version: Tick,
    /// The hash of its members and their fields.
    pub hash: StateHash,
    /// Members whose fields the last commit changed. Only valid while `version` is the tick of the last commit.
    pub changed: Vec<u16>,
    /// Slots that the last commit gave a new member.
    pub arrived: Vec<u16>,
    /// Slots whose member the last commit took away; a slot whose member was replaced is in both lists.
    pub departed: Vec<u16>,
    before: Tick,
}

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
    groups: Vec<Group>,
    dirty: Vec<GroupId>,
    merged: Vec<u16>,
}

const EMPTY: Member = Member { group: None, generation: 0, kind: 0, arrived: Tick(0), mask: 0 };

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
            groups: Vec::new(),
            dirty: Vec::new(),
            merged: Vec::new(),
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

    /// How many groups there are; ids are below.
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

    /// The version that a group had at the commit before the last.
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

    /// The kind of a member, as a layout.
    #[inline]
    pub fn kind(&self, member: Member) -> &KindLayout {
        &self.layout.kinds[member.kind as usize]
    }

    /// The codes of a slot's lanes; those beyond its kind's are meaningless.
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

    /// When each field of a slot (lanes, then blobs) last changed or arrived.
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

    pub(super) fn grow_groups(&mut self, count: usize) {
        if count > self.groups.len() {
            self.groups.resize_with(count, Group::default);
        }
    }

    pub(super) fn begin(&mut self, tick: Tick) {
        debug_assert!(tick > self.tick, "ticks rise");
        for group in self.dirty.drain(..) {
            let group = &mut self.groups[group.0 as usize];
            group.changed.clear();
            group.arrived.clear();
            group.departed.clear();
        }
        self.previous = self.tick;
        self.tick = tick;
    }

    /// Takes the entity of a slot away, if it has one.
    pub(super) fn remove(&mut self, slot: u16) {
        let member = self.member(slot);
        let Some(group) = member.group else { return };
        self.subtract_all(slot, member, group);
        self.touch(group).departed.push(slot);
        self.members[slot as usize].group = None;
    }

    /// Fixes the fields of the entity in a slot. Slots come in rising order.
    pub(super) fn put(&mut self, slot: u16, generation: u16, kind: u8, group: GroupId, fields: &Quantized) {
        self.grow_slots(slot);
        let old = self.members[slot as usize];
        if old.group == Some(group) && old.generation == generation && old.kind == kind {
            self.compare(slot, old, group, fields);
        } else {
            self.remove(slot);
            self.arrive(slot, generation, kind, group, fields);
        }
    }

    /// Brings the member lists up to date.
    pub(super) fn finish(&mut self) {
        for &id in &self.dirty {
            let group = &mut self.groups[id.0 as usize];
            if group.arrived.is_empty() && group.departed.is_empty() {
                continue;
            }
            self.merged.clear();
            let (mut arrived, mut departed) = (group.arrived.iter().peekable(), group.departed.iter().peekable());
            for &slot in &group.members {
                while let Some(new) = arrived.next_if(|new| **new <= slot) {
                    self.merged.push(*new);
                }
                if departed.next_if(|gone| **gone == slot).is_none() {
                    self.merged.push(slot);
                }
            }
            self.merged.extend(arrived);
            std::mem::swap(&mut self.merged, &mut group.members);
        }
    }

    fn grow_slots(&mut self, slot: u16) {
        let count = slot as usize + 1;
        if count > self.members.len() {
            let Layout { lane_stride, blob_stride, .. } = self.layout;
            self.members.resize(count, EMPTY);
            self.lanes.resize(count * lane_stride, 0);
            self.lanes_before.resize(count * lane_stride, 0);
            self.field_ticks.resize(count * (lane_stride + blob_stride), Tick(0));
            self.blobs.resize_with(count * blob_stride, Box::default);
        }
    }

    /// The group, marked as changed by this commit.
    fn touch(&mut self, id: GroupId) -> &mut Group {
        let group = &mut self.groups[id.0 as usize];
        if group.version != self.tick {
            group.before = group.version;
            group.version = self.tick;
            self.dirty.push(id);
        }
        group
    }

    fn arrive(&mut self, slot: u16, generation: u16, kind: u8, group: GroupId, fields: &Quantized) {
        let Layout { lane_stride, blob_stride, .. } = self.layout;
        let at = slot as usize;
        self.members[at] = Member { group: Some(group), generation, kind, arrived: self.tick, mask: 0 };
        self.lanes[at * lane_stride..][..fields.lanes.len()].copy_from_slice(&fields.lanes);
        self.field_ticks[at * (lane_stride + blob_stride)..][..lane_stride + blob_stride].fill(self.tick);
        let mut hash = StateHash::member(slot, generation, kind);
        for (index, &code) in fields.lanes.iter().enumerate() {
            hash += StateHash::field(slot, generation, index as u32, code);
        }
        for index in 0..fields.blob_count() {
            let bytes = fields.blob(index);
            let field = (fields.lanes.len() + index) as u32;
            hash += StateHash::field(slot, generation, field, StateHash::blob_content(bytes));
            // Who only changes its group keeps them.
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
        let kind = self.kind(member);
        let (lanes, blobs) = (kind.lanes.len(), kind.blobs.len());
        let mut hash = StateHash::member(slot, member.generation, member.kind);
        for (index, &code) in self.lanes(slot)[..lanes].iter().enumerate() {
            hash += StateHash::field(slot, member.generation, index as u32, code);
        }
        for (index, bytes) in self.blobs(slot)[..blobs].iter().enumerate() {
            let field = (lanes + index) as u32;
            hash += StateHash::field(slot, member.generation, field, StateHash::blob_content(bytes));
        }
        self.groups[group.0 as usize].hash -= hash;
    }

    /// Finds which fields differ from what was committed before, and commits those.
    fn compare(&mut self, slot: u16, member: Member, group: GroupId, fields: &Quantized) {
        let Layout { lane_stride, blob_stride, .. } = self.layout;
        let at = slot as usize;
        let count = fields.lanes.len();
        let old = &mut self.lanes[at * lane_stride..][..count];
        let ticks = &mut self.field_ticks[at * (lane_stride + blob_stride)..][..lane_stride + blob_stride];
        let (mut mask, mut delta) = (0u64, StateHash::default());
        self.lanes_before[at * lane_stride..][..count].copy_from_slice(old);
        if *old != *fields.lanes {
            for (index, (old, &new)) in
                old.iter_mut().zip(&fields.lanes).enumerate().filter(|(_, (old, new))| *old != *new)
            {
                mask |= 1 << index;
                ticks[index] = self.tick;
                delta += StateHash::field(slot, member.generation, index as u32, new);
                delta -= StateHash::field(slot, member.generation, index as u32, *old);
                *old = new;
            }
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
