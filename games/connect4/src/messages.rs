//! The inputs of players, and the events of a match.

use tiltyard_shared::{prelude::*, protocol::limits::NAME_BYTES};

use crate::board::Color;

/// A player's input. One that the rules do not allow is answered by [`Event::Refused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub enum Input {
    /// Lets a disc fall.
    Drop {
        /// The column; 0 is the leftmost.
        column: u8,
    },
    /// Gives up the match.
    Resign,
    /// Asks for another match; it begins when both have asked.
    Rematch,
}

/// An event. Everyone is told, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub enum Event {
    /// A match begins.
    Started {
        /// The colour with the first move.
        first: Color,
    },
    /// A disc falls.
    Dropped {
        /// Its colour.
        color: Color,
        /// The number of the cell where it comes to rest.
        cell: u8,
    },
    /// A match is over.
    Ended {
        /// The colour that won; `None` for a draw.
        winner: Color,
        /// The winner's name; empty for a draw.
        #[wire(max_len = NAME_BYTES as u32)]
        name: String,
        /// The reason.
        ending: Ending,
    },
    /// Told to one player alone: the input is not allowed.
    Refused {
        /// The reason.
        why: Refusal,
    },
}

/// The reason why a match is over.
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

/// The reason why an input is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub enum Refusal {
    /// Spectators only watch.
    Watching,
    /// There is no match now.
    NoMatch,
    /// It is the other player's turn.
    NotYourTurn,
    /// There are seven columns.
    NoSuchColumn,
    /// Six discs are in this column.
    ColumnFull,
    /// The match is not over, so none can follow yet.
    NotOver,
}
