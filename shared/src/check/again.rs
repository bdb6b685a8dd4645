//! Checks that a game continues from saved bytes as if nothing had happened, and does the same at another time of day.

use std::{thread, time::Duration};

use serde::Serialize;
use serde_json::Value;

use super::{Check, Failure};
use crate::{
    game::{Game, Simulation},
    replicate::Replicate,
    rng::Rng,
};

/// Time between two runs of the same match, in which a clock of whole seconds moves on.
const LATER: Duration = Duration::from_millis(1_050);

/// Most bytes of states that are kept.
const MOST_BYTES: usize = 64 << 20;

impl Check {
    /// Plays the first match twice, the second time a little later.
    pub(super) fn play_later<G: Game>(&self) -> Result<(), Failure> {
        let mut random = Rng::new(self.seed);
        let config = Self::config::<G>(&mut random);
        let journal = self.journal::<G>(&mut random);
        let fail = |sim: &Simulation<G>, what: String| Failure { seed: self.seed, tick: sim.tick(), what };
        let (mut states, mut bytes) = (Vec::new(), 0);
        for later in [false, true] {
            let mut sim = Simulation::<G>::new(config.clone(), self.seed);
            for (index, commands) in journal.iter().enumerate() {
                sim.step(commands.iter().cloned());
                sim.commit();
                sim.outbox().events.clear();
                let state = sim.save().map_err(|error| fail(&sim, error.to_string()))?;
                if !later {
                    bytes += state.len();
                    states.push(state);
                } else if states[index] != state {
                    let before = Simulation::restore(&states[index]).map_err(|error| fail(&sim, error.to_string()))?;
                    let what = difference(&before, &sim);
                    return Err(fail(&sim, format!("the same journal gave another state a second later: {what}")));
                }
                // Only the beginning of a large game is played.
                let ends = if later { index + 1 == states.len() } else { bytes > MOST_BYTES };
                if ends || sim.outbox().finished.is_some() {
                    break;
                }
            }
            if !later {
                thread::sleep(LATER);
            }
        }
        Ok(())
    }
}

/// Saves and restores a simulation.
///
/// # Errors
///
/// The difference found right away, in words.
pub(super) fn again<G: Game>(sim: &Simulation<G>) -> Result<Simulation<G>, String> {
    let saved = sim.save().map_err(|error| error.to_string())?;
    let again = Simulation::restore(&saved).map_err(|error| error.to_string())?;
    match again.save() {
        Ok(bytes) if bytes == saved => Ok(again),
        Ok(_) => Err(format!("saved and restored, it is not what it was: {}", difference(sim, &again))),
        Err(error) => Err(error.to_string()),
    }
}

/// The first difference of two simulations: kind and field of an entity, or a part of the game's own state, with both
/// values.
pub(super) fn difference<G: Game>(one: &Simulation<G>, other: &Simulation<G>) -> String {
    let kinds = G::Entity::schema().kinds;
    let name = |entity: &G::Entity| kinds.get(usize::from(entity.kind())).map_or("?", |kind| &kind.name);
    let mut others = other.world().iter();
    for (id, entity) in one.world().iter() {
        let Some((other_id, other)) = others.next() else {
            return format!("entity {id:?} ({}) is there, and is not", name(entity));
        };
        if id != other_id {
            return format!(
                "entity {id:?} ({}) is there, and {other_id:?} ({}) in its place",
                name(entity),
                name(other)
            );
        }
        if let Some(what) = differing(entity, other) {
            return format!("entity {id:?} ({}){what}", name(entity));
        }
    }
    if let Some((id, entity)) = others.next() {
        return format!("entity {id:?} ({}) is not there, and is", name(entity));
    }
    differing(one.game(), other.game()).map_or_else(
        || "neither the entities nor what the game keeps differ, but what was committed, chance or players".to_owned(),
        |what| format!("the game's state{what}"),
    )
}

/// The field in which two values differ, by name, and the difference.
fn differing<T: Serialize>(one: &T, other: &T) -> Option<String> {
    match (serde_json::to_value(one), serde_json::to_value(other)) {
        (Ok(one), Ok(other)) => within(&one, &other),
        _ => None,
    }
}

fn within(one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Object(fields), Value::Object(others)) if fields.len() == others.len() => {
            fields.iter().find_map(|(name, value)| match others.get(name) {
                Some(other) => within(value, other).map(|what| format!(".{name}{what}")),
                None => Some(format!(".{name} is there, and is not")),
            })
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            let mut pairs = items.iter().zip(others).enumerate();
            pairs.find_map(|(index, (one, other))| within(one, other).map(|what| format!("[{index}]{what}")))
        }
        _ => (one != other).then(|| format!(": {one} and {other}")),
    }
}
