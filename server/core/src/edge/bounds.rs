//! How large frames may be, and what is kept for those who cannot take them.

use tiltyard_shared::protocol::limits;

use crate::events::Keep;

/// How large frames may be. The defaults are [`limits`]; tests use small ones.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most bytes of a frame, unless a single chunk is larger.
    pub frame: usize,
    /// Between these is what a line carries in a second: the most bytes of a first frame, and of a piece of a larger one.
    pub first: (usize, usize),
    /// The same while nothing is known of the line.
    pub first_unmeasured: usize,
    /// Most bytes of events in a frame.
    pub events: usize,
    /// Most bytes of a chunk.
    pub chunk: usize,
    /// Most events that a group's log or a seat's queue keeps; the oldest is dropped for a new one, and whom it was owed is
    /// told.
    pub log_events: usize,
    /// Most bytes of their events; the same.
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
    /// How much of events a log keeps.
    pub(crate) fn keep(&self) -> Keep {
        Keep { events: self.log_events, bytes: self.log_bytes }
    }
}
