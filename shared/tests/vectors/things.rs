//! Entities with every sort of field: all quantizers, blobs, more than 32 fields, no fields at all.

use tiltyard_shared::prelude::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub(crate) enum Thing {
    Ball(Ball),
    Sign(Sign),
    Wide(Wide),
    Mark,
    Numbers(Numbers),
    Shot(Shot),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Replicate)]
pub(crate) struct Ball {
    #[replicate(range = -64.0..=64.0, step = 0.0625)]
    pub at: [f32; 2],
    #[replicate(angle = 8)]
    pub heading: f32,
    #[replicate(range = -5..=100)]
    pub hp: i16,
    pub team: Team,
    pub lit: bool,
    #[replicate(teleport)]
    pub returns: u8,
    pub target: Option<EntityId>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Replicate)]
pub(crate) enum Team {
    #[default]
    Red,
    Green,
    Blue,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Replicate)]
pub(crate) struct Sign {
    #[replicate(max_len = 12)]
    pub text: String,
    #[replicate(range = 7..=7)]
    pub always: u8,
    #[replicate(max_len = 300)]
    pub stain: Vec<u8>,
}

/// 64 fields: the most that a kind may have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Replicate)]
pub(crate) struct Wide {
    #[replicate(range = 0..=200)]
    pub cells: [[u8; 4]; 10],
    pub flags: [bool; 22],
    #[replicate(max_len = 8)]
    pub name: String,
    #[replicate(max_len = 8)]
    pub note: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Replicate)]
pub(crate) struct Numbers {
    pub wide: u32,
    pub small: i8,
    #[replicate(range = -40_000_000_000..=-39_999_999_000)]
    pub far: i64,
    #[replicate(range = 0.0..1.0, step = 0.1, golomb = 3)]
    pub tenth: f64,
    #[replicate(angle = 24)]
    pub fine: f64,
    pub owner: u32,
}

/// Held and linear lanes in turns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Replicate)]
pub(crate) struct Shot {
    #[replicate(range = 0.0..=128.0, step = 0.0625, linear)]
    pub at: [f32; 2],
    pub owner: u8,
    #[replicate(range = -1.0..=1.0, step = 0.000001, linear, golomb = 9)]
    pub height: f64,
    #[replicate(max_len = 4)]
    pub name: String,
}

impl Thing {
    pub(crate) fn shot(at: [f32; 2]) -> Self {
        Self::Shot(Shot { at, name: "shot".to_owned(), ..Shot::default() })
    }

    pub(crate) fn ball(at: [f32; 2]) -> Self {
        Self::Ball(Ball { at, hp: 100, ..Ball::default() })
    }

    pub(crate) fn sign(text: &str) -> Self {
        Self::Sign(Sign { text: text.to_owned(), always: 7, ..Sign::default() })
    }

    pub(crate) fn numbers() -> Self {
        Self::Numbers(Numbers { far: -40_000_000_000, ..Numbers::default() })
    }

    /// Moves a ball.
    pub(crate) fn push(&mut self, right: f32, down: f32) {
        match self {
            Self::Ball(Ball { at, .. }) | Self::Shot(Shot { at, .. }) => *at = [at[0] + right, at[1] + down],
            _ => {}
        }
    }
}

/// A game of one kind: kind numbers take no bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub(crate) struct Dot {
    #[replicate(range = 0..=9)]
    pub x: u8,
}

/// Lanes of which codings were learned, held and linear ones: see `codings`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Replicate)]
#[replicate(codings = "codings.txt")]
pub(crate) struct Learned {
    #[replicate(range = 0.0..=128.0, step = 0.0625, linear)]
    pub at: [f32; 2],
    #[replicate(angle = 8)]
    pub heading: f32,
    pub hp: u8,
    pub team: Team,
    pub points: u32,
    #[replicate(max_len = 4)]
    pub name: String,
}
