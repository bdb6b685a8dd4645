//! What stands in the arena. Clients see every field that is not marked `skip`, rounded to its step.

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
    /// Something to take.
    Pickup(Pickup),
    /// A player's rounds. It stands in the player's own group, so nobody else knows them.
    Ammo(Ammo),
}

impl Thing {
    /// Where it is, for the grid: never asked for ammunition, which stands in a group of its owner's.
    pub fn position(&self) -> Point {
        match self {
            Self::Fighter(fighter) => fighter.position(),
            Self::Shot(shot) => [shot.x, shot.y],
            Self::Pickup(pickup) => [pickup.x, pickup.y],
            Self::Ammo(_) => [0.0; 2],
        }
    }
}

/// A player's figure. While it is dead, it has no health left, lies where it fell, and only its owner sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Fighter {
    /// Its middle, to the right.
    #[replicate(range = 0.0..=SIZE, step = STEP)]
    pub x: f32,
    /// Its middle, downwards.
    #[replicate(range = 0.0..=SIZE, step = STEP)]
    pub y: f32,
    /// Where it aims: 0 is to the right, a quarter turn is down.
    #[replicate(angle = 8)]
    pub aim: f32,
    /// Health left; 0 is dead.
    #[replicate(range = 0..=MAX_HP)]
    pub hp: u8,
    /// Whether hits do not hurt it.
    pub safe: bool,
    /// How many others it killed; stops at 65,535.
    pub score: u16,
    /// Rises when it comes back elsewhere, so that clients do not draw it gliding across the field.
    #[replicate(teleport)]
    pub returns: u8,
    /// Whose it is: a client knows its own fighter by this.
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
    /// Who fired it.
    pub owner: PlayerId,
    /// Units a second.
    #[replicate(skip)]
    pub velocity: Point,
    /// When it is spent.
    #[replicate(skip)]
    pub ends: Tick,
}

impl Shot {
    /// A shot that leaves the middle of a fighter.
    pub fn from_fighter(fighter: &Fighter, ends: Tick) -> Self {
        let Fighter { x, y, aim: heading, owner, .. } = *fighter;
        Self { x, y, heading, owner, velocity: rules::shot_velocity(heading), ends }
    }
}

/// Something to take by walking over it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Pickup {
    /// Its middle, to the right.
    #[replicate(range = 0.0..=SIZE, step = STEP)]
    pub x: f32,
    /// Its middle, downwards.
    #[replicate(range = 0.0..=SIZE, step = STEP)]
    pub y: f32,
    /// What it does.
    pub effect: Effect,
}

/// What a pickup does for who takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Replicate, Wire)]
pub enum Effect {
    /// Heals; left alone by the unhurt.
    Medkit,
    /// Halves the time between shots for ten seconds, and fills the magazine.
    Rapid,
}

/// What a player has to shoot with.
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
