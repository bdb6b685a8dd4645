//! The ids of seats.

/// A seat in a room: a dense index, which is used again after its player has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatId(pub u32);

impl SeatId {
    /// The index of its entry in a table by seats.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}
