//! Linear lanes: a quantized value that moves at a constant rate, so that a client knows its next values and is only
//! told when the line changes.
//!
//! A line is the triple (value, rate, tick) with its tick moved to 0 and so omitted. Everything is computed modulo
//! 2^(bits + 8) in wrapping integers, so moving it loses nothing. Values and rates have 8 fractional bits.

/// Bits of a value and of a rate below one step.
pub const FRACTION: u32 = 8;

/// Most bits of a code of a linear lane.
pub const MAX_BITS: u32 = 32 - FRACTION;

/// The middle of a step, which is the value without a rate.
const MIDDLE: u32 = 1 << (FRACTION - 1);

/// The value of a linear lane at every tick. Both numbers are below 2^(bits + 8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The value at tick 0.
    pub origin: u32,
    /// The change per tick.
    pub rate: u32,
}

impl Line {
    /// A line that stays at a code.
    pub fn still(code: u32) -> Self {
        Self { origin: code << FRACTION | MIDDLE, rate: 0 }
    }

    /// A line that has `value` at `tick` and moves at `rate`.
    #[inline]
    pub fn through(bits: u32, tick: u32, value: u32, rate: u32) -> Self {
        Self { origin: wrap(bits, value.wrapping_sub(rate.wrapping_mul(tick))), rate: wrap(bits, rate) }
    }

    /// A line from a field's value `ticks` ago to its value at `tick`, in steps above the quantizer's code 0. The rate
    /// saturates at half of what the bits hold; below 1/256 of a step it is 0.
    pub fn between(bits: u32, [before, now]: [f64; 2], ticks: u32, tick: u32) -> Self {
        let scale = f64::from(1_u32 << FRACTION);
        let rate = (now - before) / f64::from(ticks.max(1)) * scale;
        let most = f64::from((1_u32 << (bits + FRACTION - 1)) - 1);
        // `as` turns NaN to 0; no value is one.
        let rate = if rate.abs() < 1.0 { 0 } else { rate.clamp(-most, most).round() as i32 };
        let value = ((now + 0.5) * scale) as u32;
        if rate == 0 { Self::still(value >> FRACTION) } else { Self::through(bits, tick, value, rate as u32) }
    }

    /// The value at a tick, with its fraction.
    #[inline]
    pub fn value_at(self, bits: u32, tick: u32) -> u32 {
        wrap(bits, self.origin.wrapping_add(self.rate.wrapping_mul(tick)))
    }

    /// The code at a tick.
    #[inline]
    pub fn code_at(self, bits: u32, tick: u32) -> u32 {
        self.value_at(bits, tick) >> FRACTION
    }

    /// The content of the lane in a hash.
    #[inline]
    pub fn content(self) -> u32 {
        self.origin.wrapping_add(self.rate.wrapping_mul(0x9E37_79B1))
    }
}

/// A number modulo 2^(bits + 8).
#[inline]
pub fn wrap(bits: u32, number: u32) -> u32 {
    number & crate::bits::low_mask(bits + FRACTION)
}

/// A number below 2^(bits + 8) as a signed one of as many bits.
#[inline]
pub fn signed(bits: u32, number: u32) -> i32 {
    let shift = 32 - bits - FRACTION;
    (number << shift) as i32 >> shift
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_line_has_the_value_it_was_made_with(bits in 1u32..=24, tick: u32, value: u32, rate: u32, later in 0u32..1000) {
            let (value, rate) = (wrap(bits, value), wrap(bits, rate));
            let line = Line::through(bits, tick, value, rate);
            prop_assert_eq!(line.value_at(bits, tick), value);
            let expected = (u64::from(value) + u64::from(rate) * u64::from(later)) % (1 << (bits + FRACTION));
            prop_assert_eq!(u64::from(line.value_at(bits, tick.wrapping_add(later))), expected);
        }

        #[test]
        fn a_rate_is_never_more_than_the_bits_hold(bits in 1u32..=24, before in 0.0..1.0_f64, now in 0.0..1.0_f64, ticks in 0u32..9) {
            let codes = f64::from(1_u32 << bits);
            let (before, now) = ((before * codes).floor(), (now * codes).floor());
            let line = Line::between(bits, [before, now], ticks, 77);
            prop_assert_eq!(line.code_at(bits, 77), now as u32);
            let per_tick = (now - before) / f64::from(ticks.max(1));
            prop_assert!(f64::from(signed(bits, line.rate).signum()) * per_tick >= 0.0);
        }
    }

    #[test]
    fn what_goes_straight_on_is_followed() {
        // 96.35 steps a tick: a rate in 256ths misses it by less than 1/512 a tick.
        let line = Line::between(15, [1000.0, 1096.35], 1, 500);
        for tick in 0..20 {
            let value = 1096.35 + 96.35 * f64::from(tick);
            assert!((f64::from(line.value_at(15, 500 + tick)) / 256.0 - 0.5 - value).abs() < 0.06, "{tick}");
        }
        assert_eq!(Line::between(15, [5.0, 5.003], 1, 9), Line::still(5), "a rate below 1/256 is none");
    }
}
