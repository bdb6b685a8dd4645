//! The types of fields: [`Lane`] needs no attribute, [`LaneBy`] needs a quantizer, and [`Blob`] a limit.

use crate::id::{EntityId, PlayerId, Tick};

use super::{Angle, BlobSchema, Fields, Fixed, Int, LaneSchema, Linear, Mark, Quantized, Quantizer};

/// A field type that is one or more lanes without attributes: integers, `bool`, C-like enums, ids, arrays of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not replicated without an attribute",
    label = "needs a `#[replicate(…)]`",
    note = "floats: `#[replicate(range = 0.0..=100.0, step = 0.25)]`, or `#[replicate(angle = 8)]` for radians",
    note = "64-bit integers: `#[replicate(range = 0..=1000)]`; `String` and `Vec<u8>`: `#[replicate(max_len = 24)]`",
    note = "an enum without fields: derive `Replicate` for it; what stays on the server: `#[replicate(skip)]`"
)]
pub trait Lane: Sized {
    /// The number of lanes.
    const LANES: usize = 1;
    /// The mark of each lane.
    const MARK: Mark;

    /// Describes the lanes of a field with this name; arrays append `.0`, `.1`, ….
    fn describe(name: &str, out: &mut Vec<LaneSchema>);
    /// Appends the lanes of this value.
    fn quantize(&self, out: &mut Quantized);
    /// Reads the lanes back; `None` if there are too few or one has no meaning.
    fn restore(fields: &mut Fields<'_>) -> Option<Self>;
}

/// A field type that a quantizer turns into one or more lanes: floats by [`Fixed`] and [`Angle`], integers by [`Int`],
/// arrays of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be quantized by `{Q}`",
    label = "does not fit its `#[replicate(…)]`",
    note = "floats take `range` with `step`, or `angle`; integers take `range` alone; arrays of either take the same"
)]
pub trait LaneBy<Q>: Sized {
    /// The number of lanes.
    const LANES: usize = 1;

    /// Describes the lanes of a field with this name; arrays append `.0`, `.1`, ….
    fn describe(name: &str, by: &Q, out: &mut Vec<LaneSchema>);
    /// Appends the lanes of this value.
    fn quantize(&self, by: &Q, out: &mut Quantized);
    /// Reads the lanes back; `None` if there are too few or one has no meaning.
    fn restore(by: &Q, fields: &mut Fields<'_>) -> Option<Self>;
}

/// A field type that is replicated whole: `String` and `Vec<u8>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no bytes to limit",
    label = "`max_len` is for `String` and `Vec<u8>`"
)]
pub trait Blob: Sized {
    /// Describes a field with this name.
    fn describe(name: &str, max_len: u32, out: &mut Vec<BlobSchema>);
    /// Appends the bytes of this value, at most `max_len`.
    fn quantize(&self, max_len: u32, out: &mut Quantized);
    /// Reads the bytes back; `None` if there are none, too many, or they have no meaning.
    fn restore(max_len: u32, fields: &mut Fields<'_>) -> Option<Self>;
}

/// Integers of at most 32 bits: every value has a code.
macro_rules! int_lane {
    ($($int:ty),*) => {$(
        impl Lane for $int {
            const MARK: Mark = Int::inclusive(<$int>::MIN as i64, <$int>::MAX as i64).mark();

            fn describe(name: &str, out: &mut Vec<LaneSchema>) {
                out.push(LaneSchema::new(name, const { Int::inclusive(<$int>::MIN as i64, <$int>::MAX as i64) }));
            }

            fn quantize(&self, out: &mut Quantized) {
                out.lane((i64::from(*self) - i64::from(<$int>::MIN)) as u32);
            }

            fn restore(fields: &mut Fields<'_>) -> Option<Self> {
                Self::try_from(i64::from(fields.lane()?) + i64::from(<$int>::MIN)).ok()
            }
        }
    )*};
}

int_lane!(u8, u16, u32, i8, i16, i32);

/// Newtypes of `u32`.
macro_rules! number_lane {
    ($($number:ident),*) => {$(
        impl Lane for $number {
            const MARK: Mark = <u32 as Lane>::MARK;

            fn describe(name: &str, out: &mut Vec<LaneSchema>) {
                <u32 as Lane>::describe(name, out);
            }

            fn quantize(&self, out: &mut Quantized) {
                out.lane(self.0);
            }

            fn restore(fields: &mut Fields<'_>) -> Option<Self> {
                fields.lane().map(Self)
            }
        }
    )*};
}

number_lane!(PlayerId, Tick);

impl Lane for bool {
    const MARK: Mark = Mark::BOOL;

    fn describe(name: &str, out: &mut Vec<LaneSchema>) {
        out.push(LaneSchema::new(name, Quantizer::Bool));
    }

    fn quantize(&self, out: &mut Quantized) {
        out.lane(u32::from(*self));
    }

