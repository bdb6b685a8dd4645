//! Turns an author's structs into lanes: the [`Replicate`] trait, its quantizers, and the schema by which clients
//! decode.
//!
//! A *lane* is one quantized field of at most 32 bits; a *blob* is a String or byte field, replicated whole. The derive
//! macro writes all of this; nothing here knows groups, chunks or sockets. `quantizer` defines the meaning of codes,
//! `field` the types of fields.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    id::Tick,
    linear,
    prefix::{self, BadPrefix},
};

mod codings;
mod field;
mod layout;
mod quantizer;
#[cfg(test)]
mod tests;

pub use codings::{Entry, FieldMark, Mark};
pub use field::{Blob, Lane, LaneBy};
pub use layout::{KindLayout, LaneLayout, Layout, LearnedLayout};
pub use quantizer::{Angle, Fixed, Int, Linear, Quantizer};
pub use tiltyard_derive::Replicate;

/// Most fields (lanes and blobs together) that one kind may have, because a change mask is one `u64`.
pub const MAX_FIELDS: usize = 64;

/// An entity of a [`World`](crate::world::World): a struct, or an enum of structs (each variant is a *kind*).
///
/// Derive it: the [derive macro](macro@Replicate) lists the attributes of fields.
pub trait Replicate: Clone + Serialize + DeserializeOwned + Send + 'static {
    /// The kinds of this type and the fields of each.
    fn schema() -> EntitySchema;

    /// The kind of this value: the index of its variant, 0 for a struct.
    fn kind(&self) -> u8;

    /// Appends every lane, then every blob, in the order of the schema.
    fn quantize(&self, out: &mut Quantized);

    /// The value that a client shows for these fields; `None` if they do not fit the schema.
    fn restore(kind: u8, fields: &mut Fields<'_>) -> Option<Self>;
}

/// A [`Replicate`] type with exactly one kind: a struct. Only such a type can be held by an enum's variant.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind of entity",
    label = "not a struct that derives `Replicate`",
    note = "a variant is a unit, holds one struct that derives `Replicate`, or has named fields"
)]
pub trait Kind: Replicate {
    /// The fields that clients see.
    const FIELDS: &'static [FieldMark];
}

/// The kinds of an entity type, in the order of their kind numbers (at most 256).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntitySchema {
    /// One entry for each variant; exactly one for a struct.
    pub kinds: Vec<KindSchema>,
}

impl EntitySchema {
    /// Checks that every learned coding can be used, since a document from elsewhere may claim anything.
    ///
    /// # Errors
    ///
    /// The flaw of the first coding that cannot be used.
    pub fn check(&self) -> Result<(), BadPrefix> {
        for kind in &self.kinds {
            kind.mask.iter().try_for_each(|text| prefix::check(text, kind.fields()))?;
            for lane in &kind.lanes {
                lane.learned.texts().try_for_each(|text| prefix::check(text, lane.coded_bits()))?;
            }
        }
        Ok(())
    }
}

/// The fields of one kind. Lanes come first in masks and chunks, then blobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KindSchema {
    /// The variant's (or struct's) name.
    pub name: String,
    /// The quantized fields.
    pub lanes: Vec<LaneSchema>,
    /// The fields that are replicated whole.
    pub blobs: Vec<BlobSchema>,
    /// The code of the masks of changed fields in deltas, if one was [learned](crate::prefix).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    /// The names of the fields that stay on the server. They are not part of the document: clients do not learn of
    /// them.
    #[serde(skip)]
    pub skipped: Vec<String>,
}

impl KindSchema {
    /// The fields of a struct, under the name of the variant that holds it.
    pub fn of<T: Kind>(name: &str) -> Self {
        let inner = T::schema().kinds.swap_remove(0);
        Self { name: name.to_owned(), ..inner }
    }

    /// The number of its fields: the bits of its masks.
    pub fn fields(&self) -> u32 {
        (self.lanes.len() + self.blobs.len()) as u32
    }
}

/// One lane: its name, the meaning of its codes, and the coding of its changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneSchema {
    /// The field's name; `name.0`, `name.1`, … for the items of an array.
    pub name: String,
    /// The meaning of its codes.
    pub quantizer: Quantizer,
    /// Whether a change of this lane makes clients snap instead of gliding.
    #[serde(default)]
    pub teleport: bool,
    /// Whether the value moves at a rate of its own: see [`crate::linear`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub linear: bool,
    /// The coding of a change in a delta chunk.
    pub coding: Coding,
    /// The learned codings, which take precedence over `coding`.
    #[serde(default, skip_serializing_if = "Learned::is_empty")]
    pub learned: Learned,
}

impl LaneSchema {
    /// A lane with the coding that its quantizer suggests, which is no teleport counter.
    pub fn new(name: &str, quantizer: impl Into<Quantizer>) -> Self {
        let quantizer = quantizer.into();
        let (coding, learned) = (quantizer.coding(), Learned::default());
        Self { name: name.to_owned(), teleport: false, linear: false, coding, learned, quantizer }
    }

    /// A linear lane. Its rates differ by more than its values do, because they count in 256ths of a step.
    pub fn linear(name: &str, by: Linear) -> Self {
        let quantizer = Quantizer::from(by.0);
        Self { linear: true, coding: quantizer.rate_coding(), ..Self::new(name, quantizer) }
    }

    /// The number of bits of a value of a learned coding: those of a code, or of a line's rate.
    pub fn coded_bits(&self) -> u32 {
        let bits = self.quantizer.bits();
        if self.linear { bits.min(linear::MAX_BITS) + linear::FRACTION } else { bits }
    }
}

