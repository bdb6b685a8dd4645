//! The purposes of the bits in frames, counted for measurements while they are decoded.

use std::ops::{AddAssign, Sub};

/// Bits by purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anatomy {
    /// The number of frames.
    pub frames: u64,
    /// The number of members that came unchanged from a group that was held.
    pub moves: u64,
    /// Heads of frames, flags of their parts, changes of the view, and the lists of groups with chunks.
    pub heads: u64,
    /// Forms, versions, counts and padding of chunks.
    pub chunk_headers: u64,
    /// Arrivals and departures in deltas; arrivals with all their fields.
    pub membership: u64,
    /// Members of snapshots and catch-ups.
    pub snapshots: u64,
    /// Changed fields in deltas, with their members.
    pub lanes: u64,
    /// Events.
    pub events: u64,
}

impl Anatomy {
    /// All bits.
    pub fn bits(&self) -> u64 {
        self.heads + self.chunk_headers + self.membership + self.snapshots + self.lanes + self.events
    }
}

impl AddAssign for Anatomy {
    fn add_assign(&mut self, other: Self) {
        self.frames += other.frames;
        self.moves += other.moves;
        self.heads += other.heads;
        self.chunk_headers += other.chunk_headers;
        self.membership += other.membership;
        self.snapshots += other.snapshots;
        self.lanes += other.lanes;
        self.events += other.events;
    }
}

impl Sub for Anatomy {
    type Output = Self;

    /// The bits counted since `earlier`.
    fn sub(self, earlier: Self) -> Self {
        Self {
            frames: self.frames - earlier.frames,
            moves: self.moves - earlier.moves,
            heads: self.heads - earlier.heads,
            chunk_headers: self.chunk_headers - earlier.chunk_headers,
            membership: self.membership - earlier.membership,
            snapshots: self.snapshots - earlier.snapshots,
            lanes: self.lanes - earlier.lanes,
            events: self.events - earlier.events,
        }
    }
}
