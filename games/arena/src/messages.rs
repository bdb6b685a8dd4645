//! What travels beside the world: the inputs of players, and what happens once.

use tiltyard_shared::prelude::*;

use crate::{
    entities::Effect,
    rules::{NAME_BYTES, Point},
};

/// What a player's hands do. It stays so until the next input: send one when something changes.
///
/// Any value is fine: [`crate::rules`] bound them all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Wire)]
pub struct Input {
    /// Direction of walking, to the right and down; a length of 127 or more is full speed.
    pub walk: [i8; 2],
    /// Where to aim, in radians: 0 is to the right, a quarter turn is down.
    pub aim: f32,
    /// Whether the trigger is held. A pull that is over within the same tick still counts.
    pub fire: bool,
}

/// What happens once. Those who see the cell where it happens are told, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub enum Event {
    /// A shot was fired.
    Fired {
        /// By whom.
        by: PlayerId,
        /// Where.
        at: Spot,
    },
    /// Told to the shooter alone: the trigger was pulled, and the magazine is empty.
    Empty,
    /// A fighter was hurt.
    Hit {
        /// By whom.
        by: PlayerId,
        /// Who.
        victim: PlayerId,
        /// Where.
        at: Spot,
        /// Health lost.
        damage: u8,
    },
    /// A fighter was killed.
    Killed {
        /// By whom.
        by: PlayerId,
        /// The killer's name.
        #[wire(max_len = NAME_BYTES as u32)]
        by_name: String,
        /// Who.
        victim: PlayerId,
        /// The victim's name.
        #[wire(max_len = NAME_BYTES as u32)]
        victim_name: String,
        /// Where.
        at: Spot,
    },
    /// A pickup was taken.
    Taken {
        /// By whom.
        by: PlayerId,
        /// What it did.
        effect: Effect,
        /// Where it lay.
        at: Spot,
    },
}

/// A place in whole units, which is all that a sound or a spark needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Spot {
    /// To the right.
    pub x: u16,
    /// Downwards.
    pub y: u16,
}

impl From<Point> for Spot {
    fn from([x, y]: Point) -> Self {
        Self { x: x as u16, y: y as u16 }
    }
}
