//! Connect four: two players drop discs in turn, against a clock, until four are in a line. Others watch.
//!
//! Read its modules in order: [`board`] has the rules without players, [`entities`] the contents of the world, and
//! [`messages`] the inputs and events. `seats` assigns the colours, and `course` runs a match from its start to its
//! end. This file ties them together as a [`Game`].

pub mod board;
pub mod entities;
pub mod messages;
mod seats;
mod course;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use tiltyard_shared::prelude::*;

use board::{Board, Color};
use entities::{Person, Thing};
use messages::{Event, Input};

/// Ticks a second.
pub const TICK_HZ: u32 = 10;
/// Two players and the spectators.
pub const MAX_PLAYERS: u32 = 16;
/// Time after a match in which both players may ask for another one; then the room closes.
pub const REMATCH_TICKS: u32 = 60 * TICK_HZ;

/// The settings of a room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub struct Config {
    /// Time for a move; a player who takes longer loses. 0 counts as 1. Default 30.
    pub seconds_per_move: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self { seconds_per_move: 30 }
    }
}

impl Config {
    /// The time for a move in ticks.
    pub fn move_ticks(&self) -> u32 {
        u32::from(self.seconds_per_move.max(1)) * TICK_HZ
    }
}

/// A room: one match after the other, until the two players no longer want another.
#[derive(Debug, Serialize, Deserialize)]
pub struct Connect4 {
    config: Config,
    board: EntityId,
    /// Everybody in the room, in the order of joining.
    people: BTreeMap<PlayerId, EntityId>,
    /// The colour with the first move of this match or the next.
    first: Color,
    /// Whether the result was reported.
    closed: bool,
}

impl Game for Connect4 {
    const NAME: &'static str = "connect4";
    type Config = Config;
    type Entity = Thing;
    type Input = Input;
    type Event = Event;

    fn settings(_config: &Config) -> Settings {
        Settings { tick_hz: TICK_HZ, max_players: MAX_PLAYERS, grace: Duration::from_secs(60), ..Settings::default() }
    }

    fn modes() -> Vec<(Mode, Config)> {
        vec![(Mode::new("duel", 2, 1), Config::default())]
    }

    fn new(config: Config, ctx: &mut Ctx<'_, Self>) -> Self {
        let board = ctx.world.spawn(Thing::Board(Board::waiting()));
        Self { config, board, people: BTreeMap::new(), first: Color::Red, closed: false }
    }

    fn join(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        let person = Person::new(player, ctx.name(player).to_owned());
        self.people.insert(player, ctx.world.spawn(Thing::Person(person)));
        self.fill_seats(ctx);
    }

    fn leave(&mut self, player: PlayerId, _why: Leave, ctx: &mut Ctx<'_, Self>) {
        self.abandon(player, ctx);
        if let Some(id) = self.people.remove(&player) {
            ctx.world.despawn(id);
        }
        self.fill_seats(ctx);
    }

    fn tick(&mut self, inputs: &Inputs<Input>, ctx: &mut Ctx<'_, Self>) {
        for (player, input) in inputs.iter() {
            if let Err(why) = self.handle(player, input, ctx) {
                ctx.send(player, &Event::Refused { why });
            }
        }
        self.watch_clock(ctx);
    }
}
