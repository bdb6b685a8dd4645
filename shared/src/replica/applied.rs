//! The results of applying a frame.

use crate::frame::Head;

/// The result of applying a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// It belongs to an epoch before the one asked for, and was dropped.
    Stale,
    /// It was a piece of a frame, and more pieces are to come.
    Piece,
    /// The replica is now at its tick.
    Frame(Head),
}

/// An event that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number in the room.
    pub number: u64,
    /// The bincode bytes of the game's event.
    pub bytes: Vec<u8>,
}
