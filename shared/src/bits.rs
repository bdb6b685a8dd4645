//! Writes bits to bytes and reads them, least significant first; chunks consist of them. Allocates only to grow the
//! output.

use thiserror::Error;

/// The error for input that ends before the value does, or a code longer than any value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("bits end early or a code is too long")]
pub struct BadBits;

/// Appends bits to a byte vector. Call [`BitWriter::finish`] to pad the last byte with zeros.
#[derive(Debug)]
pub struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    pending: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    /// Writes after the present content of `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, pending: 0, count: 0 }
    }

    /// Appends the low `bits` (at most 32) of `value`.
    #[inline]
    pub fn write(&mut self, value: u32, bits: u32) {
        debug_assert!(bits == 32 || value >> bits == 0, "{value} needs more than {bits} bits");
        self.pending |= u64::from(value) << self.count;
        self.count += bits;
        if self.count >= 32 {
            self.out.extend_from_slice(&(self.pending as u32).to_le_bytes());
            self.pending >>= 32;
            self.count -= 32;
        }
    }

    /// Appends the low `bits` (at most 64) of `value`.
    pub fn write_wide(&mut self, value: u64, bits: u32) {
        self.write(value as u32 & low_mask(bits.min(32)), bits.min(32));
        if bits > 32 {
            self.write((value >> 32) as u32, bits - 32);
        }
    }

    /// Appends an exponential Golomb code of order `k` (at most 31): `q = (value >> k) + 1`, as many zeros as `q` has
    /// bits above its lowest, a one, those bits, then the low `k` bits of `value`.
    #[inline]
    pub fn write_golomb(&mut self, value: u32, k: u32) {
        let quotient = (u64::from(value) >> k) + 1;
        let extra = 63 - quotient.leading_zeros();
        self.write(0, extra);
        self.write(1, 1);
        self.write(quotient as u32 & low_mask(extra), extra);
        self.write(value & low_mask(k), k);
    }

    /// Writes the pending bits, padded with zeros to a whole byte.
    pub fn finish(self) {
        let bytes = self.count.div_ceil(8) as usize;
        self.out.extend_from_slice(&self.pending.to_le_bytes()[..bytes]);
    }
}

/// Reads bits from bytes.
#[derive(Clone, Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> BitReader<'a> {
    /// Reads from the first bit of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The number of bits left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() * 8 - self.position
    }

    /// The number of bits read.
    pub fn position(&self) -> u64 {
        self.position as u64
    }

    /// Skips the rest of a begun byte.
    pub fn align(&mut self) {
        self.position = self.position.next_multiple_of(8);
    }

    /// The number of bytes read, a begun one included.
    pub fn bytes_read(&self) -> usize {
        self.position.div_ceil(8)
    }

    /// Reads the next `bits` (at most 32).
    ///
    /// # Errors
    ///
    /// [`BadBits`] if fewer are left.
    #[inline]
    pub fn read(&mut self, bits: u32) -> Result<u32, BadBits> {
        if self.remaining() < bits as usize {
            return Err(BadBits);
        }
        let value = self.peek(bits);
        self.position += bits as usize;
        Ok(value)
    }

    /// The next `bits` (at most 32) without consuming them. After the end they are zeros.
    #[inline]
    pub fn peek(&self, bits: u32) -> u32 {
        let (first, shift) = (self.position / 8, self.position % 8);
        let window = match self.bytes.get(first..first + 8) {
            Some(eight) => u64::from_le_bytes(eight.try_into().expect("the range is eight bytes long")),
            None => {
                let mut padded = [0; 8];
                let tail = &self.bytes[first..];
                padded[..tail.len()].copy_from_slice(tail);
                u64::from_le_bytes(padded)
            }
        };
        (window >> shift) as u32 & low_mask(bits)
    }

    /// Reads the next `bits` (at most 64).
    ///
    /// # Errors
    ///
    /// [`BadBits`] if fewer are left.
    pub fn read_wide(&mut self, bits: u32) -> Result<u64, BadBits> {
        let low = u64::from(self.read(bits.min(32))?);
        let high = if bits > 32 { u64::from(self.read(bits - 32)?) } else { 0 };
        Ok(low | high << 32)
    }

    /// Reads the next exponential Golomb code of order `k`.
    ///
    /// # Errors
    ///
    /// [`BadBits`] if the bits end early or the value has more than 32 bits.
    #[inline]
    pub fn read_golomb(&mut self, k: u32) -> Result<u32, BadBits> {
        let mut extra = 0;
        while self.read(1)? == 0 {
            extra += 1;
            if extra > 32 {
                return Err(BadBits);
            }
        }
        let quotient = 1u64 << extra | u64::from(self.read(extra)?);
        let value = (quotient - 1) << k | u64::from(self.read(k)?);
        u32::try_from(value).map_err(|_| BadBits)
    }
}

/// The number of bits of a value as an exponential Golomb code of order `k` (at most 31).
pub fn golomb_bits(value: u32, k: u32) -> u32 {
    2 * ((u64::from(value) >> k) + 1).ilog2() + 1 + k
}

/// A mask of the low `bits` (0 to 32).
#[inline]
pub const fn low_mask(bits: u32) -> u32 {
    if bits >= 32 { u32::MAX } else { (1 << bits) - 1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(items in prop::collection::vec((any::<u32>(), 0u32..=32, 0u32..=31), 0..50)) {
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            for &(value, bits, k) in &items {
                writer.write(value & low_mask(bits), bits);
                writer.write_golomb(value, k);
                writer.write_wide(u64::from(value) << 20, 52);
            }
            writer.finish();
            let mut reader = BitReader::new(&bytes);
            for &(value, bits, k) in &items {
                prop_assert_eq!(reader.read(bits), Ok(value & low_mask(bits)));
                prop_assert_eq!(reader.read_golomb(k), Ok(value));
                prop_assert_eq!(reader.read_wide(52), Ok(u64::from(value) << 20));
            }
            prop_assert!(reader.remaining() < 8);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..20), k in 0u32..=31) {
            let mut reader = BitReader::new(&bytes);
            while reader.read_golomb(k).is_ok() {}
        }
    }
}
