//! Writes and reads a lane in a chunk, as a change in a delta and as it is elsewhere: by the lane's learned codings, or
//! by the default.

use crate::{
    bits::{BadBits, BitReader, BitWriter, low_mask},
    linear::{self, Line},
    prefix::Prefix,
    replicate::{KindLayout, LaneLayout},
};

pub(crate) const ERROR_ORDER: u32 = 3;

/// The change of a lane in a delta. Signed numbers are zigzagged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The wrapping difference of a held lane, less one.
    Held(u32),
    /// The difference of a line's rates, and the error by which the new one misses the old one at the tick before.
    Line { rate: u32, error: u32 },
}

impl KindLayout {
    /// The change of a lane between two commits, the later of which has this tick.
    #[inline]
    pub(crate) fn change(&self, lane: usize, old: &[u32], new: &[u32], tick: u32) -> Change {
        let LaneLayout { bits, .. } = self.lanes[lane];
        match (self.line(old, lane), self.line(new, lane)) {
            (Some(old), Some(new)) => {
                let signed = |new: u32, old: u32| linear::signed(bits, new.wrapping_sub(old));
                let before = tick.wrapping_sub(1);
                let error = signed(new.value_at(bits, before), old.value_at(bits, before));
                Change::Line { rate: zigzag(signed(new.rate, old.rate)), error: zigzag(error) }
            }
            _ => Change::Held(difference(bits, old[lane], new[lane])),
        }
    }

    /// Applies the change of a lane in the delta of a tick.
    #[inline]
    pub(crate) fn follow(&self, lane: usize, codes: &mut [u32], change: Change, tick: u32) {
        let LaneLayout { bits, rate: index, .. } = self.lanes[lane];
        match (change, self.line(codes, lane), index) {
            (Change::Line { rate, error }, Some(old), Some(index)) => {
                let before = tick.wrapping_sub(1);
                let value = old.value_at(bits, before).wrapping_add(undo_zigzag(error));
                let new = Line::through(bits, before, value, old.rate.wrapping_add(undo_zigzag(rate)));
                (codes[lane], codes[index]) = (new.origin, new.rate);
            }
            (Change::Held(coded) | Change::Line { rate: coded, .. }, ..) => {
                codes[lane] = undo_difference(bits, codes[lane], coded);
            }
        }
    }

    /// Writes a lane as it is.
    pub(crate) fn write_whole(&self, lane: usize, codes: &[u32], out: &mut BitWriter<'_>) {
        let LaneLayout { bits, golomb, learned, .. } = &self.lanes[lane];
        let whole = learned.whole.as_deref();
        let Some(Line { origin, rate }) = self.line(codes, lane) else {
            return match whole {
                Some(code) => code.write(out, codes[lane]),
                None => out.write(codes[lane], *bits),
            };
        };
        let zigzag = zigzag(linear::signed(*bits, rate));
        match whole {
            Some(code) => code.write(out, zigzag),
            None => out.write(u32::from(rate != 0), 1),
        }
        if rate == 0 {
            return out.write(origin >> linear::FRACTION, *bits);
        }
        out.write(origin, bits + linear::FRACTION);
        if whole.is_none() {
            out.write_golomb(zigzag - 1, *golomb);
        }
    }

    /// Reads a lane as it is into the codes of a member.
    pub(crate) fn read_whole(&self, lane: usize, codes: &mut [u32], bits: &mut BitReader<'_>) -> Result<(), BadBits> {
        let LaneLayout { bits: width, golomb, rate: index, learned } = &self.lanes[lane];
        let whole = learned.whole.as_deref();
        let Some(index) = *index else {
            codes[lane] = match whole {
                Some(code) => code.read(bits)?,
                None => bits.read(*width)?,
            };
            return Ok(());
        };
        let zigzag = whole.map(|code| code.read(bits)).transpose()?;
        let still = match zigzag {
            Some(zigzag) => zigzag == 0,
            None => bits.read(1)? == 0,
        };
        let line = if still {
            Line::still(bits.read(*width)?)
        } else {
            let origin = bits.read(width + linear::FRACTION)?;
            let zigzag = zigzag.map_or_else(|| Ok(bits.read_golomb(*golomb)?.wrapping_add(1)), Ok)?;
            Line { origin, rate: linear::wrap(*width, undo_zigzag(zigzag)) }
        };
        (codes[lane], codes[index]) = (line.origin, line.rate);
        Ok(())
    }
}

