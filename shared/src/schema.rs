//! The schema document of a game: what a client must know to decode its entities, inputs, events and config.
//!
//! It is sent as JSON text in [`Entered`](crate::protocol::ServerMessage::Entered) unless the client already knows its hash.

use serde::{Deserialize, Serialize};

use crate::{
    game::Game,
    replicate::{EntitySchema, Replicate},
    wire::{Wire, WireSchema},
};

/// The shapes of everything that one game sends and takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The game's name.
    pub game: String,
    /// Its entities.
    pub entity: EntitySchema,
    /// What clients send.
    pub input: WireSchema,
    /// What happens.
    pub event: WireSchema,
    /// What a room is made from.
    pub config: WireSchema,
}

impl Schema {
    /// The schema of a game.
    pub fn of<G: Game>() -> Self {
        Self {
            game: G::NAME.to_owned(),
            entity: G::Entity::schema(),
            input: G::Input::schema(),
            event: G::Event::schema(),
            config: G::Config::schema(),
        }
    }

    /// The document as it is sent.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a schema has string keys and finite numbers only")
    }

    /// FNV-1a (64 bits) of the document's bytes.
    pub fn hash(json: &str) -> u64 {
        json.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}
