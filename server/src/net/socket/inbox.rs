//! The read buffer of sockets, and the WebSocket frames in it. Their meaning is left to [`super::Socket`].
//!
//! One inbox serves all sockets of a room, so that its memory stays in the cache: with a buffer for each connection a
//! tick loses more to cache misses than to the system calls that fill them.

use std::{io::Cursor, ops::Range};

use tiltyard_shared::protocol::limits;
use tokio_tungstenite::tungstenite::{
    error::Error,
    protocol::frame::{
        FrameHeader,
        coding::{Data, OpCode},
    },
};

/// The maximum size of a frame's header.
const HEADER_BYTES: usize = 14;

/// The maximum size of a frame.
const FRAME_BYTES: usize = limits::MESSAGE_BYTES + HEADER_BYTES;

/// The size of a read.
const READ_BYTES: usize = 4 * 1024;

/// The read buffer for one socket at a time. It grows up to the largest frame.
#[derive(Debug)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    /// The bytes that have arrived and were not taken.
    waiting: Range<usize>,
}

/// A frame in the inbox.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// A whole message of a client, unmasked.
    Message(Range<usize>),
    /// Anything else, unchanged: a fragment, a control frame, a frame that is too large or violates the protocol.
    Other {
        /// The frame; if its end is missing it is larger than the limit.
        frame: Range<usize>,
        /// Whether a fragmented message continues after it.
        open: bool,
    },
}

impl Inbox {
    /// An empty inbox.
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; READ_BYTES], waiting: 0..0 }
    }

    /// Starts with the bytes left over from last time, and returns the buffer for more. The bytes that came with a
    /// handshake may exceed a frame; then the buffer is empty and nothing is read.
    pub(super) fn begin(&mut self, left: &[u8]) -> &mut [u8] {
        let needed = (left.len() + READ_BYTES).min(FRAME_BYTES).max(left.len());
        self.bytes.resize(self.bytes.len().max(needed), 0);
        let (begin, rest) = self.bytes.split_at_mut(left.len());
        begin.copy_from_slice(left);
        self.waiting = 0..left.len();
        rest
    }

    /// Adds bytes that were read.
    pub(super) fn fill(&mut self, read: usize) {
        self.waiting.end += read;
    }

    /// The bytes that were not taken.
    pub(super) fn left(&self) -> &[u8] {
        &self.bytes[self.waiting.clone()]
    }

    /// The bytes of a range from [`Self::next`].
    pub(super) fn get(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    /// Takes the next frame; `None` if there is no complete one. `open`: whether a fragmented message is being
    /// received. `limit`: the maximum payload.
    ///
    /// # Errors
    ///
    /// If the bytes are not a frame.
    #[inline]
    pub(super) fn next(&mut self, open: bool, limit: usize) -> Result<Option<Arrived>, Error> {
        let mut cursor = Cursor::new(self.left());
        let Some((header, len)) = FrameHeader::parse(&mut cursor)? else { return Ok(None) };
        let begin = self.waiting.start + cursor.position() as usize;
        let too_large = len > limit as u64;
        let end = if too_large { self.waiting.end } else { begin + len as usize };
        if end > self.waiting.end {
            return Ok(None);
        }
        let frame = self.waiting.start..end;
        self.waiting.start = end;
        let FrameHeader { is_final, rsv1, rsv2, rsv3, opcode, mask } = header;
        match mask {
            Some(mask)
                if opcode == OpCode::Data(Data::Binary) && is_final && !(open || rsv1 || rsv2 || rsv3 || too_large) =>
            {
                unmask(&mut self.bytes[begin..end], mask);
                Ok(Some(Arrived::Message(begin..end)))
            }
            _ => {
                let open = if matches!(opcode, OpCode::Data(_)) { !is_final } else { open };
                Ok(Some(Arrived::Other { frame, open }))
            }
        }
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    for four in payload.chunks_mut(4) {
        for (byte, mask) in four.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
}
