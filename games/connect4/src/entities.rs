//! The entities of the world: one board, and one entry for everybody in the room.

use tiltyard_shared::{prelude::*, protocol::limits::NAME_BYTES};

use crate::board::{Board, Color};

/// Anything in the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub enum Thing {
    /// The match.
    Board(Board),
    /// Somebody in the room.
    Person(Person),
}

/// Somebody in the room: one of the two players, or a spectator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Person {
    /// The id: a client knows itself by this.
    pub player: PlayerId,
    /// The colour of the player's discs; `None` for a spectator.
    pub color: Color,
    /// Whether this player has asked for another match since the last one ended.
    pub rematch: bool,
    /// Matches won in this room; stops at 65,535.
    pub wins: u16,
    /// The name that the player chose.
    #[replicate(max_len = NAME_BYTES as u32)]
    pub name: String,
}

impl Person {
    /// A spectator at first.
    pub fn new(player: PlayerId, name: String) -> Self {
        Self { player, color: Color::None, rematch: false, wins: 0, name }
    }
}
