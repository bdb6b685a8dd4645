//! Two games without a world, which say in the lobby what they are told.

use std::time::Duration;

use tiltyard_shared::prelude::*;

/// What the host makes the room do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub(crate) enum Work {
    /// Says so in the lobby.
    Tell(String),
    /// Takes nobody, or does again.
    Lock(bool),
    /// Closes the room.
    End,
}

/// One game.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Shed;

/// Another game with the same rules.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Workshop;

/// Nothing stands in the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub(crate) struct Nothing;

macro_rules! rules {
    ($game:ident, $name:literal) => {
        impl Game for $game {
            const NAME: &'static str = $name;
            type Config = ();
            type Entity = Nothing;
            type Input = Work;
            type Event = ();

            fn settings(_config: &()) -> Settings {
                let grace = Duration::from_secs(120);
                Settings { tick_hz: 5, max_players: 3, grace, stale: grace, ..Settings::default() }
            }

            fn new(_config: (), _ctx: &mut Ctx<'_, Self>) -> Self {
                Self
            }

            fn join(&mut self, _player: PlayerId, _ctx: &mut Ctx<'_, Self>) {}

            fn leave(&mut self, _player: PlayerId, _why: Leave, _ctx: &mut Ctx<'_, Self>) {}

            fn tick(&mut self, inputs: &Inputs<Work>, ctx: &mut Ctx<'_, Self>) {
                for (_, work) in inputs.iter() {
                    match work {
                        Work::Tell(json) => ctx.set_metadata(json.as_str()),
                        Work::Lock(locked) => ctx.set_locked(*locked),
                        Work::End => ctx.finish("closed".into()),
                    }
                }
            }
        }
    };
}

rules!(Shed, "shed");
rules!(Workshop, "workshop");
