//! Reads the bytes of a frame.

use std::fmt;

use super::BadFrame;

/// Reads a frame's bytes in order.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    pub(crate) rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], BadFrame> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or(BadFrame::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BadFrame> {
        Ok(self.take(N)?.try_into().expect("take gives as many as asked for"))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, BadFrame> {
        Ok(self.array::<1>()?[0])
    }

    /// Reads a byte of flags, all of which must be `known`.
    pub(crate) fn flags(&mut self, known: u8) -> Result<u8, BadFrame> {
        let flags = self.u8()?;
        if flags & !known == 0 { Ok(flags) } else { Err(BadFrame::OutOfRange) }
    }

    pub(super) fn u16(&mut self) -> Result<u16, BadFrame> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, BadFrame> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn varint(&mut self) -> Result<u64, BadFrame> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let part = u64::from(byte & 0x7F);
            if part << shift >> shift != part {
                return Err(BadFrame::OutOfRange);
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(BadFrame::OutOfRange)
    }

    pub(crate) fn varint_u32(&mut self) -> Result<u32, BadFrame> {
        u32::try_from(self.varint()?).map_err(|_| BadFrame::OutOfRange)
    }

    /// Reads a list as [`write_rising`] writes it. Every item takes at least a byte, so the bytes left bound its
    /// length.
    pub(crate) fn rising(&mut self) -> Result<Vec<u32>, BadFrame> {
        let count = self.varint()?;
        if count > self.rest.len() as u64 {
            return Err(BadFrame::Truncated);
        }
        let mut items = Vec::with_capacity(count as usize);
        let mut next = 0u32;
        for _ in 0..count {
            let item = next.checked_add(self.varint_u32()?).ok_or(BadFrame::OutOfRange)?;
            items.push(item);
            next = item.checked_add(1).ok_or(BadFrame::OutOfRange)?;
        }
        Ok(items)
    }

    pub(crate) fn bit_list(&mut self, count: usize) -> Result<BitList<'a>, BadFrame> {
        Ok(BitList(self.take(count.div_ceil(8))?))
    }

    /// Calls `each` with every event of a list.
    pub(crate) fn events(&mut self, mut each: impl FnMut(u64, &'a [u8])) -> Result<(), BadFrame> {
        let mut next = 0u64;
        for _ in 0..self.varint()? {
            let number = next.checked_add(self.varint()?).ok_or(BadFrame::OutOfRange)?;
            next = number.checked_add(1).ok_or(BadFrame::OutOfRange)?;
            let length = usize::try_from(self.varint()?).map_err(|_| BadFrame::OutOfRange)?;
            each(number, self.take(length)?);
        }
        Ok(())
    }
}

impl fmt::Debug for Cursor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({} left)", self.rest.len())
    }
}

/// One bit per group of a view.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BitList<'a>(&'a [u8]);

impl BitList<'_> {
    /// Whether a bit is set; false for an absent list.
    pub(crate) fn get(self, index: usize) -> bool {
        self.0.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_lists_are_refused_before_they_are_allocated() {
        assert_eq!(Cursor::new(&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]).rising(), Err(BadFrame::Truncated));
        assert_eq!(Cursor::new(&[2, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0]).rising(), Err(BadFrame::OutOfRange));
        assert_eq!(Cursor::new(&[0xFF; 10]).varint(), Err(BadFrame::OutOfRange));
    }
}
