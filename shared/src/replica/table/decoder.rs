//! Reads chunks into tables: all three forms, and members that move from one table to another within a frame.

use super::{Table, TableMember, Whole};
use crate::{
    bits::BitReader,
    chunk,
    frame::BitList,
    hash::StateHash,
    id::{GroupId, Tick},
    replica::{Anatomy, BadChunk, Seen},
    replicate::Layout,
};

/// The context shared by the chunks of one frame.
pub(in crate::replica) struct Frame<'a> {
    pub(in crate::replica) layout: &'a Layout,
    pub(in crate::replica) tick: Tick,
    pub(in crate::replica) others: Others<'a>,
    /// The members that left a table with this frame.
    pub(in crate::replica) gone: &'a mut Gone,
    pub(in crate::replica) anatomy: &'a mut Anatomy,
}

/// The tables beside the one being read.
#[derive(Default)]
pub(in crate::replica) struct Others<'a> {
    pub(in crate::replica) view: &'a [Seen],
    /// The groups of the view that have a chunk, and the index in the view of the one being read.
    pub(in crate::replica) chunks: BitList<'a>,
    pub(in crate::replica) index: usize,
    /// The groups that this frame has removed from the view.
    pub(in crate::replica) left: &'a [Seen],
}

impl Others<'_> {
    /// The table of a group as it was before this frame; `None` if a chunk has changed it since.
    fn before(&self, group: GroupId) -> Option<&Table> {
        let left = self.left.iter().find(|seen| seen.id == group);
        let seen = left.or_else(|| {
            let index = self.view.binary_search_by_key(&group, |seen| seen.id).ok()?;
            (index > self.index || !self.chunks.get(index)).then(|| &self.view[index])
        });
        seen.map(|seen| &seen.table)
    }
}

/// Members that left their groups with one frame, as they were there: moves are resolved against them.
#[derive(Default)]
pub(in crate::replica) struct Gone(Vec<(GroupId, Tick, usize, Whole)>);

impl Gone {
    fn push(&mut self, group: GroupId, base: Tick, index: usize, whole: Whole) {
        self.0.push((group, base, index, whole));
    }
}

impl Frame<'_> {
    /// A member of another group as it was before this frame.
    fn resolve(&self, from: GroupId, base: Tick, index: u32) -> Result<Whole, BadChunk> {
        let index = index as usize;
        // Chunks are in the order of their groups, departures in the order of their indexes.
        let gone = self.gone.0.binary_search_by_key(&(from, index), |(group, _, index, _)| (*group, *index));
        if let Some((_, held, _, whole)) = gone.ok().map(|at| &self.gone.0[at])
            && *held == base
        {
            return Ok(whole.clone());
        }
        let table = self.others.before(from);
        let held = table.map_or(Tick(0), |table| table.version);
        let table = table.filter(|_| held == base && base > Tick(0)).ok_or(BadChunk::WrongBase { held, base })?;
        if index >= table.members.len() {
            return Err(BadChunk::OutOfRange);
        }
        Ok(table.whole(self.layout, index))
    }
}

impl Table {
    /// As [`Table::apply`], for a group among others; counts the bits by purpose.
    pub(in crate::replica) fn read(
        &mut self,
        frame: &mut Frame<'_>,
        group: GroupId,
        bytes: &[u8],
        fresh: Tick,
    ) -> Result<usize, BadChunk> {
        let (counted, layout, tick) = (Anatomy::default(), frame.layout, frame.tick);
        let mut decoder = Decoder { layout, bits: BitReader::new(bytes), table: self, counted, frame, group };
        if decoder.bits.read(1)? == 0 {
            decoder.delta(tick)?;
        } else if decoder.bits.read(1)? == 0 {
            decoder.catch_up(fresh)?;
        } else {
            decoder.snapshot()?;
        }
        let read = decoder.bits.bytes_read();
        decoder.counted.chunk_headers = 8 * read as u64 - decoder.counted.bits();
        *decoder.frame.anatomy += decoder.counted;
        Ok(read)
    }
}

struct Decoder<'a, 'b> {
    layout: &'a Layout,
    bits: BitReader<'a>,
    table: &'a mut Table,
    counted: Anatomy,
    frame: &'a mut Frame<'b>,
    group: GroupId,
}

/// Fewest bits of a move: its gap, and whether anything has changed.
const MOVE_BITS: usize = 4;

