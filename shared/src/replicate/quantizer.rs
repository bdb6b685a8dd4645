//! The meaning of lane codes: fixed-point numbers, angles, integers within a range, and the like.
//!
//! Quantizers are total. A value out of range takes the nearest end, NaN counts as 0, and both are reported; nothing
//! panics. Only additions, multiplications, divisions and roundings are used, so every platform finds the same codes
//! and values, JavaScript included. Derived code holds [`Fixed`], [`Angle`] and [`Int`] as constants; [`Quantizer`] is
//! their form in the schema.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::{Coding, Mark};
use crate::linear;

/// Fixed point: `value = min + code * step`, for codes from 0 to `max`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fixed {
    min: f64,
    step: f64,
    max: u32,
}

impl Fixed {
    /// Steps from `min` to the one nearest to `end`.
    ///
    /// # Panics
    ///
    /// When compiling, if held in a constant: if `min`, `end` or `step` is not finite, `end` is below `min`, `step` is
    /// not above 0, or the step is too fine: more than 2^32 of them, or below 2^-48 of the range's ends (as they are
    /// stored in a `f64`, values would then not keep their codes).
    pub const fn inclusive(min: f64, end: f64, step: f64) -> Self {
        let max = steps(min, end, step) + 0.5;
        assert!(max < 4_294_967_296.0, "a range has at most 2^32 steps");
        Self { min, step, max: max as u32 }
    }

    /// Steps from `min` to the last one before `end`.
    ///
    /// # Panics
    ///
    /// As [`Fixed::inclusive`], and if `end` is `min`.
    pub const fn exclusive(min: f64, end: f64, step: f64) -> Self {
        let steps = steps(min, end, step);
        assert!(steps > 0.0, "a range must not be empty");
        assert!(steps <= 4_294_967_296.0, "a range has at most 2^32 steps");
        // Divisions such as 0.3 / 0.1 miss the whole number by a little; the nearest one is meant then.
        let nearest = (steps + 0.5) as u64;
        let whole = nearest > 0 && (steps - nearest as f64).abs() < 1e-6;
        let count = if whole { nearest } else { steps as u64 + 1 };
        Self { min, step, max: (count - 1) as u32 }
    }

    /// The nearest code, and whether the value is less than a step out of range (one that is farther is an error).
    pub fn encode(&self, value: f64) -> (u32, bool) {
        let number = if value.is_nan() { 0.0 } else { value };
        let steps = (number - self.min) / self.step;
        let ok = !value.is_nan() && steps > -1.0 && steps < f64::from(self.max) + 1.0;
        // `as` rounds towards zero and saturates, which is `floor` and the lower clamp.
        (((steps + 0.5) as u32).min(self.max), ok)
    }

    /// The value of a code.
    pub const fn value(&self, code: u32) -> f64 {
        self.min + code as f64 * self.step
    }

    /// The largest code.
    pub const fn max(&self) -> u32 {
        self.max
    }

    /// The mark of such a lane.
    pub const fn mark(&self) -> Mark {
        let bits = u32::BITS - self.max.leading_zeros();
        Mark::new(1, bits).and(self.min.to_bits()).and(self.step.to_bits()).and(self.max as u64)
    }

    /// The distance of a value from `min` in steps, for a value with this code: within half a step of the code.
    pub(super) fn steps(&self, value: f64, code: u32) -> f64 {
        let (steps, code) = ((value - self.min) / self.step, f64::from(code));
        // Half a step up is the next code already; a value that was bent takes the middle.
        if steps >= code - 0.5 && steps < code + 0.5 { steps } else { code }
    }
}

/// Fixed point that moves on at the rate at which it last changed, for values that mostly move straight on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear(pub(super) Fixed);

impl Linear {
    /// These steps, for a moving value.
    ///
    /// # Panics
    ///
    /// When compiling, if held in a constant: if there are more than 2^24 steps.
    pub const fn new(by: Fixed) -> Self {
        assert!(by.max >> linear::MAX_BITS == 0, "a linear lane has at most 2^24 steps");
        Self(by)
    }

    /// The value of a code.
    pub const fn value(&self, code: u32) -> f64 {
        self.0.value(code)
    }