impl LaneLayout {
    /// Writes a change.
    #[inline]
    pub(crate) fn write_change(&self, change: Change, out: &mut BitWriter<'_>) {
        match (change, self.learned.change.as_deref()) {
            (Change::Held(_), _) if self.bits < 2 => {}
            (Change::Held(coded), Some(code)) => code.write(out, coded),
            (Change::Held(coded), None) => out.write_golomb(coded, self.golomb),
            (Change::Line { rate, error }, Some(code)) => {
                code.write(out, rate);
                match self.learned.error.as_deref() {
                    Some(code) => code.write(out, error),
                    None => out.write_golomb(error, ERROR_ORDER),
                }
            }
            (Change::Line { rate: 0, error }, None) => {
                out.write(0, 1);
                out.write_golomb(error - 1, ERROR_ORDER);
            }
            (Change::Line { rate, error }, None) => {
                out.write(1, 1);
                out.write_golomb(rate - 1, self.golomb);
                out.write_golomb(error, ERROR_ORDER);
            }
        }
    }

    /// Reads a change.
    #[inline]
    pub(crate) fn read_change(&self, bits: &mut BitReader<'_>) -> Result<Change, BadBits> {
        let read = |bits: &mut BitReader<'_>, code: Option<&Prefix>, order: u32| match code {
            Some(code) => code.read(bits),
            None => bits.read_golomb(order),
        };
        let change = self.learned.change.as_deref();
        if self.rate.is_none() {
            let flips = self.bits < 2;
            return Ok(Change::Held(if flips { 0 } else { read(bits, change, self.golomb)? }));
        }
        if change.is_some() {
            let rate = read(bits, change, 0)?;
            return Ok(Change::Line { rate, error: read(bits, self.learned.error.as_deref(), ERROR_ORDER)? });
        }
        if bits.read(1)? == 0 {
            return Ok(Change::Line { rate: 0, error: bits.read_golomb(ERROR_ORDER)?.wrapping_add(1) });
        }
        let rate = bits.read_golomb(self.golomb)?.wrapping_add(1);
        Ok(Change::Line { rate, error: bits.read_golomb(ERROR_ORDER)? })
    }
}

/// The zigzagged wrapping difference of two different codes, less one.
#[inline]
fn difference(bits: u32, old: u32, new: u32) -> u32 {
    let shift = 32 - bits.max(1);
    let signed = (new.wrapping_sub(old) << shift) as i32 >> shift;
    zigzag(signed).wrapping_sub(1) & low_mask(bits)
}

/// The inverse of [`difference`].
#[inline]
fn undo_difference(bits: u32, old: u32, coded: u32) -> u32 {
    old.wrapping_add(undo_zigzag(coded.wrapping_add(1))) & low_mask(bits)
}

/// 0, -1, 1, -2, … as 0, 1, 2, 3, ….
#[inline]
pub(crate) fn zigzag(signed: i32) -> u32 {
    (signed << 1 ^ signed >> 31) as u32
}

/// The inverse of [`zigzag`].
#[inline]
pub(crate) fn undo_zigzag(zigzag: u32) -> u32 {
    (zigzag >> 1) ^ (zigzag & 1).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_difference_is_undone(bits in 2u32..=32, old: u32, new: u32) {
            let (old, new) = (old & low_mask(bits), new & low_mask(bits));
            prop_assume!(old != new);
            prop_assert_eq!(undo_difference(bits, old, difference(bits, old, new)), new);
        }
    }
}
