//! Bytes that have arrived, and the WebSocket frames in them. Not what a frame means: that is [`super::Socket`]'s.
//!
//! One inbox serves all sockets of a room, so that its memory is always near: a buffer for each connection costs a tick more
//! in cache misses than the system call that fills it.

use std::{io::Cursor, ops::Range};

use tiltyard_shared::protocol::limits;
use tokio_tungstenite::tungstenite::{
    error::Error,
    protocol::frame::{
        FrameHeader,
        coding::{Data, OpCode},
    },
};

/// The longest header of a frame.
const HEADER_BYTES: usize = 14;

/// The largest frame.
const FRAME_BYTES: usize = limits::MESSAGE_BYTES + HEADER_BYTES;

/// Read at a time.
const READ_BYTES: usize = 4 * 1024;

/// Memory for what arrives at one socket. It grows to the largest frame if one comes.
#[derive(Debug)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    /// Which of them have arrived and were not taken.
    waiting: Range<usize>,
}

/// A frame in the inbox.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// A whole message of a client, unmasked.
    Message(Range<usize>),
    /// Anything else, untouched: a part of a message, a control frame, one that is too large or against the rules.
    Other {
        /// The frame; if its end is missing it is larger than the limit.
        frame: Range<usize>,
        /// Whether a message is in fragments after it.
        open: bool,
    },
}

impl Inbox {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; READ_BYTES], waiting: 0..0 }
    }

    /// Begins with what was left over last time; where more may be read to. What came with a handshake may be more than a
    /// frame, and then nothing is read.
    pub(super) fn begin(&mut self, left: &[u8]) -> &mut [u8] {
        let needed = (left.len() + READ_BYTES).min(FRAME_BYTES).max(left.len());
        self.bytes.resize(self.bytes.len().max(needed), 0);
        let (begin, rest) = self.bytes.split_at_mut(left.len());
        begin.copy_from_slice(left);
        self.waiting = 0..left.len();
        rest
    }

    /// So many more bytes were read.
    pub(super) fn fill(&mut self, read: usize) {
        self.waiting.end += read;
    }

    /// What was not taken.
    pub(super) fn left(&self) -> &[u8] {
        &self.bytes[self.waiting.clone()]
    }

    /// The bytes of what [`Self::next`] has found.
    pub(super) fn get(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    /// Takes the next frame; `None` if no whole one is there. `open` is whether a message is in fragments, `limit` the largest
    /// payload.
    ///
    /// # Errors
    ///
    /// If the bytes are no frame.
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
