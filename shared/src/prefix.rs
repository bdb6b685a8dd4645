//! Learned prefix codes: common values take few bits, and every value has a code.
//!
//! A code divides the values from 0 to 2^width - 1 into *cells*, one after the other; a cell with `raw` bits holds
//! 2^raw values. A value is written as the codeword of its cell, then its place in the cell as a plain number of `raw`
//! bits. So a common value has a cell of its own, and rare ones share large cells: these are the escape, and no value
//! lacks a code. Codewords are canonical, as in DEFLATE (RFC 1951, 3.2.2), so their lengths determine them.
//!
//! As text a code has two digits a cell, its codeword's length and its raw bits, each one of `0` to `9`, `a` to `w`.
//! [`crate::learn`] makes codes, and the schema announces them.

use thiserror::Error;

use crate::bits::{BadBits, BitReader, BitWriter};

/// Most bits of a codeword.
pub const MAX_LENGTH: u32 = 12;

/// Most cells of a code.
pub const MAX_CELLS: usize = 256;

/// The reason why a text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadPrefix {
    /// No cell, half of one, more than [`MAX_CELLS`], or a number that is too large.
    #[error("a code has 1 to 256 cells of two digits, codewords of at most 12 bits and cells of at most 32")]
    Cells,
    /// Some bits are the beginning of no codeword.
    #[error("some bits are no codeword")]
    Incomplete,
    /// There are not as many codewords of these lengths.
    #[error("there are not as many codewords of these lengths")]
    Oversubscribed,
    /// The cells hold more or fewer values than the lane has.
    #[error("the cells hold more or fewer values than there are")]
    Range,
}

/// Checks that a text is a code of values of `width` bits (at most 32).
///
/// # Errors
///
/// [`BadPrefix`].
pub const fn check(text: &str, width: u32) -> Result<(), BadPrefix> {
    let text = text.as_bytes();
    if text.is_empty() || !text.len().is_multiple_of(2) || text.len() > 2 * MAX_CELLS {
        return Err(BadPrefix::Cells);
    }
    let (mut at, mut values, mut codewords) = (0, 0_u64, 0_u64);
    while at < text.len() {
        match (digit(text[at]), digit(text[at + 1])) {
            (Some(length), Some(raw)) if length <= MAX_LENGTH => {
                values += 1 << raw;
                codewords += 1 << (MAX_LENGTH - length);
            }
            _ => return Err(BadPrefix::Cells),
        }
        at += 2;
    }
    if codewords < 1 << MAX_LENGTH {
        Err(BadPrefix::Incomplete)
    } else if codewords > 1 << MAX_LENGTH {
        Err(BadPrefix::Oversubscribed)
    } else if width > 32 || values != 1 << width {
        Err(BadPrefix::Range)
    } else {
        Ok(())
    }
}

const fn digit(byte: u8) -> Option<u32> {
    match byte {
        b'0'..=b'9' => Some((byte - b'0') as u32),
        b'a'..=b'w' => Some((byte - b'a') as u32 + 10),
        _ => None,
    }
}

/// The text of a code with these cells, given as lengths of codewords and raw bits.
pub(crate) fn text(cells: impl Iterator<Item = [u32; 2]>) -> String {
    cells.flatten().map(|digit| char::from_digit(digit, 36).expect("lengths and raw bits are one digit")).collect()
}

/// A code for writing and reading.
#[derive(Clone, Debug)]
pub struct Prefix {
    cells: Vec<Cell>,
    /// Bits of the longest codeword.
    longest: u32,
    /// For the next `longest` bits: the cell whose codeword they begin with.
    lookup: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    start: u32,
    raw: u8,
    length: u8,
    /// The codeword, its first bit lowest.
    codeword: u16,
}

impl Prefix {
    /// Reads the text of a code of values of `width` bits (at most 32).
    ///
    /// # Errors
    ///
    /// As [`check`].
    pub fn parse(text: &str, width: u32) -> Result<Self, BadPrefix> {
        check(text, width)?;
        let digit = |byte: &u8| digit(*byte).expect("checked") as u8;
        let mut start = 0_u32;
        let cell = |pair: &[u8]| {
            let cell = Cell { start, raw: digit(&pair[1]), length: digit(&pair[0]), codeword: 0 };
            // Only the end of the last cell may overflow.
            start = start.wrapping_add(1_u32.checked_shl(u32::from(cell.raw)).unwrap_or(0));
            cell
        };
        let mut cells: Vec<Cell> = text.as_bytes().chunks_exact(2).map(cell).collect();
        let longest = cells.iter().map(|cell| u32::from(cell.length)).max().unwrap_or(0);
        let mut order: Vec<usize> = (0..cells.len()).collect();
        order.sort_by_key(|index| cells[*index].length);
        let (mut lookup, mut next) = (vec![0; 1 << longest], 0_u32);
        for index in order {
            let cell = &mut cells[index];
            // Counted up in the longest form, each codeword begins where the previous one ends.
            cell.codeword = (next.reverse_bits() >> 1 >> (31 - longest)) as u16;
            for bits in (usize::from(cell.codeword)..lookup.len()).step_by(1 << cell.length) {
                lookup[bits] = index as u8;
            }
            next += 1 << (longest - u32::from(cell.length));
        }
        Ok(Self { cells, longest, lookup })
    }

