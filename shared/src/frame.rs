//! The data of one tick for one player: a small head, a body shared by all who see the same, and an own part. This file
//! defines the layout; `tiltyard-core`'s edge decides who gets what, and [`crate::replica`] is the client's side.
//!
//! ```text
//! frame   0x00 head body [own]
//! head    flags:u8 epoch:varint tick (START: u32, else its low u16)
//!         [INPUTS: settled (START: u32, else its low u16) margin:varint]
//!         [MOVED: schedule moves in ticks since the room opened: varint]
//!         [REFUSED: count:u8 (number: low u16, code:u8)*]
//!         [HASH: u32 u32]
//! body    flags:u8
//!         [VIEW: START: count:varint ids | removed:varint places, added:varint ids]   rising, as gaps
//!         [BEHIND: a bit per group of the view]
//!         [CHUNKS: a bit per group of the view, then the chunks in the order of the view]
//!         [EVENTS: count:varint (number:varint, as a gap after the first; length:varint; bytes)*]
//! own     flags:u8 [GROUP: id:varint] [CHUNKS: chunk] [EVENTS: as above]
//! piece   0x02 epoch:varint number:varint last:u8 bytes              joined: a frame
//! ```
//!
//! Numbers are little endian; `varint` is LEB128; a gap is the distance to the number before, less one; bits fill bytes
//! from the lowest. The frame has an own part if the head's OWN is set.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    hash::StateHash,
    id::{GroupId, Tick},
    protocol::{Code, FRAME, PIECE},
};

mod cursor;

pub(crate) use cursor::{BitList, Cursor};

/// Flags of the head.
pub mod head_flags {
    /// First frame of an epoch, or first after a long silence in it: states the whole view, and numbers in full.
    pub const START: u8 = 1;
    /// The settled inputs.
    pub const INPUTS: u8 = 1 << 1;
    /// The moves of the schedule.
    pub const MOVED: u8 = 1 << 2;
    /// Inputs that were refused since the last frame.
    pub const REFUSED: u8 = 1 << 3;
    /// The hash of the view.
    pub const HASH: u8 = 1 << 4;
    /// An own part follows the body.
    pub const OWN: u8 = 1 << 5;
    /// All flags. Other bits are refused, so that a later version can give them a meaning.
    pub const ALL: u8 = START | INPUTS | MOVED | REFUSED | HASH | OWN;
}

/// Flags of body and own part.
pub mod part_flags {
    /// The view, or a change of it. (Body only.)
    pub const VIEW: u8 = 1;
    /// Some groups are behind. (In an own part: the own group is, and no bytes follow for this flag.)
    pub const BEHIND: u8 = 1 << 1;
    /// There are chunks.
    pub const CHUNKS: u8 = 1 << 2;
    /// There are events.
    pub const EVENTS: u8 = 1 << 3;
    /// An event that was owed has been dropped from its log.
    pub const LOST: u8 = 1 << 4;
    /// The id of the own group. (Own part only.)
    pub const GROUP: u8 = 1 << 5;
    /// All flags that a body may have.
    pub const BODY: u8 = VIEW | BEHIND | CHUNKS | EVENTS | LOST;
    /// All flags that an own part may have.
    pub const OWN: u8 = BEHIND | CHUNKS | EVENTS | LOST | GROUP;
}

/// The head of a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// The epoch of the frame.
    pub epoch: u32,
    /// The tick whose state the frame leads to.
    pub tick: Tick,
    /// Whether it is the first of its epoch.
    pub start: bool,
    /// The settled inputs, if they have changed.
    pub inputs: Option<Settled>,
    /// Schedule moves in ticks since the room opened, if that has changed.
    pub moved: Option<u32>,
    /// Inputs refused since the last frame; at most 255.
    pub refused: Vec<(u32, Code)>,
    /// The hash of the view, without groups that are behind.
    pub hash: Option<StateHash>,
    /// Whether an own part follows the body.
    pub own: bool,
}

/// How far a player's inputs are settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The highest number up to which all inputs are executed or refused.
    pub number: u32,
    /// How many ticks before its aim the last input arrived; negative if late. Saturates.
    pub margin: i16,
}