    /// The largest code.
    pub const fn max(&self) -> u32 {
        self.0.max
    }

    /// The mark of such a lane.
    pub const fn mark(&self) -> Mark {
        self.0.mark().linear()
    }
}

/// The number of steps between two checked ends.
const fn steps(min: f64, end: f64, step: f64) -> f64 {
    assert!(min.is_finite() && end.is_finite(), "the ends of a range must be finite");
    assert!(min <= end, "a range must not end below its start");
    assert!(step.is_finite() && step > 0.0, "a step must be finite and above 0");
    assert!(min.abs() / step <= TWO_48 && end.abs() / step <= TWO_48, "the step is too fine for numbers of this size");
    (end - min) / step
}

const TWO_48: f64 = (1_u64 << 48) as f64;

/// An angle in radians: `value = code * tau / 2^bits`, from 0 up to tau, wrapping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Angle {
    bits: u8,
}

impl Angle {
    /// `2^bits` steps a turn.
    ///
    /// # Panics
    ///
    /// When compiling, if held in a constant: if `bits` is not 1 to 24.
    pub const fn new(bits: u8) -> Self {
        assert!(bits >= 1 && bits <= 24, "an angle has 1 to 24 bits");
        Self { bits }
    }

    /// The nearest code without whole turns, and whether the value is finite (0 replaces one that is not).
    pub fn encode(&self, value: f64) -> (u32, bool) {
        if !value.is_finite() {
            return (0, false);
        }
        let steps = value / TAU * self.codes();
        let nearest = (steps + 0.5_f64.copysign(steps)) as i64;
        (nearest as u32 & self.max(), true)
    }

    /// The value of a code.
    pub const fn value(&self, code: u32) -> f64 {
        code as f64 * (TAU / self.codes())
    }

    /// The largest code.
    pub const fn max(&self) -> u32 {
        self.codes() as u32 - 1
    }

    /// The mark of such a lane.
    pub const fn mark(&self) -> Mark {
        Mark::new(2, self.bits as u32)
    }

    const fn codes(&self) -> f64 {
        (1_u32 << (self.bits & 31)) as f64
    }
}

/// An integer: `value = min + code`, for codes from 0 to `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int {
    min: i64,
    max: u32,
}

impl Int {
    /// The integers from `min` to `end`.
    ///
    /// # Panics
    ///
    /// When compiling, if held in a constant: if `end` is below `min`, or there are more than 2^32 integers.
    pub const fn inclusive(min: i64, end: i64) -> Self {
        assert!(min <= end, "a range must not end below its start");
        let max = end as i128 - min as i128;
        assert!(max <= u32::MAX as i128, "a range has at most 2^32 integers");
        Self { min, max: max as u32 }
    }

    /// The integers from `min` to the one before `end`.
    ///
    /// # Panics
    ///
    /// As [`Int::inclusive`], and if `end` is `min`.
    pub const fn exclusive(min: i64, end: i64) -> Self {
        assert!(min < end, "a range must not be empty");
        Self::inclusive(min, end - 1)
    }

    /// The nearest code, and whether the value is in the range.
    pub fn encode(&self, value: i64) -> (u32, bool) {
        let code = value.saturating_sub(self.min).clamp(0, i64::from(self.max)) as u32;
        (code, self.value(code) == value)
    }

    /// The value of a code.
    pub const fn value(&self, code: u32) -> i64 {
        self.min.saturating_add(code as i64)
    }

    /// The largest code.
    pub const fn max(&self) -> u32 {
        self.max
    }

    /// The mark of such a lane.
    pub const fn mark(&self) -> Mark {
        Mark::new(3, u32::BITS - self.max.leading_zeros()).and(self.min as u64).and(self.max as u64)
    }
}

/// The meaning of a lane's code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Quantizer {
    /// `value = min + code * step`, for codes from 0 to `max`.
    Fixed {
        /// Value of code 0.
        min: f64,
        /// Distance between two codes.
        step: f64,
        /// The largest code.
        max: u32,
    },
    /// `value = code * tau / 2^bits` radians, wrapping.
    Angle {
        /// Bits of a full turn, 1 to 24.
        bits: u8,
    },
    /// `value = min + code`, for codes from 0 to `max`.
    Int {
        /// Value of code 0.
        min: i64,
        /// The largest code.
        max: u32,
    },
    /// 0 is false, 1 is true.
    Bool,
    /// The index of a name.
    Choice {
        /// The variants of a C-like enum.
        names: Vec<String>,
    },
    /// Slot in the low 16 bits, low 16 bits of the generation above; `u32::MAX` is none.
    Entity,
}

