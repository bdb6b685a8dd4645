//! Limits on the size of frames, and on what is kept for clients that cannot take them.

use tiltyard_shared::protocol::limits;

use crate::events::Keep;

/// Limits on the size of frames. The defaults are [`limits`]; tests use small ones.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most bytes of a frame, unless a single chunk is larger.
    pub frame: usize,
    /// Least and most bytes of a first frame, and of a piece of a larger one. In between, it is what the line carries
    /// in a second.
    pub first: (usize, usize),
    /// The same while the line's rate is unknown.
    pub first_unmeasured: usize,
    /// Most bytes of events in a frame.
    pub events: usize,
    /// Most bytes of a chunk.
    pub chunk: usize,
    /// Most events in a group's log or a seat's queue. One more drops the oldest, and the players it was owed to are
    /// told.
    pub log_events: usize,
    /// Most bytes of these events; the same applies.
    pub log_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            frame: limits::FRAME_BYTES,
            first: (4 * 1024, limits::FRAME_BYTES),
            first_unmeasured: 16 * 1024,
            events: limits::FRAME_EVENT_BYTES,
            chunk: limits::CHUNK_BYTES,
            log_events: 512,
            log_bytes: 64 * 1024,
        }
    }
}

impl Bounds {
    /// The limits of a log.
    pub(crate) fn keep(&self) -> Keep {
        Keep { events: self.log_events, bytes: self.log_bytes }
    }
}