/// The error for bytes that are no frame of the expected view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadFrame {
    /// The bytes end early.
    #[error("frame ends early")]
    Truncated,
    /// A number beyond its range: a place outside the view, a list that does not ascend, an unknown code or flag.
    #[error("frame has a number beyond its range")]
    OutOfRange,
    /// Bytes are left over.
    #[error("frame is too long")]
    Trailing,
}

impl Head {
    /// Appends the head, its leading [`FRAME`] byte included.
    pub fn write(&self, out: &mut Vec<u8>) {
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        out.push(FRAME);
        out.push(
            flag(self.start, head_flags::START)
                | flag(self.inputs.is_some(), head_flags::INPUTS)
                | flag(self.moved.is_some(), head_flags::MOVED)
                | flag(!self.refused.is_empty(), head_flags::REFUSED)
                | flag(self.hash.is_some(), head_flags::HASH)
                | flag(self.own, head_flags::OWN),
        );
        write_varint(out, u64::from(self.epoch));
        let write_counter = |out: &mut Vec<u8>, value: u32| {
            out.extend_from_slice(&value.to_le_bytes()[..if self.start { 4 } else { 2 }]);
        };
        write_counter(out, self.tick.0);
        if let Some(inputs) = self.inputs {
            write_counter(out, inputs.number);
            write_varint(out, u64::from(zigzag(inputs.margin)));
        }
        if let Some(moved) = self.moved {
            write_varint(out, u64::from(moved));
        }
        if !self.refused.is_empty() {
            let refused = &self.refused[..self.refused.len().min(255)];
            out.push(refused.len() as u8);
            for (number, code) in refused {
                out.extend_from_slice(&number.to_le_bytes()[..2]);
                out.push(u8::try_from(code.number()).unwrap_or(u8::MAX));
            }
        }
        if let Some(StateHash(first, second)) = self.hash {
            out.extend_from_slice(&first.to_le_bytes());
            out.extend_from_slice(&second.to_le_bytes());
        }
    }

    /// Reads the epoch only: frames of lower epochs are dropped undecoded.
    ///
    /// # Errors
    ///
    /// [`BadFrame`] if the bytes are no frame.
    pub fn read_epoch(bytes: &[u8]) -> Result<u32, BadFrame> {
        let mut cursor = Cursor::new(bytes);
        if cursor.u8()? != FRAME {
            return Err(BadFrame::OutOfRange);
        }
        cursor.u8()?;
        cursor.varint_u32()
    }

    /// Reads a head. `last` is the tick of the frame before it and `sent` the highest input number that the client has
    /// sent: they complete shortened numbers.
    pub(crate) fn read(cursor: &mut Cursor<'_>, last: Tick, sent: u32) -> Result<Self, BadFrame> {
        if cursor.u8()? != FRAME {
            return Err(BadFrame::OutOfRange);
        }
        let flags = cursor.flags(head_flags::ALL)?;
        let has = |flag| flags & flag != 0;
        let start = has(head_flags::START);
        let epoch = cursor.varint_u32()?;
        let tick = if start { cursor.u32()? } else { after(last.0, cursor.u16()?) };
        let inputs = match has(head_flags::INPUTS) {
            true => {
                let number = if start { cursor.u32()? } else { before(sent, cursor.u16()?) };
                Some(Settled { number, margin: unzigzag(cursor.varint_u32()?)? })
            }
            false => None,
        };
        let moved = if has(head_flags::MOVED) { Some(cursor.varint_u32()?) } else { None };
        let mut refused = Vec::new();
        if has(head_flags::REFUSED) {
            for _ in 0..cursor.u8()? {
                let number = before(sent, cursor.u16()?);
                refused.push((number, Code::from_number(u16::from(cursor.u8()?))));
            }
        }
        let hash = if has(head_flags::HASH) { Some(StateHash(cursor.u32()?, cursor.u32()?)) } else { None };
        Ok(Self { epoch, tick: Tick(tick), start, inputs, moved, refused, hash, own: has(head_flags::OWN) })
    }
}

/// 0, -1, 1, -2 … as 0, 1, 2, 3 …
fn zigzag(value: i16) -> u16 {
    ((value << 1) ^ (value >> 15)).cast_unsigned()
}

fn unzigzag(value: u32) -> Result<i16, BadFrame> {
    let value = u16::try_from(value).map_err(|_| BadFrame::OutOfRange)?;
    Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}

