//! What travels beside the world: what players do, and what happens once.

use tiltyard_shared::{prelude::*, protocol::limits::NAME_BYTES};

use crate::board::Color;

/// What a player does. What the rules do not allow is answered by [`Event::Refused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub enum Input {
    /// Lets a disc fall.
    Drop {
        /// Where: 0 is the leftmost column.
        column: u8,
    },
    /// Gives the match up.
    Resign,
    /// Asks for another match; it begins when both have asked.
    Rematch,
}

/// What happens once. Everyone is told, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub enum Event {
    /// A match begins.
    Started {
        /// Who has the first move.
        first: Color,
    },
    /// A disc falls.
    Dropped {
        /// Whose.
        color: Color,
        /// The number of the cell where it comes to rest.
        cell: u8,
    },
    /// A match is over.
    Ended {
        /// Who won; `None` for a draw.
        winner: Color,
        /// The winner's name; empty for a draw.
        #[wire(max_len = NAME_BYTES as u32)]
        name: String,
        /// Why.
        ending: Ending,
    },
    /// Told to one player alone: what it wanted to do is not allowed.
    Refused {
        /// Why not.
        why: Refusal,
    },
}

/// Why a match is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub enum Ending {
    /// Four discs in a line.
    Four,
    /// The board is full: a draw.
    Full,
    /// The loser let the clock run out.
    Clock,
    /// The loser gave up.
    Resigned,
    /// The loser left the room.
    Left,
}

/// Why something is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub enum Refusal {
    /// Spectators only watch.
    Watching,
    /// There is no match now.
    NoMatch,
    /// It is the other's turn.
    NotYourTurn,
    /// There are seven columns.
    NoSuchColumn,
    /// Six discs are in this column.
    ColumnFull,
    /// Another match comes after this one.
    NotOver,
}
