//! The parts on which a Tiltyard server and its clients must agree. Pure: no I/O, no clock, no async.
//!
//! An author implements [`game::Game`]. Its entities live in a [`world::World`], whose commit quantizes them by
//! [`replicate`] and finds what changed; [`chunk`] encodes the change of one group, and [`frame`] the data of one tick
//! for one player. A [`replica::Replica`] is the client's mirror of it all. [`protocol`] has the other messages of the
//! two ends.
//!
//! The modules are declared lowest first: none names one that is declared after it.

// Derived code names this crate by its path, also inside this crate's own tests.
#[cfg(test)]
extern crate self as tiltyard_shared;

pub mod id;
pub mod rng;
pub mod bits;
pub mod prefix;
pub mod linear;
pub mod hash;
pub mod protocol;
pub mod wire;
pub mod grid;
pub mod replicate;
pub mod frame;
pub mod world;
pub mod chunk;
pub mod game;
pub mod replica;
pub mod schema;
pub mod learn;
pub mod bot;
pub mod check;

/// Everything that a game's own file needs: `use tiltyard_shared::prelude::*;`.
pub mod prelude {
    pub use crate::{
        check::check_game,
        game::{Ctx, Game, Inputs, Late, Leave, Mode, PlayerId, Rng, Settings, Tick, View},
        grid::Grid,
        replicate::Replicate,
        wire::Wire,
        world::{EntityId, GroupId, Position, World},
    };
    pub use serde::{Deserialize, Serialize};
}
