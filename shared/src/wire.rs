//! The encoding of inputs, events and configs: bincode bytes, a schema by which other languages read and write them,
//! and random values for [`check_game`](crate::check::check_game), fuzzing and bots.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::rng::Rng;

mod size;
#[cfg(test)]
mod tests;
mod value;

pub use tiltyard_derive::Wire;
pub(crate) use value::random_length;

/// Most bytes of a `String` and most items of a `Vec` whose field sets no bound.
pub const DEFAULT_MAX_LEN: u32 = 256;

/// Most levels of values inside values.
pub const MAX_DEPTH: u32 = 32;

/// A plain value that both ends understand. Derive it beside serde's two traits.
///
/// Supported: `bool`, integers up to 64 bits, finite `f32` and `f64`, `String`, `Vec<T>`, `Option<T>`, `[T; N]` (N up
/// to 32), `()`, [`EntityId`](crate::id::EntityId), [`PlayerId`](crate::id::PlayerId), structs and enums of these. A
/// type that contains itself is not supported: neither its schema nor the stack for decoding it would end. The compiler
/// refuses it as a cycle in [`Wire::DEPTH`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent",
    label = "does not implement `Wire`",
    note = "fields are `bool`, integers up to 64 bits, floats, `String`, `Vec`, `Option`, arrays, `EntityId`, `PlayerId`",
    note = "and structs and enums of these, which derive `Wire`"
)]
pub trait Wire: Serialize + DeserializeOwned + Clone + std::fmt::Debug + Send + 'static {
    /// Levels of values inside this one, itself included: at most [`MAX_DEPTH`].
    const DEPTH: u32 = 1;

    /// The shape of the value.
    fn schema() -> WireSchema;

    /// A random value within the schema's bounds.
    fn arbitrary(rng: &mut Rng) -> Self;

    /// Whether the value is within the bounds that its type does not enforce: lengths of text and sequences, finite
    /// floats.
    fn is_bounded(&self) -> bool {
        true
    }
}

/// A [`Wire`] value whose length a field may bound by `#[wire(max_len = 32)]`: `String` by bytes, `Vec` by items, and
/// `Option` of these. The bound applies to the field's own value: the texts in a `Vec<String>` keep the default.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no length to bound",
    label = "`max_len` is for `String`, `Vec` and `Option` of these"
)]
pub trait Bounded: Wire {
    /// [`Wire::schema`] with this bound.
    fn schema_within(max_len: u32) -> WireSchema;

    /// [`Wire::arbitrary`] with this bound.
    fn arbitrary_within(rng: &mut Rng, max_len: u32) -> Self;

    /// [`Wire::is_bounded`] with this bound.
    fn is_within(&self, max_len: u32) -> bool;
}

/// The [`Wire::DEPTH`] of a value with parts of these depths.
///
/// # Panics
///
/// When compiling, as all users are constants: if it is above [`MAX_DEPTH`].
pub const fn depth(parts: &[u32]) -> u32 {
    let (mut deepest, mut index) = (0, 0);
    while index < parts.len() {
        if parts[index] > deepest {
            deepest = parts[index];
        }
        index += 1;
    }
    assert!(deepest < MAX_DEPTH, "too many levels of values inside values");
    deepest + 1
}

/// The shape of a [`Wire`] value, in terms of bincode's standard configuration (PROTOCOL.md has the bytes).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum WireSchema {
    /// No bytes.
    Unit,
    /// One byte, 0 or 1.
    Bool,
    /// `u8` is a byte; wider ones are variable-length.
    Uint {
        /// 8, 16, 32 or 64.
        bits: u8,
    },
    /// `i8` is a byte; wider ones are zigzagged and variable-length.
    Int {
        /// 8, 16, 32 or 64.
        bits: u8,
    },
    /// IEEE 754, little endian. Finite.
    Float {
        /// 32 or 64.
        bits: u8,
    },
    /// Length in bytes, then UTF-8.
    Text {
        /// Most bytes.
        max_len: u32,
    },
    /// Length, then the items.
    List {
        /// Most items.
        max_len: u32,
        /// The shape of an item.
        item: Box<WireSchema>,
    },
    /// A fixed number of items, without a length.
    Array {
        /// The number of items.
        len: u32,
        /// The shape of an item.
        item: Box<WireSchema>,
    },
    /// One byte 0, or one byte 1 and the value.
    Option {
        /// The shape of the value.
        item: Box<WireSchema>,
    },
    /// The fields in order.
    Struct {
        /// The type's name.
        name: String,
        /// Names and shapes; the fields of a tuple are named `0`, `1`, ….
        fields: Vec<WireField>,
    },
    /// The variant's index (variable-length `u32`), then its fields.
    Enum {
        /// The type's name.
        name: String,
        /// The variants in order.
        variants: Vec<WireVariant>,
    },
}

/// A named part of a struct or variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireField {
    /// The field's name.
    pub name: String,
    /// Its shape.
    pub schema: WireSchema,
}

/// One variant of an enum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireVariant {
    /// The variant's name.
    pub name: String,
    /// Its fields; none for a unit variant.
    pub fields: Vec<WireField>,
}
