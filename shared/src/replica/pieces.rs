//! Joins the pieces of a frame: see "Pieces" in PROTOCOL.md. As `web/sdk/pieces.js`.

use crate::{
    frame::{BadFrame, Cursor},
    protocol::limits,
};

/// Most bytes of a frame.
const MOST: usize = limits::CHUNK_BYTES + limits::FRAME_BYTES;

/// The pieces of one frame so far. They take no more memory than the largest frame.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces {
    joined: Vec<u8>,
    next: u32,
}

/// The result of taking a piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// It belongs to an older epoch and was dropped; it was the last of its frame.
    Stale,
    /// More pieces are to come.
    More,
    /// The complete frame message.
    Whole(Vec<u8>),
}

impl Pieces {
    /// Whether a frame has begun and is not complete.
    pub(super) fn is_pending(&self) -> bool {
        self.next > 0
    }

    /// Takes the next piece, its first byte included. `epoch` is the current one.
    pub(super) fn take(&mut self, bytes: &[u8], epoch: u32) -> Result<Joined, BadFrame> {
        let mut cursor = Cursor::new(bytes);
        cursor.u8()?;
        let of = cursor.varint_u32()?;
        let numbered = cursor.varint_u32().and_then(|number| Ok((number, cursor.flags(1)? == 1)));
        if of < epoch {
            return Ok(if numbered.is_ok_and(|(_, last)| last) { Joined::Stale } else { Joined::More });
        }
        let (number, last) = numbered?;
        if of > epoch {
            return Err(BadFrame::OutOfRange);
        }
        // Empty pieces would let the numbers rise for nothing.
        let fits = !cursor.rest.is_empty() && self.joined.len() + cursor.rest.len() <= MOST;
        if number != self.next || !fits {
            return Err(BadFrame::OutOfRange);
        }
        self.joined.extend_from_slice(cursor.rest);
        self.next += 1;
        Ok(if last { Joined::Whole(std::mem::take(self).joined) } else { Joined::More })
    }
}
