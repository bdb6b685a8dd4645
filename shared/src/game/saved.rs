//! Saves a simulation as bytes and restores it, so that it continues as if nothing had happened.
//!
//! Version 1: the number 1; a `u32`, little-endian, the length of the next part; MessagePack with the names of fields
//! for the author's state (so that it still loads after a field with a default was added) and the rest of the
//! simulation; and the committed state, as bytes of our own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Game, Inputs, Outbox, PlayerId, Rng, Simulation, Tick, simulation::Person};
use crate::{
    protocol::codec,
    wire::Wire,
    world::{BadSave, SavedWorld, World},
};

/// The version of the bytes.
const VERSION: u8 = 1;

/// A simulation without its committed state. The parameters are the author's types, or references to them.
#[derive(Serialize, Deserialize)]
struct Saved<G, E, P> {
    config: Vec<u8>,
    tick: Tick,
    rng: Rng,
    people: P,
    game: G,
    world: SavedWorld<E>,
    metadata: String,
    metadata_refused: u64,
    locked: bool,
    /// JSON text.
    result: Option<String>,
}

impl<G: Game> Simulation<G> {
    /// The whole state as bytes, without the events that nobody has taken yet.
    ///
    /// # Errors
    ///
    /// [`BadSave::Game`] if the author's `Serialize` fails.
    pub fn save(&self) -> Result<Vec<u8>, BadSave> {
        let (world, committed) = self.world.save();
        let Outbox { finished, metadata, metadata_refused, locked, .. } = &self.outbox;
        let saved = Saved {
            config: self.config.clone(),
            tick: self.tick,
            rng: self.rng.clone(),
            people: &self.players,
            game: &self.game,
            world,
            metadata: metadata.clone(),
            metadata_refused: *metadata_refused,
            locked: *locked,
            result: finished.as_ref().map(ToString::to_string),
        };
        let named = rmp_serde::to_vec_named(&saved).map_err(|error| BadSave::Game(error.to_string()))?;
        let mut bytes = vec![VERSION];
        bytes.extend((named.len() as u32).to_le_bytes());
        bytes.extend(named);
        bytes.extend(committed);
        Ok(bytes)
    }

    /// Restores a saved simulation. The bytes may be from this version of the game, or from an earlier one with the
    /// same config.
    ///
    /// # Errors
    ///
    /// [`BadSave`].
    pub fn restore(bytes: &[u8]) -> Result<Self, BadSave> {
        let (&version, rest) = bytes.split_first().ok_or(BadSave::Malformed("nothing"))?;
        if version != VERSION {
            return Err(BadSave::Version(version));
        }
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(BadSave::Malformed("no length"))?;
        let length = u32::from_le_bytes(*length) as usize;
        let (named, committed) = rest.split_at_checked(length).ok_or(BadSave::Malformed("it ends early"))?;
        let saved: Saved<G, G::Entity, BTreeMap<PlayerId, Person>> =
            rmp_serde::from_slice(named).map_err(|error| BadSave::Game(error.to_string()))?;
        let config = codec::decode::<G::Config>(&saved.config).ok().filter(Wire::is_bounded);
        let config = config.ok_or(BadSave::Malformed("the config"))?;
        if saved.tick.0 > u32::MAX - (1 << 20) {
            return Err(BadSave::Malformed("its ticks run out"));
        }
        let result = saved.result.map(|text| serde_json::from_str(&text)).transpose();
        let outbox = Outbox {
            events: Vec::new(),
            finished: result.map_err(|_| BadSave::Malformed("the result"))?,
            metadata: saved.metadata,
            metadata_refused: saved.metadata_refused,
            locked: saved.locked,
        };
        Ok(Self {
            dt: G::settings(&config).tick_length().as_secs_f32(),
            world: World::restore(saved.world, committed, saved.tick, G::grid(&config))?,
            config: saved.config,
            game: saved.game,
            rng: saved.rng,
            tick: saved.tick,
            players: saved.people,
            outbox,
            inputs: Inputs(Vec::new()),
        })
    }
}
