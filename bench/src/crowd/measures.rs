//! What a crowd has measured.

use hdrhistogram::Histogram;

/// Longest interval that is told from longer ones, in microseconds.
const LONGEST_US: u64 = 60_000_000;

/// Counts and times since they last began anew.
#[derive(Clone, Debug)]
pub struct Measures {
    /// Frames read.
    pub frames: u64,
    /// Their bytes on the wire, WebSocket headers included.
    pub bytes: u64,
    /// Frames whose hash was compared with the server's.
    pub verified: u64,
    /// Of those, the ones that differed or could not be applied.
    pub mismatches: u64,
    /// Connections that were lost.
    pub lost: u64,
    /// Time from one frame of a client to its next, in microseconds.
    pub interval: Histogram<u32>,
    /// The frames of who got the fewest.
    pub fewest: Option<u64>,
    /// What went wrong first.
    pub complaint: Option<String>,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            frames: 0,
            bytes: 0,
            verified: 0,
            mismatches: 0,
            lost: 0,
            interval: Histogram::new_with_bounds(1, LONGEST_US, 3).expect("these bounds are valid"),
            fewest: None,
            complaint: None,
        }
    }
}

impl Measures {
    /// One client got so many frames.
    pub(super) fn client(&mut self, frames: u64) {
        self.fewest = Some(self.fewest.map_or(frames, |fewest| fewest.min(frames)));
    }

    /// Something went wrong.
    pub(super) fn complain(&mut self, complaint: impl FnOnce() -> String) {
        self.complaint.get_or_insert_with(complaint);
    }

    /// The interval that 99 of 100 frames do not exceed, in milliseconds.
    pub fn p99_ms(&self) -> f64 {
        self.interval.value_at_quantile(0.99) as f64 / 1000.0
    }

    /// The mean size of a frame.
    pub fn mean_bytes(&self) -> f64 {
        self.bytes as f64 / self.frames.max(1) as f64
    }
}