/// The smallest number above `last` with these low bits.
fn after(last: u32, low: u16) -> u32 {
    last.wrapping_add(1).wrapping_add(u32::from(low.wrapping_sub(last as u16).wrapping_sub(1)))
}

/// The largest number up to `highest` with these low bits.
fn before(highest: u32, low: u16) -> u32 {
    highest.wrapping_sub(u32::from((highest as u16).wrapping_sub(low)))
}

/// Appends an unsigned number in LEB128.
pub fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends the number of items, then each as its distance to the one before, less one.
pub fn write_rising(out: &mut Vec<u8>, items: impl ExactSizeIterator<Item = u32>) {
    write_varint(out, items.len() as u64);
    let mut next = 0;
    for item in items {
        write_varint(out, u64::from(item - next));
        next = item + 1;
    }
}

/// Appends a whole view.
pub fn write_view(out: &mut Vec<u8>, view: &[GroupId]) {
    write_rising(out, view.iter().map(|group| group.0));
}

/// Appends the change from one view to another, both sorted.
pub fn write_view_change(out: &mut Vec<u8>, old: &[GroupId], new: &[GroupId]) {
    let removed: Vec<u32> =
        (0..old.len() as u32).filter(|index| new.binary_search(&old[*index as usize]).is_err()).collect();
    let added: Vec<u32> = new.iter().filter(|group| old.binary_search(group).is_err()).map(|group| group.0).collect();
    write_rising(out, removed.into_iter());
    write_rising(out, added.into_iter());
}

/// Appends a bit for each item.
pub fn write_bit_list(out: &mut Vec<u8>, bits: impl Iterator<Item = bool>) {
    let (mut byte, mut count) = (0, 0);
    for bit in bits {
        byte |= u8::from(bit) << count;
        count += 1;
        if count == 8 {
            out.push(byte);
            (byte, count) = (0, 0);
        }
    }
    if count > 0 {
        out.push(byte);
    }
}

/// Appends a list of events, in the order of their numbers. An empty list must not be written at all; its flag stays
/// clear.
pub fn write_events<'a>(out: &mut Vec<u8>, events: impl ExactSizeIterator<Item = (u64, &'a [u8])>) {
    write_varint(out, events.len() as u64);
    let mut next = 0;
    for (number, bytes) in events {
        write_varint(out, number - next);
        next = number + 1;
        write_varint(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    }
}

/// Appends a piece of a frame that is too large to be sent in one go. The pieces of a frame are numbered from 0.
pub fn write_piece(out: &mut Vec<u8>, epoch: u32, number: u32, last: bool, bytes: &[u8]) {
    out.push(PIECE);
    write_varint(out, u64::from(epoch));
    write_varint(out, u64::from(number));
    out.push(u8::from(last));
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_written_whatever_it_holds() {
        for flags in 0..64u32 {
            let has = |bit: u32| flags >> bit & 1 == 1;
            let head = Head {
                epoch: 300,
                tick: Tick(70_000),
                start: has(0),
                inputs: has(1).then_some(Settled { number: 65_530, margin: -3 }),
                moved: has(2).then_some(200),
                refused: if has(3) { vec![(65_529, Code::TooLate), (65_531, Code::BadInput)] } else { Vec::new() },
                hash: has(4).then_some(StateHash(1, u32::MAX)),
                own: has(5),
            };
            let mut bytes = Vec::new();
            head.write(&mut bytes);
            assert_eq!(Head::read_epoch(&bytes), Ok(300));
            let mut cursor = Cursor::new(&bytes);
            assert_eq!(Head::read(&mut cursor, Tick(69_990), 65_540).as_ref(), Ok(&head));
            assert!(cursor.rest.is_empty());
            for end in 0..bytes.len() {
                assert_eq!(Head::read(&mut Cursor::new(&bytes[..end]), Tick(0), 0), Err(BadFrame::Truncated));
            }
        }
    }

    #[test]
    fn shortened_counters_become_whole_across_a_wrap() {
        assert_eq!(after(65_535, 0), 65_536);
        assert_eq!(after(65_536, 0), 131_072);
        assert_eq!(after(10, 11), 11);
        assert_eq!(before(65_536, 65_535), 65_535);
        assert_eq!(before(7, 7), 7);
    }
}