impl Quantizer {
    /// The largest code; a greater one has no meaning.
    pub fn max(&self) -> u32 {
        match self {
            Self::Fixed { max, .. } | Self::Int { max, .. } => *max,
            Self::Angle { bits } => Angle { bits: *bits }.max(),
            Self::Bool => 1,
            Self::Choice { names } => u32::try_from(names.len()).map_or(u32::MAX, |len| len.saturating_sub(1)),
            Self::Entity => u32::MAX,
        }
    }

    /// The number of bits of a code: 0 to 32, and 0 only if there is a single value.
    pub fn bits(&self) -> u32 {
        u32::BITS - self.max().leading_zeros()
    }

    /// The value of a code; its number where a code is no quantity (true is 1, a choice is its index).
    pub fn value(&self, code: u32) -> f64 {
        match self {
            Self::Fixed { min, step, max } => Fixed { min: *min, step: *step, max: *max }.value(code),
            Self::Angle { bits } => Angle { bits: *bits }.value(code),
            Self::Int { min, max } => Int { min: *min, max: *max }.value(code) as f64,
            Self::Bool | Self::Choice { .. } | Self::Entity => f64::from(code),
        }
    }

    /// The code whose [value](Quantizer::value) is nearest, and false if the value was out of range or not a number.
    pub fn encode(&self, value: f64) -> (u32, bool) {
        match self {
            Self::Fixed { min, step, max } => Fixed { min: *min, step: *step, max: *max }.encode(value),
            Self::Angle { bits } => Angle { bits: *bits }.encode(value),
            Self::Int { min, max } => nearest(Int { min: *min, max: *max }, value),
            Self::Bool | Self::Choice { .. } | Self::Entity => nearest(Int { min: 0, max: self.max() }, value),
        }
    }

    /// The mark of a held lane.
    pub(super) fn mark(&self) -> Mark {
        match self {
            Self::Fixed { min, step, max } => Fixed { min: *min, step: *step, max: *max }.mark(),
            Self::Angle { bits } => Angle { bits: *bits }.mark(),
            Self::Int { min, max } => Int { min: *min, max: *max }.mark(),
            Self::Bool => Mark::BOOL,
            Self::Choice { names } => Mark::of_choice(&names.iter().map(String::as_str).collect::<Vec<_>>()),
            Self::Entity => Mark::ENTITY,
        }
    }

    /// The default coding of changes: numbers of many steps move by many, all others by a few.
    pub(super) fn coding(&self) -> Coding {
        let k = match self {
            Self::Fixed { .. } | Self::Angle { .. } => (self.bits() / 2).saturating_sub(1),
            Self::Int { .. } => self.bits() / 4,
            Self::Bool | Self::Choice { .. } => 0,
            Self::Entity => 12,
        };
        Coding::Golomb { k: k as u8 }
    }

    /// The default coding of the rate of a linear lane.
    pub(super) fn rate_coding(&self) -> Coding {
        let Coding::Golomb { k } = self.coding();
        Coding::Golomb { k: k + linear::FRACTION as u8 }
    }
}

/// [`Int::encode`] of a number that need not be whole.
fn nearest(int: Int, value: f64) -> (u32, bool) {
    // `as` saturates and turns NaN to 0.
    let (code, ok) = int.encode(value.round() as i64);
    (code, ok && value.is_finite())
}

impl From<Fixed> for Quantizer {
    fn from(Fixed { min, step, max }: Fixed) -> Self {
        Self::Fixed { min, step, max }
    }
}

impl From<Angle> for Quantizer {
    fn from(Angle { bits }: Angle) -> Self {
        Self::Angle { bits }
    }
}

impl From<Int> for Quantizer {
    fn from(Int { min, max }: Int) -> Self {
        Self::Int { min, max }
    }
}