    fn restore(fields: &mut Fields<'_>) -> Option<Self> {
        match fields.lane()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Lane for EntityId {
    const MARK: Mark = Mark::ENTITY;

    fn describe(name: &str, out: &mut Vec<LaneSchema>) {
        out.push(LaneSchema::new(name, Quantizer::Entity));
    }

    fn quantize(&self, out: &mut Quantized) {
        out.lane(self.to_lane());
    }

    fn restore(fields: &mut Fields<'_>) -> Option<Self> {
        fields.lane().map(|code| Self::from_lane(code).unwrap_or(Self::NONE))
    }
}

impl Lane for Option<EntityId> {
    const MARK: Mark = Mark::ENTITY;

    fn describe(name: &str, out: &mut Vec<LaneSchema>) {
        EntityId::describe(name, out);
    }

    fn quantize(&self, out: &mut Quantized) {
        self.unwrap_or(EntityId::NONE).quantize(out);
    }

    fn restore(fields: &mut Fields<'_>) -> Option<Self> {
        fields.lane().map(EntityId::from_lane)
    }
}

impl<T: Lane, const N: usize> Lane for [T; N] {
    const LANES: usize = N * T::LANES;
    const MARK: Mark = T::MARK;

    fn describe(name: &str, out: &mut Vec<LaneSchema>) {
        (0..N).for_each(|index| T::describe(&format!("{name}.{index}"), out));
    }

    fn quantize(&self, out: &mut Quantized) {
        self.iter().for_each(|item| item.quantize(out));
    }

    fn restore(fields: &mut Fields<'_>) -> Option<Self> {
        all(std::array::from_fn(|_| T::restore(fields)))
    }
}

/// Floats: computed in `f64`, shown in the precision of the type.
macro_rules! float_lane {
    ($float:ty: $($quantizer:ty => $append:ident),*) => {$(
        impl LaneBy<$quantizer> for $float {
            fn describe(name: &str, by: &$quantizer, out: &mut Vec<LaneSchema>) {
                out.push(LaneSchema::new(name, *by));
            }

            fn quantize(&self, by: &$quantizer, out: &mut Quantized) {
                out.$append(by, f64::from(*self));
            }

            fn restore(by: &$quantizer, fields: &mut Fields<'_>) -> Option<Self> {
                fields.lane().filter(|code| *code <= by.max()).map(|code| by.value(code) as Self)
            }
        }
    )*};
}

float_lane!(f32: Fixed => fixed, Angle => angle);
float_lane!(f64: Fixed => fixed, Angle => angle);

/// Floats that move at a rate of their own.
macro_rules! linear_lane {
    ($($float:ty),*) => {$(
        impl LaneBy<Linear> for $float {
            fn describe(name: &str, by: &Linear, out: &mut Vec<LaneSchema>) {
                out.push(LaneSchema::linear(name, *by));
            }

            fn quantize(&self, by: &Linear, out: &mut Quantized) {
                out.linear(by, f64::from(*self));
            }

            fn restore(by: &Linear, fields: &mut Fields<'_>) -> Option<Self> {
                fields.lane().filter(|code| *code <= by.max()).map(|code| by.value(code) as Self)
            }
        }
    )*};
}

linear_lane!(f32, f64);

/// Integers within a range.
macro_rules! int_lane_by {
    ($($int:ty),*) => {$(
        impl LaneBy<Int> for $int {
            fn describe(name: &str, by: &Int, out: &mut Vec<LaneSchema>) {
                out.push(LaneSchema::new(name, *by));
            }

            fn quantize(&self, by: &Int, out: &mut Quantized) {
                out.int(by, i64::try_from(*self).unwrap_or(i64::MAX));
            }

            fn restore(by: &Int, fields: &mut Fields<'_>) -> Option<Self> {
                let code = fields.lane().filter(|code| *code <= by.max())?;
                Self::try_from(by.value(code)).ok()
            }
        }
    )*};
}

int_lane_by!(u8, u16, u32, u64, i8, i16, i32, i64);

impl<Q, T: LaneBy<Q>, const N: usize> LaneBy<Q> for [T; N] {
    const LANES: usize = N * T::LANES;

    fn describe(name: &str, by: &Q, out: &mut Vec<LaneSchema>) {
        (0..N).for_each(|index| T::describe(&format!("{name}.{index}"), by, out));
    }

    fn quantize(&self, by: &Q, out: &mut Quantized) {
        self.iter().for_each(|item| item.quantize(by, out));
    }

    fn restore(by: &Q, fields: &mut Fields<'_>) -> Option<Self> {
        all(std::array::from_fn(|_| T::restore(by, fields)))
    }
}

/// All items, or `None` if one is missing.
fn all<T, const N: usize>(items: [Option<T>; N]) -> Option<[T; N]> {
    let complete = items.iter().all(Option::is_some);
    complete.then(|| items.map(|item| item.expect("none is missing")))
}

impl Blob for String {
    fn describe(name: &str, max_len: u32, out: &mut Vec<BlobSchema>) {
        out.push(BlobSchema { name: name.to_owned(), max_len, text: true });
    }

    fn quantize(&self, max_len: u32, out: &mut Quantized) {
        out.text(self, max_len);
    }

    fn restore(max_len: u32, fields: &mut Fields<'_>) -> Option<Self> {
        Vec::restore(max_len, fields).and_then(|bytes| Self::from_utf8(bytes).ok())
    }
}

impl Blob for Vec<u8> {
    fn describe(name: &str, max_len: u32, out: &mut Vec<BlobSchema>) {
        out.push(BlobSchema { name: name.to_owned(), max_len, text: false });
    }

    fn quantize(&self, max_len: u32, out: &mut Quantized) {
        out.bytes(self, max_len);
    }

    fn restore(max_len: u32, fields: &mut Fields<'_>) -> Option<Self> {
        fields.blob().filter(|bytes| bytes.len() <= max_len as usize).map(<[u8]>::to_vec)
    }
}
