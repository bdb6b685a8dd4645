//! The driver of a game: a [`Simulation`] steps it by the [`Command`]s of each tick, which form a room's journal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Ctx, Game, Inputs, Leave, Outbox, PlayerId, Rng, Tick, View};
use crate::{id::GroupId, protocol::codec, world::World};

/// One entry of a room's journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command<I> {
    /// A player takes a seat.
    Join {
        /// The player, with a higher id than all before.
        player: PlayerId,
        /// The name that the player chose.
        name: String,
        /// The team that the player was matched into.
        team: Option<u16>,
    },
    /// A seat is free again.
    Leave {
        /// The player.
        player: PlayerId,
        /// The reason.
        why: Leave,
    },
    /// A player no longer has a connection.
    Away {
        /// The player.
        player: PlayerId,
    },
    /// A player who was away has a connection again.
    Back {
        /// The player.
        player: PlayerId,
    },
    /// A player sends an input.
    Input {
        /// The player.
        player: PlayerId,
        /// The input.
        input: I,
    },
}

/// The room's own data of a player, beside the game's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) team: Option<u16>,
}

/// A running game: rules, world, randomness, tick. The same seed, config and commands give the same states.
#[derive(Debug)]
pub struct Simulation<G: Game> {
    /// The bytes of the config.
    pub(super) config: Vec<u8>,
    pub(super) game: G,
    pub(super) world: World<G::Entity>,
    pub(super) rng: Rng,
    pub(super) tick: Tick,
    pub(super) dt: f32,
    pub(super) players: BTreeMap<PlayerId, Person>,
    pub(super) outbox: Outbox,
    pub(super) inputs: Inputs<G::Input>,
}

/// A [`Ctx`] over the parts of a simulation, leaving its game free to be borrowed beside it.
macro_rules! ctx {
    ($sim:expr) => {
        &mut Ctx {
            world: &mut $sim.world,
            rng: &mut $sim.rng,
            tick: $sim.tick,
            dt: $sim.dt,
            players: &$sim.players,
            outbox: &mut $sim.outbox,
        }
    };
}

impl<G: Game> Simulation<G> {
    /// A room at tick 0.
    pub fn new(config: G::Config, seed: u64) -> Self {
        Self::at_tick(config, seed, Tick(0))
    }

    /// A room whose ticks count from another one on, for tests of the end of tick numbers.
    pub fn at_tick(config: G::Config, seed: u64, tick: Tick) -> Self {
        let dt = G::settings(&config).tick_length().as_secs_f32();
        let (mut world, mut rng, players, mut outbox) =
            (World::new(), Rng::new(seed), BTreeMap::new(), Outbox::default());
        if let Some((grid, position)) = G::grid(&config) {
            world.set_grid(grid, position);
        }
        let bytes = codec::encode(&config);
        let ctx = &mut Ctx { world: &mut world, rng: &mut rng, tick, dt, players: &players, outbox: &mut outbox };
        let game = G::new(config, ctx);
        Self { config: bytes, game, world, rng, tick, dt, players, outbox, inputs: Inputs(Vec::new()) }
    }

    /// Computes the next tick: joins and leaves in their order, then the game's own step with all inputs. Skips
    /// commands of players who are not in the room.
    pub fn step(&mut self, commands: impl IntoIterator<Item = Command<G::Input>>) {
        self.tick.0 += 1;
        self.inputs.0.clear();
        for command in commands {
            match command {
                Command::Join { player, name, team } => {
                    self.players.insert(player, Person { name, team });
                    self.game.join(player, ctx!(self));
                }
                Command::Leave { player, why } => {
                    if self.players.contains_key(&player) {
                        self.game.leave(player, why, ctx!(self));
                        self.world.drop_own_group(player);
                        self.players.remove(&player);
                        self.inputs.0.retain(|(from, _)| *from != player);
                    }
                }
                Command::Away { player } => {
                    if self.players.contains_key(&player) {
                        self.game.away(player, ctx!(self));
                    }
                }
                Command::Back { player } => {
                    if self.players.contains_key(&player) {
                        self.game.back(player, ctx!(self));
                    }
                }
                Command::Input { player, input } => {
                    if self.players.contains_key(&player) {
                        self.inputs.0.push((player, input));
                    }
                }
            }
        }
        self.game.tick(&self.inputs, ctx!(self));
    }

    /// Fixes the world's state at this tick, so that it can be sent. See [`World::commit`].
    pub fn commit(&mut self) {
        self.world.commit(self.tick);
    }

    /// Fills `groups` with the sorted view of a player.
    pub fn view(&self, player: PlayerId, groups: &mut Vec<GroupId>) {
        let mut view = View::new(&self.world, groups);
        self.game.view(player, &mut view);
        view.finish();
    }

    /// Fills `groups` with the sorted view of spectators.
    pub fn spectate(&self, groups: &mut Vec<GroupId>) {
        let mut view = View::new(&self.world, groups);
        self.game.spectate(&mut view);
        view.finish();
    }

    /// The config from which the room was made.
    pub fn config(&self) -> G::Config {
        // They are always the bytes of a config.
        codec::decode(&self.config).unwrap_or_default()
    }

    /// The last tick that was computed.
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// The rules and their state.
    pub fn game(&self) -> &G {
        &self.game
    }

    /// The entities.
    pub fn world(&self) -> &World<G::Entity> {
        &self.world
    }

    /// The entities, for tests and tools that act beside the game.
    pub fn world_mut(&mut self) -> &mut World<G::Entity> {
        &mut self.world
    }

    /// The game's output since this was last emptied.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// The game's output.
    pub fn told(&self) -> &Outbox {
        &self.outbox
    }
}