    /// Appends a value of at most the width's bits.
    #[inline]
    pub fn write(&self, bits: &mut BitWriter<'_>, value: u32) {
        let cell = self.cell(value);
        bits.write(u32::from(cell.codeword), u32::from(cell.length));
        bits.write(value - cell.start, u32::from(cell.raw));
    }

    /// Reads the next value.
    ///
    /// # Errors
    ///
    /// [`BadBits`] if the bits end early.
    #[inline]
    pub fn read(&self, bits: &mut BitReader<'_>) -> Result<u32, BadBits> {
        let cell = self.cells[usize::from(self.lookup[bits.peek(self.longest) as usize])];
        bits.read(u32::from(cell.length))?;
        Ok(cell.start + bits.read(u32::from(cell.raw))?)
    }

    /// The number of bits that a value takes.
    pub fn bits_of(&self, value: u32) -> u32 {
        let cell = self.cell(value);
        u32::from(cell.length) + u32::from(cell.raw)
    }

    #[inline]
    fn cell(&self, value: u32) -> Cell {
        self.cells[self.cells.partition_point(|cell| cell.start <= value) - 1]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bits::low_mask;

    /// Any code of a width: cells and codewords are divided at random.
    fn any_code() -> impl Strategy<Value = (u32, String)> {
        (0u32..=32, prop::collection::vec(any::<(u16, u16)>(), 0..255)).prop_map(|(width, splits)| {
            let mut cells = vec![[0, width]];
            for (at, other) in splits {
                let (at, other) = (usize::from(at) % cells.len(), usize::from(other) % cells.len());
                // A cell is halved, and its codeword too; then codewords change places.
                if cells[at][1] > 0 && cells[at][0] < MAX_LENGTH {
                    cells[at] = [cells[at][0] + 1, cells[at][1] - 1];
                    cells.insert(at, cells[at]);
                    let [near, far] = [cells[at][0], cells[other][0]];
                    (cells[at][0], cells[other][0]) = (far, near);
                }
            }
            (width, text(cells.into_iter()))
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read((width, code) in any_code(), values in prop::collection::vec(any::<u32>(), 1..50)) {
            let code = Prefix::parse(&code, width).expect("it is one");
            let values: Vec<u32> = values.iter().map(|value| value & low_mask(width)).collect();
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            values.iter().for_each(|value| code.write(&mut writer, *value));
            writer.finish();
            let mut reader = BitReader::new(&bytes);
            for value in &values {
                let before = reader.position();
                prop_assert_eq!(code.read(&mut reader), Ok(*value));
                prop_assert_eq!(reader.position() - before, u64::from(code.bits_of(*value)));
            }
            prop_assert!(reader.remaining() < 8);
        }

        #[test]
        fn arbitrary_bits_are_values_of_the_width((width, code) in any_code(), bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let code = Prefix::parse(&code, width).expect("it is one");
            let mut reader = BitReader::new(&bytes);
            for _ in 0..200 {
                let Ok(value) = code.read(&mut reader) else { break };
                prop_assert!(value <= low_mask(width));
            }
        }

        #[test]
        fn arbitrary_texts_are_codes_or_refused(text in "[0-9a-x]{0,12}", width in 0u32..=33) {
            prop_assert_eq!(Prefix::parse(&text, width).map(drop), check(&text, width));
        }
    }

    #[test]
    fn each_fault_of_a_text_has_its_name() {
        let check = |text: &str, width| check(text, width).err();
        assert_eq!(check("1010", 1), None);
        assert_eq!(check("08", 8), None, "one cell needs no codeword");
        assert_eq!(check("", 0), Some(BadPrefix::Cells));
        assert_eq!(check("101", 1), Some(BadPrefix::Cells));
        assert_eq!(check("d0d0", 1), Some(BadPrefix::Cells), "13 bits are too long");
        assert_eq!(check("1x10", 1), Some(BadPrefix::Cells));
        assert_eq!(check(&"80".repeat(257), 8), Some(BadPrefix::Cells));
        assert_eq!(check("1020", 1), Some(BadPrefix::Incomplete));
        assert_eq!(check("101010", 1), Some(BadPrefix::Oversubscribed));
        assert_eq!(check("1010", 2), Some(BadPrefix::Range));
        assert_eq!(check("1w1w", 32), Some(BadPrefix::Range));
        assert_eq!(check("1v1v", 32), None);
    }

    #[test]
    fn codewords_are_those_of_deflate() {
        // The example of RFC 1951, 3.2.2: lengths 3, 3, 3, 3, 3, 2, 4, 4.
        let code = Prefix::parse("3030303030204040", 3).expect("it is one");
        let words = code.cells.iter().map(|cell| (cell.codeword.reverse_bits() >> (16 - cell.length), cell.length));
        let expected = [(2, 3), (3, 3), (4, 3), (5, 3), (6, 3), (0, 2), (14, 4), (15, 4)];
        assert_eq!(words.collect::<Vec<_>>(), expected);
    }
}