/// Fewest bits of a member in a list of whole ones: its gap and its generation.
const WHOLE_BITS: usize = 6;

impl Decoder<'_, '_> {
    fn delta(&mut self, tick: Tick) -> Result<(), BadChunk> {
        let age = self.bits.read_golomb(0)?;
        let base = tick.0.checked_sub(age).and_then(|base| base.checked_sub(1)).ok_or(BadChunk::OutOfRange)?;
        if Tick(base) != self.table.version {
            return Err(BadChunk::WrongBase { held: self.table.version, base: Tick(base) });
        }
        let changed = self.bits.read_golomb(chunk::CHANGED_ORDER)?;
        if changed > 0 {
            let order = self.bits.read(chunk::ORDER_BITS)?;
            let start = self.bits.position();
            let mut next = 0;
            for _ in 0..changed {
                next = self.index(next, order)? + 1;
                self.changes(next - 1, tick)?;
            }
            self.counted.lanes += self.bits.position() - start;
        }
        let departed = self.bits.read_golomb(chunk::DEPARTED_ORDER)?;
        if departed as usize > self.table.members.len() {
            return Err(BadChunk::OutOfRange);
        }
        let start = self.bits.position();
        let mut gone = Vec::with_capacity(departed as usize);
        for _ in 0..departed {
            let next = gone.last().map_or(0, |last| last + 1);
            gone.push(self.index(next, chunk::DEPARTED_GAP_ORDER)?);
        }
        self.counted.membership += self.bits.position() - start;
        let mut arrivals = self.wholes(chunk::ARRIVED_ORDER)?;
        let sources = self.count(chunk::SOURCES_ORDER, 1)?;
        self.sources(sources, tick, &mut arrivals)?;
        self.counted.membership += self.counted.snapshots;
        self.counted.snapshots = 0;
        if !gone.is_empty() || !arrivals.is_empty() {
            self.merge(&gone, arrivals);
        }
        self.table.version = tick;
        Ok(())
    }

    /// Reads arrivals from other groups.
    fn sources(&mut self, sources: usize, tick: Tick, arrivals: &mut Vec<Whole>) -> Result<(), BadChunk> {
        if sources == 0 {
            return Ok(());
        }
        for _ in 0..sources {
            self.bits.align();
            if self.bits.read(1)? == 1 {
                let mut wholes = self.wholes(chunk::ARRIVED_ORDER)?;
                arrivals.append(&mut wholes);
            } else {
                let start = self.bits.position();
                self.moves(tick, arrivals)?;
                self.counted.membership += self.bits.position() - start;
            }
        }
        arrivals.sort_unstable_by_key(|whole| whole.member.slot);
        let twice = arrivals.windows(2).any(|pair| pair[0].member.slot == pair[1].member.slot);
        if twice { Err(BadChunk::OutOfRange) } else { Ok(()) }
    }

    fn moves(&mut self, tick: Tick, arrivals: &mut Vec<Whole>) -> Result<(), BadChunk> {
        let distance = self.bits.read_golomb(chunk::FROM_ORDER)?.wrapping_add(1);
        let from = GroupId(self.group.0.wrapping_add(chunk::undo_zigzag(distance)));
        let age = self.bits.read_golomb(0)?;
        let base = tick.0.checked_sub(age).and_then(|base| base.checked_sub(1)).ok_or(BadChunk::OutOfRange)?;
        let count = self.count(chunk::ARRIVED_ORDER, MOVE_BITS)?;
        let mut next = 0_u32;
        for _ in 0..count {
            let index = next.checked_add(self.bits.read_golomb(chunk::DEPARTED_GAP_ORDER)?);
            let index = index.ok_or(BadChunk::OutOfRange)?;
            next = index.checked_add(1).ok_or(BadChunk::OutOfRange)?;
            let mut whole = self.frame.resolve(from, Tick(base), index)?;
            if self.bits.read(1)? == 1 {
                whole = self.changed(whole, tick)?;
            }
            arrivals.push(whole);
        }
        self.counted.moves += count as u64;
        Ok(())
    }

    /// Reads the changes of an arrival, which is put at the end of the table for this moment.
    fn changed(&mut self, mut whole: Whole, tick: Tick) -> Result<Whole, BadChunk> {
        let (index, hash) = (self.table.members.len(), self.table.hash);
        self.table.push(self.layout, whole.member, &whole.lanes, &mut whole.blobs);
        self.changes(index, tick)?;
        let whole = self.table.whole(self.layout, index);
        self.table.members.truncate(index);
        self.table.lanes.truncate(index * self.layout.lane_stride);
        self.table.blobs.truncate(index * self.layout.blob_stride);
        self.table.hash = hash;
        Ok(whole)
    }

