//! The entities of the arena. Clients see every field that is not marked `skip`, rounded to its step.

use tiltyard_shared::prelude::*;

use crate::rules::{self, MAGAZINE, MAX_HP, NAME_BYTES, Point, SIZE};

/// Positions travel in sixteenths of a unit.
const STEP: f32 = 1.0 / 16.0;

/// Anything in the world. Its codings were learned from bots: see `examples/learn.rs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
#[replicate(codings = "../codings.txt")]
pub enum Thing {
    /// A player's figure.
    Fighter(Fighter),
    /// A projectile in the air.
    Shot(Shot),
    /// A pickup on the field.
    Pickup(Pickup),
    /// A player's rounds. They are in the player's own group, so nobody else sees them.
    Ammo(Ammo),
}

impl Thing {
    /// The position for the grid; never asked of ammunition, which is in its owner's group.
    pub fn position(&self) -> Point {
        match self {
            Self::Fighter(fighter) => fighter.position(),
            Self::Shot(shot) => [shot.x, shot.y],
            Self::Pickup(pickup) => [pickup.x, pickup.y],
            Self::Ammo(_) => [0.0; 2],
        }
    }
}

/// A player's figure. While dead, it has no health left, lies where it fell, and only its owner sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Fighter {
    /// Its middle, to the right.
    #[replicate(range = 0.0..=SIZE, step = STEP)]
    pub x: f32,
    /// Its middle, downwards.
    #[replicate(range = 0.0..=SIZE, step = STEP)]
    pub y: f32,
    /// The direction in which it aims: 0 is to the right, a quarter turn is down.
    #[replicate(angle = 8)]
    pub aim: f32,
    /// Health left; 0 is dead.
    #[replicate(range = 0..=MAX_HP)]
    pub hp: u8,
    /// Whether hits do not hurt it.
    pub safe: bool,
    /// The number of others that it has killed; stops at 65,535.
    pub score: u16,
    /// Rises when it comes back elsewhere, so that clients do not draw it gliding across the field.
    #[replicate(teleport)]
    pub returns: u8,
    /// The player: a client knows its own fighter by this.
    pub owner: PlayerId,
    /// The name to draw above it.
    #[replicate(max_len = NAME_BYTES as u32)]
    pub name: String,
}

impl Fighter {
    /// An unhurt fighter that was never killed.
    pub fn new(owner: PlayerId, name: String, [x, y]: Point) -> Self {
        Self { x, y, aim: 0.0, hp: MAX_HP, safe: true, score: 0, returns: 0, owner, name }
    }

    /// Its middle.
    pub fn position(&self) -> Point {
        [self.x, self.y]
    }

    /// Comes back from the dead.
    pub fn revive(&mut self, [x, y]: Point) {
        (self.x, self.y, self.hp) = (x, y, MAX_HP);
        self.returns = self.returns.wrapping_add(1);
    }
}

/// A projectile in the air.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Shot {
    /// Its middle, to the right.
    #[replicate(range = 0.0..=SIZE, step = STEP, linear)]
    pub x: f32,
    /// Its middle, downwards.
    #[replicate(range = 0.0..=SIZE, step = STEP, linear)]
    pub y: f32,
    /// The direction in which it flies.
    #[replicate(angle = 8)]
    pub heading: f32,
    /// The player who fired it.
    pub owner: PlayerId,
    /// Units a second.
    #[replicate(skip)]
    pub velocity: Point,
    /// The tick at which it is spent.
    #[replicate(skip)]
    pub ends: Tick,
}

impl Shot {
    /// A shot fired from the middle of a fighter.
    pub fn from_fighter(fighter: &Fighter, ends: Tick) -> Self {
        let Fighter { x, y, aim: heading, owner, .. } = *fighter;
        Self { x, y, heading, owner, velocity: rules::shot_velocity(heading), ends }
    }
}

/// An item taken by walking over it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Pickup {
    /// Its middle, to the right.
    #[replicate(range = 0.0..=SIZE, step = STEP)]
    pub x: f32,
    /// Its middle, downwards.
    #[replicate(range = 0.0..=SIZE, step = STEP)]
    pub y: f32,
    /// The effect on the player who takes it.
    pub effect: Effect,
}

/// The effect of a pickup on the player who takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Replicate, Wire)]
pub enum Effect {
    /// Heals; players without injuries leave it alone.
    Medkit,
    /// Halves the time between shots for ten seconds, and fills the magazine.
    Rapid,
}

/// A player's ammunition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Ammo {
    /// Rounds left.
    #[replicate(range = 0..=MAGAZINE)]
    pub rounds: u8,
    /// Whether rapid fire is on.
    pub rapid: bool,
}

impl Ammo {
    /// A full magazine.
    pub fn full() -> Self {
        Self { rounds: MAGAZINE, rapid: false }
    }
}
