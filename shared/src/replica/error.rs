//! The reasons why a frame could not be applied.

use thiserror::Error;

use crate::{
    bits::BadBits,
    frame::BadFrame,
    id::{GroupId, Tick},
};

/// The error for bytes that are no chunk, or a chunk that starts from another state than the one held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadChunk {
    /// The bits end early.
    #[error("chunk ends early")]
    Truncated,
    /// A place, slot, kind or length beyond its range.
    #[error("chunk has a number beyond its range")]
    OutOfRange,
    /// The chunk starts from another state.
    #[error("chunk starts from {base:?}, held is {held:?}")]
    WrongBase {
        /// The version that the table equals.
        held: Tick,
        /// The version that it should equal, or be newer than.
        base: Tick,
    },
}

impl From<BadBits> for BadChunk {
    fn from(_: BadBits) -> Self {
        Self::Truncated
    }
}

/// The reason why a frame could not be applied. The replica is then only good for a resync with `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReplicaError {
    /// The frame itself is malformed.
    #[error(transparent)]
    Frame(#[from] BadFrame),
    /// A chunk is malformed, or does not fit.
    #[error("group {}: {reason}", group.0)]
    Chunk {
        /// The group of the chunk.
        group: GroupId,
        /// The flaw of the chunk.
        reason: BadChunk,
    },
    /// The frame was applied, and the result differs from the server's state.
    #[error("state hash at {0:?} differs from the server's")]
    HashMismatch(Tick),
    /// An epoch began without the frame that states the view.
    #[error("first frame of an epoch does not state the view")]
    NoStart,
}
