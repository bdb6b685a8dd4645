//! The arena, Tiltyard's example game: a 2-D, top-down field on which fighters walk, aim, shoot, heal and come back.
//!
//! Read its modules in order: [`rules`] has numbers and pure functions, [`entities`] the contents of the world, and
//! [`messages`] the inputs and events. `seat` is the state of one player, `targets` finds players near a point,
//! `phases` are the parts of a tick, and `outcome` decides how a match ends. This file ties them together as a
//! [`Game`]. [`bot`] plays it.

pub mod rules;
pub mod entities;
pub mod messages;
pub mod bot;
mod seat;
mod targets;
mod phases;
mod outcome;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use tiltyard_shared::prelude::*;

use entities::{Ammo, Fighter, Thing};
use messages::{Event, Input};
use rules::{CELL, SIZE};
use seat::Seat;
use targets::Targets;

/// The settings of a room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub struct Config {
    /// Seats; 0 counts as 1. Default 1,000.
    pub max_players: u16,
    /// Most pickups on the field at a time, at most [`Config::MAX_PICKUPS`]. Default 64.
    pub pickups: u16,
    /// How many cells of 128 units a player sees in each direction beyond its own, at most 16 (the whole field). Default 3.
    ///
    /// A fighter may be 8 units beyond the border of its cell before it changes over, so depth 3 shows at least 376 units
    /// in each direction, and 896 x 896 units away from the walls. That is comfortable for shots, which fly 360, and for
    /// a page that draws a unit as two pixels: a screen of 1280 x 720 then shows 320 units to the sides. Of what is
    /// spread evenly over the field a player sees 15 % on average, because the walls cut views.
    pub view_depth: u8,
    /// Seconds that a match lasts, counted from its first player. 0, the default: it never ends.
    pub match_seconds: u16,
}

impl Config {
    /// Most pickups of a room.
    pub const MAX_PICKUPS: u16 = 2_000;
}

impl Default for Config {
    fn default() -> Self {
        Self { max_players: 1_000, pickups: 64, view_depth: 3, match_seconds: 0 }
    }
}

/// A running match: players come, score and go.
#[derive(Debug, Serialize, Deserialize)]
pub struct Arena {
    config: Config,
    seats: BTreeMap<PlayerId, Seat>,
    /// The shots in the air, in the order in which they were fired.
    shots: Vec<EntityId>,
    pickups: Vec<EntityId>,
    ends: Option<Tick>,
    /// Rebuilt in every tick.
    #[serde(skip)]
    targets: Targets,
}

impl Game for Arena {
    const NAME: &'static str = "arena";
    type Config = Config;
    type Entity = Thing;
    type Input = Input;
    type Event = Event;

    fn settings(config: &Config) -> Settings {
        Settings {
            tick_hz: rules::TICK_HZ,
            send_every: 1,
            max_players: u32::from(config.max_players.max(1)),
            grace: Duration::from_secs(30),
            ..Settings::default()
        }
    }

    fn modes() -> Vec<(Mode, Config)> {
        let mode = Mode { min_players: 8, backfill: true, ..Mode::new("teams", 2, 5) };
        let config = Config { max_players: mode.seats() as u16, match_seconds: 180, ..Config::default() };
        vec![(mode, config)]
    }

    fn grid(_config: &Config) -> Option<(Grid, Position<Thing>)> {
        Some((Grid::new(SIZE, SIZE, CELL), Thing::position))
    }

    fn new(config: Config, ctx: &mut Ctx<'_, Self>) -> Self {
        let (seats, shots, targets) = (BTreeMap::new(), Vec::new(), Targets::default());
        let mut arena = Self { config, seats, shots, pickups: Vec::new(), ends: None, targets };
        while arena.lacks_pickups() {
            arena.add_pickup(ctx);
        }
        arena
    }

    fn join(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        let team = ctx.team(player);
        let name = outcome::name_above(ctx.name(player), team);
        let fighter = ctx.world.spawn(Thing::Fighter(Fighter::new(player, name, rules::random_place(ctx.rng))));
        let own_group = ctx.own_group(player);
        let ammo = ctx.world.spawn_in(own_group, Thing::Ammo(Ammo::full()));
        self.seats.insert(player, Seat::new(fighter, ammo, team, ctx.tick));
        self.start_clock(ctx.tick);
    }

    fn leave(&mut self, player: PlayerId, _why: Leave, ctx: &mut Ctx<'_, Self>) {
        let Some(seat) = self.seats.remove(&player) else { return };
        ctx.world.despawn(seat.fighter);
        self.remove_shots_of(player, ctx);
    }

    /// Lets a player rest, so that a bad line makes nobody walk into a wall or empty the magazine.
    fn away(&mut self, player: PlayerId, _ctx: &mut Ctx<'_, Self>) {
        if let Some(seat) = self.seats.get_mut(&player) {
            seat.rest();
        }
    }

    fn tick(&mut self, inputs: &Inputs<Input>, ctx: &mut Ctx<'_, Self>) {
        for (player, input) in inputs.iter() {
            if let Some(seat) = self.seats.get_mut(&player) {
                seat.hold(*input);
            }
        }
        self.revive(ctx);
        self.walk(ctx);
        self.shoot(ctx);
        self.fly(ctx);
        self.collect(ctx);
        self.restock(ctx);
        self.watch_clock(ctx);
    }

    fn view(&self, player: PlayerId, view: &mut View<'_, Thing>) {
        let Some(seat) = self.seats.get(&player) else { return };
        let depth = u32::from(self.config.view_depth.min(16));
        match view.world.get(seat.fighter) {
            Some(Thing::Fighter(fighter)) if fighter.hp == 0 => watch(view, fighter.position(), depth),
            _ => view.around(seat.fighter, depth),
        }
    }
}

/// Adds the cells around a point: the place where a fighter fell, which is in no cell until it comes back.
fn watch(view: &mut View<'_, Thing>, [x, y]: rules::Point, depth: u32) {
    let Some(grid) = view.world.grid() else { return };
    let steps = || (0..=2 * depth).map(|step| (step as f32 - depth as f32) * CELL);
    for cell in steps().flat_map(|down| steps().filter_map(move |right| grid.cell_at([x + right, y + down]))) {
        view.group(cell);
    }
}
