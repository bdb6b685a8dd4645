//! The ids of ticks, players, entities and groups.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of a simulation step; the first is 1. Never wraps (at 60 Hz it lasts 2.2 years).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tick(pub u32);

/// A player of one room. Given in the order of joining, never reused inside the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlayerId(pub u32);

/// Most entities of a world.
pub const MAX_ENTITIES: usize = 65_535;

/// The id of an entity: a slot, and how often that slot had been freed before.
///
/// A lane, the wire and the hash carry the low 16 bits of the generation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityId {
    /// The entity's slot, below [`MAX_ENTITIES`].
    pub slot: u32,
    /// Which of the slot's entities it is, counted from 0.
    pub generation: u32,
}

impl EntityId {
    /// The id of no entity.
    pub const NONE: Self = Self { slot: MAX_ENTITIES as u32, generation: u32::MAX };

    /// Slot in the low 16 bits, low 16 bits of the generation above; `u32::MAX` for [`EntityId::NONE`].
    pub fn to_lane(self) -> u32 {
        self.generation << 16 | self.slot & 0xFFFF
    }

    /// The part of an id that a client knows from a lane: the slot and the low 16 bits of the generation. `None` for
    /// `u32::MAX`.
    pub fn from_lane(code: u32) -> Option<Self> {
        (code != u32::MAX).then_some(Self { slot: code & 0xFFFF, generation: code >> 16 })
    }
}

impl fmt::Debug for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}v{}", self.slot, self.generation)
    }
}

/// The unit of interest. Ids inside a room are dense, so that tables are indexed by them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupId(pub u32);
