//! The inputs of players, and the events of a match.

use tiltyard_shared::prelude::*;

use crate::{
    entities::Effect,
    rules::{NAME_BYTES, Point},
};

/// A player's controls. They stay as they are until the next input: send one when something changes.
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

/// An event. Players who see the cell where it happens are told, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub enum Event {
    /// A shot was fired.
    Fired {
        /// The shooter.
        by: PlayerId,
        /// The place.
        at: Spot,
    },
    /// Told to the shooter alone: the trigger was pulled, and the magazine is empty.
    Empty,
    /// A fighter was hurt.
    Hit {
        /// The shooter.
        by: PlayerId,
        /// The fighter that was hurt.
        victim: PlayerId,
        /// The place.
        at: Spot,
        /// Health lost.
        damage: u8,
    },
    /// A fighter was killed.
    Killed {
        /// The killer.
        by: PlayerId,
        /// The killer's name.
        #[wire(max_len = NAME_BYTES as u32)]
        by_name: String,
        /// The fighter that was killed.
        victim: PlayerId,
        /// The victim's name.
        #[wire(max_len = NAME_BYTES as u32)]
        victim_name: String,
        /// The place.
        at: Spot,
    },
    /// A pickup was taken.
    Taken {
        /// The taker.
        by: PlayerId,
        /// Its effect.
        effect: Effect,
        /// The place where it lay.
        at: Spot,
    },
}

/// A place in whole units, which is enough for a sound or a spark.
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
