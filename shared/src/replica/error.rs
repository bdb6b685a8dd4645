//! Why a frame could not be applied.

use thiserror::Error;

use crate::{
    bits::BadBits,
    frame::BadFrame,
    id::{GroupId, Tick},
};

/// Bytes that are no chunk, or one that starts from something else than what is held.
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
        /// What the table equals.
        held: Tick,
        /// What it should equal, or be newer than.
        base: Tick,
    },
}

impl From<BadBits> for BadChunk {
    fn from(_: BadBits) -> Self {
        Self::Truncated
    }
}

/// Why a frame could not be applied. The replica is then good for nothing but a resync with `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReplicaError {
    /// The frame's own bytes.
    #[error(transparent)]
    Frame(#[from] BadFrame),
    /// A chunk.
    #[error("group {}: {reason}", group.0)]
    Chunk {
        /// Of which group.
        group: GroupId,
        /// What is wrong with it.
        reason: BadChunk,
    },
    /// The frame was applied and the result is not what the server has.
    #[error("state hash at {0:?} differs from the server's")]
    HashMismatch(Tick),
    /// An epoch began without the frame that states the view.
    #[error("first frame of an epoch does not state the view")]
    NoStart,
}
