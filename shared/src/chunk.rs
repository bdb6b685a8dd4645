//! The encoded change of one group, in three forms from one encoder: *delta* (from exactly one version), *catch-up*
//! (for a client that holds any state since a tick) and *snapshot* (for a client that holds nothing).
//!
//! ```text
//! delta    0    base:G0(tick - base - 1)
//!               changed:G1 [order:4 (gap:Gorder entity)*]       gaps between places in the member list of the base
//!               departed:G0 [(gap:G2)*]                         the same
//!               arrived:G0 [order:4 (gap:Gorder whole)*]        gaps between slots
//!               sources:G0, padded; then for each source one of these, padded:
//! moves    0    from:G3(zigzag(from - to) - 1) base:G0(tick - base - 1) count:G0
//!               (gap:G2 (1 entity | 0))*                        gaps between places in the member list of from's base
//! wholes   1    count:G0 [order:4 (gap:Gorder whole)*]
//! catch-up 10   version:32 since:32 members:G4 [order:4 (gap:Gorder 1 whole | gap:Gorder 0 mask absolute*)*]
//! snapshot 11   version:32 members:G4 [order:4 (gap:Gorder whole)*]
//! entity        mask:fields, for each set bit: lane difference:G(lane) | blob
//! whole         generation:G4 kind:kind_bits, every lane as it is, every blob
//! linear lane   difference: 0 | 1 rate:G(lane), error:G3       as it is: 0 code | 1 origin:bits+8 rate:G(lane)
//!   learned     difference: rate:change error:error            as it is: rate:whole, code | origin:bits+8
//! blob          length:G4, bytes
//! ```
//!
//! `Gk` is an exponential Golomb code of order k, a plain number a width in bits (see [`crate::bits`]); a chunk is
//! padded to whole bytes. A delta leads to the tick of its frame. The difference of a lane is taken modulo its width,
//! zigzagged, less one; a lane of one bit has none, since it can only flip. The difference of a linear lane is that of
//! the rates, with the error by which the new line misses the old one at the tick before. A
//! [learned code](crate::prefix) replaces the default one for the mask, the difference, and a held lane as it is.
//! `lane` writes and reads lanes; [`Table::apply`](crate::replica::Table) decodes chunks.

use crate::{
    bits::BitWriter,
    id::{GroupId, Tick},
    world::{Committed, Member, Move},
};

mod lane;

pub(crate) use lane::{Change, ERROR_ORDER, undo_zigzag, zigzag};

pub(crate) const CHANGED_ORDER: u32 = 1;
pub(crate) const DEPARTED_ORDER: u32 = 0;
pub(crate) const DEPARTED_GAP_ORDER: u32 = 2;
pub(crate) const ARRIVED_ORDER: u32 = 0;
pub(crate) const MEMBERS_ORDER: u32 = 4;
pub(crate) const BLOB_ORDER: u32 = 4;
pub(crate) const ORDER_BITS: u32 = 4;
pub(crate) const GENERATION_ORDER: u32 = 4;
pub(crate) const SOURCES_ORDER: u32 = 0;
pub(crate) const FROM_ORDER: u32 = 3;

/// The form of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// From exactly the version before the last commit.
    Delta,
    /// For a client that holds the state of this tick or of a later one.
    CatchUp(Tick),
    /// For a client that holds nothing.
    Snapshot,
}

/// Appends the chunk of a group in this form. It leads to the state of the last commit.
///
/// A delta makes sense only for a group that the last commit changed.
pub fn encode(world: &Committed, group: GroupId, form: Form, out: &mut Vec<u8>) {
    encode_for(world, group, form, |_| false, out);
}

/// As [`encode`], for a client that `holds` other groups at the versions before the last commit: members that come from
/// these are moves.
pub fn encode_for(world: &Committed, group: GroupId, form: Form, holds: impl Fn(GroupId) -> bool, out: &mut Vec<u8>) {
    encode_core(world, group, form, out);
    if form == Form::Delta {
        for moves in sources(world, group) {
            encode_source(world, group, moves, holds(moves[0].from), out);
        }
    }
}

/// Appends the part of a chunk that is the same for everybody. In a delta each of its [`sources`] follows, in their
/// order.
pub fn encode_core(world: &Committed, group: GroupId, form: Form, out: &mut Vec<u8>) {
    let mut encoder = Encoder { world, bits: BitWriter::new(out) };
    match form {
        Form::Delta => encoder.delta(group),
        Form::CatchUp(since) => encoder.since(group, Some(since)),
        Form::Snapshot => encoder.since(group, None),
    }
    encoder.bits.finish();
}