/// A field that is replicated whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlobSchema {
    /// The field's name.
    pub name: String,
    /// Most bytes that it may hold; a longer value is cut (at a character) and counted as a quantization error.
    pub max_len: u32,
    /// Whether the bytes are UTF-8 text.
    pub text: bool,
}

/// The codings of one lane that were learned from recorded play, each a [prefix code](crate::prefix) as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// For its changes; in a linear lane for those of its rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// For the error of a line, in a linear lane whose `change` is learned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// For the lane as it is; in a linear lane for its rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<String>,
}

impl Learned {
    /// Whether nothing was learned.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// All codings that were learned.
    fn texts(&self) -> impl Iterator<Item = &str> {
        [&self.change, &self.error, &self.whole].into_iter().filter_map(|text| text.as_deref())
    }
}

/// The coding of a lane's changes in a delta chunk. Announced in the schema, so that it can be learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// Exponential Golomb code of order `k` of the zigzagged wrapping difference, less one (a changed lane is never 0).
    /// In a linear lane it codes the rates.
    Golomb {
        /// The order: small differences below `2^k` take about `k + 1` bits.
        k: u8,
    },
}

/// The output of [`Replicate::quantize`]: codes and blob bytes. Reused for all entities, so that commit does not
/// allocate.
#[derive(Clone, Debug, Default)]
pub struct Quantized {
    /// One code for each lane.
    pub lanes: Vec<u32>,
    /// The unquantized value of each linear lane, in steps above its code 0.
    pub steps: Vec<f64>,
    /// The bytes of all blobs, one after the other.
    pub blob_bytes: Vec<u8>,
    /// The end of each blob in `blob_bytes`.
    pub blob_ends: Vec<usize>,
    /// The number of values that were out of range, not a number, or too long, since this was made.
    pub errors: u64,
}

impl Quantized {
    /// Clears lanes and blobs, but keeps the count of errors and the capacity.
    pub fn clear(&mut self) {
        self.lanes.clear();
        self.steps.clear();
        self.blob_bytes.clear();
        self.blob_ends.clear();
    }

    /// Appends a lane by its code.
    pub fn lane(&mut self, code: u32) {
        self.lanes.push(code);
    }

    /// Appends a fixed-point lane.
    pub fn fixed(&mut self, by: &Fixed, value: f64) {
        self.coded(by.encode(value));
    }

    /// Appends a fixed-point lane that moves at a rate of its own.
    pub fn linear(&mut self, by: &Linear, value: f64) {
        let (code, ok) = by.0.encode(value);
        self.steps.push(by.0.steps(value, code));
        self.coded((code, ok));
    }

    /// Appends an angle in radians.
    pub fn angle(&mut self, by: &Angle, value: f64) {
        self.coded(by.encode(value));
    }

    /// Appends an integer of a range.
    pub fn int(&mut self, by: &Int, value: i64) {
        self.coded(by.encode(value));
    }

    /// Appends a text of at most `max_len` bytes, cut before the character that does not fit.
    pub fn text(&mut self, text: &str, max_len: u32) {
        let max_len = max_len as usize;
        if text.len() <= max_len {
            return self.blob_of(text.as_bytes());
        }
        self.errors += 1;
        let end = (0..=max_len).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.blob_of(&text.as_bytes()[..end]);
    }

    /// Appends bytes, cut after `max_len`.
    pub fn bytes(&mut self, bytes: &[u8], max_len: u32) {
        let end = bytes.len().min(max_len as usize);
        self.errors += u64::from(end < bytes.len());
        self.blob_of(&bytes[..end]);
    }

    /// The bytes of a blob.
    ///
    /// # Panics
    ///
    /// If `index` is not below [`Quantized::blob_count`].
    pub fn blob(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.blob_ends[index - 1] };
        &self.blob_bytes[start..self.blob_ends[index]]
    }

    /// The number of blobs.
    pub fn blob_count(&self) -> usize {
        self.blob_ends.len()
    }

    fn coded(&mut self, (code, ok): (u32, bool)) {
        self.errors += u64::from(!ok);
        self.lanes.push(code);
    }

    fn blob_of(&mut self, bytes: &[u8]) {
        self.blob_bytes.extend_from_slice(bytes);
        self.blob_ends.push(self.blob_bytes.len());
    }
}

/// The input of [`Replicate::restore`]: codes and blob bytes, in the order of the schema.
#[derive(Debug)]
pub struct Fields<'a> {
    codes: &'a [u32],
    lane: usize,
    lines: Option<(&'a KindLayout, Tick)>,
    blobs: std::slice::Iter<'a, Box<[u8]>>,
}

impl<'a> Fields<'a> {
    /// Reads from these lanes and blobs.
    pub fn new(lanes: &'a [u32], blobs: &'a [Box<[u8]>]) -> Self {
        Self { codes: lanes, lane: 0, lines: None, blobs: blobs.iter() }
    }

    /// Reads from the codes and blobs of a member at a tick, up to which linear lanes have moved on.
    pub fn at(tick: Tick, kind: &'a KindLayout, codes: &'a [u32], blobs: &'a [Box<[u8]>]) -> Self {
        Self { lines: Some((kind, tick)), ..Self::new(codes, blobs) }
    }

    /// The next lane's code; `None` after the last.
    pub fn lane(&mut self) -> Option<u32> {
        let lane = self.lane;
        self.lane += 1;
        match self.lines {
            None => self.codes.get(lane).copied(),
            Some((kind, tick)) => (lane < kind.lanes.len()).then(|| kind.code_at(self.codes, lane, tick)),
        }
    }

    /// The next blob's bytes; `None` after the last.
    pub fn blob(&mut self) -> Option<&'a [u8]> {
        self.blobs.next().map(|blob| &**blob)
    }
}