    fn snapshot(&mut self) -> Result<(), BadChunk> {
        let version = Tick(self.bits.read(32)?);
        let wholes = self.wholes(chunk::MEMBERS_ORDER)?;
        *self.table = Table { version, ..Table::default() };
        self.merge(&[], wholes);
        Ok(())
    }

    fn catch_up(&mut self, fresh: Tick) -> Result<(), BadChunk> {
        let version = Tick(self.bits.read(32)?);
        let since = Tick(self.bits.read(32)?);
        if fresh.max(self.table.version) < since {
            return Err(BadChunk::WrongBase { held: fresh, base: since });
        }
        let mut old = std::mem::take(self.table);
        self.table.version = version;
        let count = self.count(chunk::MEMBERS_ORDER, 2)?;
        let order = if count > 0 { self.bits.read(chunk::ORDER_BITS)? } else { 0 };
        let start = self.bits.position();
        let (mut next, mut index) = (0, 0);
        for _ in 0..count {
            let slot = self.slot(next, order)?;
            next = u32::from(slot) + 1;
            if self.bits.read(1)? == 1 {
                let mut whole = self.whole(slot)?;
                self.table.push(self.layout, whole.member, &whole.lanes, &mut whole.blobs);
            } else {
                index += old.members[index..].partition_point(|member| member.slot < slot);
                if old.members.get(index).is_none_or(|member| member.slot != slot) {
                    return Err(BadChunk::OutOfRange);
                }
                self.table.push_from(self.layout, &mut old, index);
                self.absolute_changes()?;
            }
        }
        self.counted.snapshots += self.bits.position() - start;
        self.table.rehash(self.layout);
        Ok(())
    }

    /// Reads an index in the member list, as a distance from `next`.
    fn index(&mut self, next: usize, order: u32) -> Result<usize, BadChunk> {
        let index = next + self.bits.read_golomb(order)? as usize;
        if index < self.table.members.len() { Ok(index) } else { Err(BadChunk::OutOfRange) }
    }

    fn slot(&mut self, next: u32, order: u32) -> Result<u16, BadChunk> {
        let slot = next.checked_add(self.bits.read_golomb(order)?).ok_or(BadChunk::OutOfRange)?;
        u16::try_from(slot).map_err(|_| BadChunk::OutOfRange)
    }

    /// Reads a number of items of at least `bits_each` bits each.
    fn count(&mut self, order: u32, bits_each: usize) -> Result<usize, BadChunk> {
        let count = self.bits.read_golomb(order)? as usize;
        if count <= self.bits.remaining() / bits_each { Ok(count) } else { Err(BadChunk::Truncated) }
    }

    fn wholes(&mut self, order: u32) -> Result<Vec<Whole>, BadChunk> {
        let count = self.count(order, WHOLE_BITS)?;
        // Slots ascend, so a list that is longer than there are slots is detected before its end.
        let mut wholes = Vec::with_capacity(count.min(1 << 16));
        if count > 0 {
            let order = self.bits.read(chunk::ORDER_BITS)?;
            let start = self.bits.position();
            let mut next = 0;
            for _ in 0..count {
                let slot = self.slot(next, order)?;
                next = u32::from(slot) + 1;
                wholes.push(self.whole(slot)?);
            }
            self.counted.snapshots += self.bits.position() - start;
        }
        Ok(wholes)
    }

    fn whole(&mut self, slot: u16) -> Result<Whole, BadChunk> {
        let generation = self.bits.read_golomb(chunk::GENERATION_ORDER)?;
        let generation = u16::try_from(generation).map_err(|_| BadChunk::OutOfRange)?;
        let number = self.bits.read(self.layout.kind_bits)?;
        let kind = self.layout.kinds.get(number as usize).ok_or(BadChunk::OutOfRange)?;
        let member = TableMember { slot, generation, kind: number as u8 };
        let mut lanes = vec![0; kind.codes()];
        for index in 0..kind.lanes.len() {
            kind.read_whole(index, &mut lanes, &mut self.bits)?;
        }
        let blobs = kind.blobs.iter().map(|max_len| self.blob(*max_len)).collect::<Result<_, _>>()?;
        Ok(Whole { member, lanes, blobs })
    }

