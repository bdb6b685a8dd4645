//! How seats are named.

/// A place in a room: a dense index, given again after its player has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatId(pub u32);

impl SeatId {
    /// Where a table by seats has its entry.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}
