//! The layout of kinds for encoders and decoders: counts, widths, codings.

use super::{Coding, EntitySchema, KindSchema, LaneSchema, Learned};
use crate::{
    id::Tick,
    linear::{self, Line},
    prefix::Prefix,
};

/// The layout of kinds for encoders and decoders: counts, widths, codings. Made from a schema.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The layouts by kind number.
    pub kinds: Vec<KindLayout>,
    /// Most codes of any kind.
    pub lane_stride: usize,
    /// Most linear lanes of any kind.
    pub linear_stride: usize,
    /// Most blobs of any kind.
    pub blob_stride: usize,
    /// Bits of a kind number.
    pub kind_bits: u32,
}

/// The layout of one kind.
///
/// A member has one code for each lane (for a linear lane, the origin of its line), then the rate of each linear lane.
#[derive(Clone, Debug)]
pub struct KindLayout {
    /// Width in bits and coding of each lane.
    pub lanes: Vec<LaneLayout>,
    /// The indexes of the linear lanes.
    pub linear: Vec<usize>,
    /// Most bytes of each blob.
    pub blobs: Vec<u32>,
    /// The code of the masks of changed fields in deltas, if one was learned.
    pub mask: Option<Box<Prefix>>,
}

/// The width and coding of one lane.
#[derive(Clone, Debug)]
pub struct LaneLayout {
    /// Bits of a code.
    pub bits: u32,
    /// Order of the Golomb code of its changes, or of its rates.
    pub golomb: u32,
    /// The index of a linear lane's rate among the codes.
    pub rate: Option<usize>,
    /// The learned codings.
    pub learned: LearnedLayout,
}

/// The learned codings of one lane; the default one is used where there is none.
#[derive(Clone, Debug, Default)]
pub struct LearnedLayout {
    /// For its changes, or those of its rate.
    pub change: Option<Box<Prefix>>,
    /// For the error of a line.
    pub error: Option<Box<Prefix>>,
    /// For the lane as it is, or for its rate.
    pub whole: Option<Box<Prefix>>,
}

impl LearnedLayout {
    /// Codings that do not fit the lane are left out: [`EntitySchema::check`] reports them.
    fn new(learned: &Learned, width: u32) -> Self {
        let code = |text: &Option<String>| code(text.as_deref(), width);
        Self { change: code(&learned.change), error: code(&learned.error), whole: code(&learned.whole) }
    }
}

fn code(text: Option<&str>, width: u32) -> Option<Box<Prefix>> {
    text.and_then(|text| Prefix::parse(text, width).ok()).map(Box::new)
}

impl KindLayout {
    fn new(kind: &KindSchema) -> Self {
        let linear: Vec<usize> = (0..kind.lanes.len()).filter(|lane| kind.lanes[*lane].linear).collect();
        let lane = |(index, lane): (usize, &LaneSchema)| {
            let Coding::Golomb { k } = lane.coding;
            // A document from elsewhere may call anything linear.
            let most = if lane.linear { linear::MAX_BITS } else { 32 };
            LaneLayout {
                bits: lane.quantizer.bits().min(most),
                learned: LearnedLayout::new(&lane.learned, lane.coded_bits()),
                golomb: u32::from(k).min(31),
                rate: linear.binary_search(&index).ok().map(|nth| kind.lanes.len() + nth),
            }
        };
        Self {
            lanes: kind.lanes.iter().enumerate().map(lane).collect(),
            linear,
            blobs: kind.blobs.iter().map(|blob| blob.max_len).collect(),
            mask: code(kind.mask.as_deref(), kind.fields()),
        }
    }

    /// The number of bits of a change mask of this kind.
    pub fn fields(&self) -> usize {
        self.lanes.len() + self.blobs.len()
    }

    /// The number of codes of a member of this kind.
    pub fn codes(&self) -> usize {
        self.lanes.len() + self.linear.len()
    }

    /// The line of a linear lane; `None` for a held one.
    #[inline]
    pub fn line(&self, codes: &[u32], lane: usize) -> Option<Line> {
        self.lanes[lane].rate.map(|rate| Line { origin: codes[lane], rate: codes[rate] })
    }

    /// The code of a lane at a tick.
    pub fn code_at(&self, codes: &[u32], lane: usize, tick: Tick) -> u32 {
        self.line(codes, lane).map_or(codes[lane], |line| line.code_at(self.lanes[lane].bits, tick.0))
    }

    /// The content of a lane in the hash: its code, or both numbers of its line.
    #[inline]
    pub fn content(&self, codes: &[u32], lane: usize) -> u32 {
        self.line(codes, lane).map_or(codes[lane], Line::content)
    }
}

impl Layout {
    /// The layout of a schema.
    pub fn new(schema: &EntitySchema) -> Self {
        let kinds: Vec<KindLayout> = schema.kinds.iter().map(KindLayout::new).collect();
        let kind_bits = usize::BITS - kinds.len().saturating_sub(1).leading_zeros();
        Self {
            lane_stride: kinds.iter().map(KindLayout::codes).max().unwrap_or(0),
            linear_stride: kinds.iter().map(|kind| kind.linear.len()).max().unwrap_or(0),
            blob_stride: kinds.iter().map(|kind| kind.blobs.len()).max().unwrap_or(0),
            kind_bits,
            kinds,
        }
    }
}