    fn blob(&mut self, max_len: u32) -> Result<Box<[u8]>, BadChunk> {
        let length = self.bits.read_golomb(chunk::BLOB_ORDER)?;
        if length > max_len || length as usize > self.bits.remaining() / 8 {
            return Err(BadChunk::OutOfRange);
        }
        let bytes: Result<Vec<u8>, _> = (0..length).map(|_| self.bits.read(8).map(|byte| byte as u8)).collect();
        Ok(bytes?.into_boxed_slice())
    }

    /// Reads the changes of a member in a delta, and updates the hash.
    fn changes(&mut self, at: usize, tick: Tick) -> Result<(), BadChunk> {
        let TableMember { slot, generation, kind } = self.table.members[at];
        let kind = &self.layout.kinds[kind as usize];
        let mask = match kind.mask.as_deref() {
            Some(code) => u64::from(code.read(&mut self.bits)?),
            None => self.bits.read_wide(kind.fields() as u32)?,
        };
        let term = |index: usize, content| StateHash::field(slot, generation, index as u32, content);
        let codes = &mut self.table.lanes[at * self.layout.lane_stride..];
        for (index, lane) in kind.lanes.iter().enumerate().filter(|(index, _)| mask >> index & 1 == 1) {
            let before = kind.content(codes, index);
            kind.follow(index, codes, lane.read_change(&mut self.bits)?, tick.0);
            self.table.hash -= term(index, before);
            self.table.hash += term(index, kind.content(codes, index));
        }
        for (index, max_len) in kind.blobs.iter().enumerate() {
            let field = kind.lanes.len() + index;
            if mask >> field & 1 == 1 {
                let new = self.blob(*max_len)?;
                let old = &mut self.table.blobs[at * self.layout.blob_stride + index];
                self.table.hash -= term(field, StateHash::blob_content(old));
                self.table.hash += term(field, StateHash::blob_content(&new));
                *old = new;
            }
        }
        Ok(())
    }

    /// Reads the changes of the last member in a catch-up.
    fn absolute_changes(&mut self) -> Result<(), BadChunk> {
        let at = self.table.members.len() - 1;
        let kind = &self.layout.kinds[self.table.members[at].kind as usize];
        let mask = self.bits.read_wide(kind.fields() as u32)?;
        let codes = &mut self.table.lanes[at * self.layout.lane_stride..];
        for index in (0..kind.lanes.len()).filter(|index| mask >> index & 1 == 1) {
            kind.read_whole(index, codes, &mut self.bits)?;
        }
        for (index, max_len) in kind.blobs.iter().enumerate() {
            if mask >> (kind.lanes.len() + index) & 1 == 1 {
                self.table.blobs[at * self.layout.blob_stride + index] = self.blob(*max_len)?;
            }
        }
        Ok(())
    }

    /// Removes members by their indexes and inserts new ones by their slots; a new one replaces the member in its slot.
    fn merge(&mut self, gone: &[usize], arrivals: Vec<Whole>) {
        let mut old = std::mem::take(self.table);
        self.table.version = old.version;
        self.table.hash = old.hash;
        let count = old.members.len() - gone.len() + arrivals.len();
        self.table.members.reserve(count);
        self.table.lanes.reserve(count * self.layout.lane_stride);
        let mut gone = gone.iter().peekable();
        let mut arrivals = arrivals.into_iter().peekable();
        for index in 0..old.members.len() {
            let slot = old.members[index].slot;
            let mut leaves = gone.next_if(|gone| **gone == index).is_some();
            while let Some(whole) = arrivals.next_if(|whole| whole.member.slot <= slot) {
                leaves |= whole.member.slot == slot;
                self.arrive(whole);
            }
            if leaves {
                self.table.hash -= old.member_hash(self.layout, index);
                self.frame.gone.push(self.group, old.version, index, old.whole(self.layout, index));
            } else {
                self.table.push_from(self.layout, &mut old, index);
            }
        }
        arrivals.for_each(|whole| self.arrive(whole));
    }

    fn arrive(&mut self, mut whole: Whole) {
        self.table.push(self.layout, whole.member, &whole.lanes, &mut whole.blobs);
        self.table.hash += self.table.member_hash(self.layout, self.table.members.len() - 1);
    }
}