/// The members that came to a group with the last commit, one list for each group that they came from.
pub fn sources(world: &Committed, group: GroupId) -> impl Iterator<Item = &[Move]> {
    world.group(group).moved.chunk_by(|a, b| a.from == b.from)
}

/// Appends one of the [`sources`] of a delta: as moves for a client that holds the group they came from, else whole.
pub fn encode_source(world: &Committed, to: GroupId, moves: &[Move], held: bool, out: &mut Vec<u8>) {
    let mut encoder = Encoder { world, bits: BitWriter::new(out) };
    if held {
        encoder.moves(to, moves);
    } else {
        encoder.bits.write(1, 1);
        encoder.bits.write_golomb(moves.len() as u32, ARRIVED_ORDER);
        let slots = moves.iter().map(|arrival| arrival.slot);
        encoder.by_slot(slots, |encoder, slot| encoder.whole(slot, encoder.world.member(slot)));
    }
    encoder.bits.finish();
}

struct Encoder<'a> {
    world: &'a Committed,
    bits: BitWriter<'a>,
}

impl Encoder<'_> {
    fn delta(&mut self, id: GroupId) {
        let group = self.world.group(id);
        debug_assert_eq!(group.version, self.world.tick(), "a delta needs a change");
        self.bits.write(0, 1);
        self.bits.write_golomb(group.version.0 - self.world.version_before(id).0 - 1, 0);

        let mut indexes = OldIndexes::new(&group.members, &group.arrived, &group.departed);
        self.bits.write_golomb(group.changed.len() as u32, CHANGED_ORDER);
        if !group.changed.is_empty() {
            let order = self.write_order(group.members.len(), group.changed.len());
            let mut next = 0;
            for &slot in &group.changed {
                let index = indexes.of(slot);
                self.bits.write_golomb(index - next, order);
                next = index + 1;
                self.changes(slot);
            }
        }

        // A slot whose member was replaced is only told as an arrival.
        let gone = || group.departed.iter().filter(|slot| group.arrived.binary_search(slot).is_err());
        self.bits.write_golomb(gone().count() as u32, DEPARTED_ORDER);
        let mut indexes = OldIndexes::new(&group.members, &group.arrived, &group.departed);
        let mut next = 0;
        for &slot in gone() {
            let index = indexes.of(slot);
            self.bits.write_golomb(index - next, DEPARTED_GAP_ORDER);
            next = index + 1;
        }

        let new = group.arrived.iter().copied().filter(|slot| self.world.member(*slot).from.is_none());
        self.bits.write_golomb((group.arrived.len() - group.moved.len()) as u32, ARRIVED_ORDER);
        self.by_slot(new, |encoder, slot| encoder.whole(slot, encoder.world.member(slot)));
        self.bits.write_golomb(sources(self.world, id).count() as u32, SOURCES_ORDER);
    }

    fn moves(&mut self, to: GroupId, moves: &[Move]) {
        let from = moves[0].from;
        self.bits.write(0, 1);
        self.bits.write_golomb(zigzag(from.0.wrapping_sub(to.0) as i32) - 1, FROM_ORDER);
        self.bits.write_golomb(self.world.tick().0 - self.world.version_before(from).0 - 1, 0);
        self.bits.write_golomb(moves.len() as u32, ARRIVED_ORDER);
        let mut next = 0;
        for Move { index, slot, .. } in moves {
            self.bits.write_golomb(index - next, DEPARTED_GAP_ORDER);
            next = index + 1;
            let changed = self.world.member(*slot).mask != 0;
            self.bits.write(u32::from(changed), 1);
            if changed {
                self.changes(*slot);
            }
        }
    }

    fn since(&mut self, id: GroupId, since: Option<Tick>) {
        let group = self.world.group(id);
        self.bits.write(1, 1);
        self.bits.write(u32::from(since.is_none()), 1);
        self.bits.write(group.version.0, 32);
        if let Some(since) = since {
            self.bits.write(since.0, 32);
        }
        self.bits.write_golomb(group.members.len() as u32, MEMBERS_ORDER);
        self.by_slot(group.members.iter().copied(), |encoder, slot| {
            let member = encoder.world.member(slot);
            match since {
                None => encoder.whole(slot, member),
                Some(since) if member.arrived > since => {
                    encoder.bits.write(1, 1);
                    encoder.whole(slot, member);
                }
                Some(since) => {
                    encoder.bits.write(0, 1);
                    encoder.changes_since(slot, member, since);
                }
            }
        });
    }

    /// Writes slots in ascending order as gaps, each followed by what `item` writes.
    fn by_slot(&mut self, slots: impl Iterator<Item = u16> + Clone, mut item: impl FnMut(&mut Self, u16)) {
        let (count, last) = slots.clone().fold((0, 0), |(count, _), slot| (count + 1, slot));
        if count == 0 {
            return;
        }
        let order = self.write_order(last as usize + 1, count);
        let mut next = 0;
        for slot in slots {
            self.bits.write_golomb(u32::from(slot) - next, order);
            next = u32::from(slot) + 1;
            item(self, slot);
        }
    }

    /// Writes the Golomb order that suits `count` gaps over a range of `span`.
    fn write_order(&mut self, span: usize, count: usize) -> u32 {
        let order = (span / count).checked_ilog2().unwrap_or(0).saturating_sub(1).min(15);
        self.bits.write(order, ORDER_BITS);
        order
    }

    fn changes(&mut self, slot: u16) {
        let member = self.world.member(slot);
        let kind = self.world.kind(member);
        let (old, new, tick) = (self.world.lanes_before(slot), self.world.lanes(slot), self.world.tick().0);
        match kind.mask.as_deref() {
            Some(code) => code.write(&mut self.bits, member.mask as u32),
            None => self.bits.write_wide(member.mask, kind.fields() as u32),
        }
        for (index, lane) in kind.lanes.iter().enumerate().filter(|(index, _)| member.mask >> index & 1 == 1) {
            lane.write_change(kind.change(index, old, new, tick), &mut self.bits);
        }
        self.blobs(slot, member.mask >> kind.lanes.len().min(63));
    }

    fn changes_since(&mut self, slot: u16, member: Member, since: Tick) {
        let kind = self.world.kind(member);
        let ticks = self.world.field_ticks(slot);
        let ticks = ticks[..kind.fields()].iter().enumerate();
        let mask = ticks.fold(0u64, |mask, (index, tick)| mask | u64::from(*tick > since) << index);
        self.bits.write_wide(mask, kind.fields() as u32);
        for index in (0..kind.lanes.len()).filter(|index| mask >> index & 1 == 1) {
            kind.write_whole(index, self.world.lanes(slot), &mut self.bits);
        }
        self.blobs(slot, mask >> kind.lanes.len().min(63));
    }

    fn whole(&mut self, slot: u16, member: Member) {
        let layout = self.world.layout();
        self.bits.write_golomb(u32::from(member.generation), GENERATION_ORDER);
        self.bits.write(u32::from(member.kind), layout.kind_bits);
        let kind = self.world.kind(member);
        for index in 0..kind.lanes.len() {
            kind.write_whole(index, self.world.lanes(slot), &mut self.bits);
        }
        self.blobs(slot, u64::MAX);
    }

    /// Writes the blobs of a slot whose bit is set.
    fn blobs(&mut self, slot: u16, mask: u64) {
        let count = self.world.kind(self.world.member(slot)).blobs.len();
        let blobs = self.world.blobs(slot)[..count].iter().enumerate();
        for (_, bytes) in blobs.filter(|(index, _)| mask >> index & 1 == 1) {
            self.bits.write_golomb(bytes.len() as u32, BLOB_ORDER);
            for byte in bytes {
                self.bits.write(u32::from(*byte), 8);
            }
        }
    }
}

/// Finds the places of slots in the member list before a commit from the list after it. Ask in ascending order.
struct OldIndexes<'a> {
    members: &'a [u16],
    arrived: &'a [u16],
    departed: &'a [u16],
    skipped: u32,
}

impl<'a> OldIndexes<'a> {
    fn new(members: &'a [u16], arrived: &'a [u16], departed: &'a [u16]) -> Self {
        Self { members, arrived, departed, skipped: 0 }
    }

    fn of(&mut self, slot: u16) -> u32 {
        let before = |list: &mut &[u16]| {
            // Neighbours are usually close: gallop, then search.
            let mut step = 1;
            while step < list.len() && list[step] < slot {
                step *= 2;
            }
            let count = list[..(step + 1).min(list.len())].partition_point(|other| *other < slot);
            *list = &list[count..];
            count as u32
        };
        let old = before(&mut self.members) + before(&mut self.departed);
        self.skipped = self.skipped + old - before(&mut self.arrived);
        self.skipped
    }
}
