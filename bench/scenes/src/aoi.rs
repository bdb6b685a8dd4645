//! The scene of areas of interest: a field of things that all move and turn in every tick, and a few who look at a part of it.
//! Its measures are those of the bench that Colyseus publishes for its schema encoder; steps are drawn anew each tick, so
//! nothing goes straight on.

use std::f32::consts::TAU;

use tiltyard_shared::prelude::*;

/// Side of the field in units: ten cells.
pub const SIZE: f32 = 3000.0;
/// Side of a cell; 3 x 3 are seen.
pub const CELL: f32 = 300.0;
/// From the place of one player to that of the next, in cells: a prime, as in the published bench.
const SPREAD: usize = 7919;
/// Longest step in a tick, along each axis.
const STEP: f32 = 5.0;

/// Something that moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
#[replicate(codings = "../codings/aoi.txt")]
pub struct Mover {
    /// Where it is, to the right.
    #[replicate(range = 0.0..=SIZE, step = 0.0625)]
    pub x: f32,
    /// Where it is, downwards.
    #[replicate(range = 0.0..=SIZE, step = 0.0625)]
    pub y: f32,
    /// Where it looks.
    #[replicate(angle = 8)]
    pub rotation: f32,
}

impl Mover {
    fn position(&self) -> [f32; 2] {
        [self.x, self.y]
    }
}

/// How large the scene is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub struct Config {
    /// How many things.
    pub things: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { things: 2_000 }
    }
}

/// The rules: players only look, each at a place of its own that never changes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Aoi {
    /// What is seen from each cell.
    areas: Vec<Vec<GroupId>>,
}

impl Game for Aoi {
    const NAME: &'static str = "aoi";
    type Config = Config;
    type Entity = Mover;
    type Input = ();
    type Event = ();

    fn settings(_config: &Config) -> Settings {
        Settings { max_players: 1_000, ..Settings::default() }
    }

    fn grid(_config: &Config) -> Option<(Grid, Position<Mover>)> {
        Some((Grid::new(SIZE, SIZE, CELL), Mover::position))
    }

    fn new(config: Config, ctx: &mut Ctx<'_, Self>) -> Self {
        let grid = Grid::new(SIZE, SIZE, CELL);
        let things = 0..config.things.min(60_000);
        let mut place = || ctx.rng.between(0.0, SIZE);
        let movers: Vec<Mover> = things.map(|_| Mover { x: place(), y: place(), rotation: 0.0 }).collect();
        for mover in movers {
            ctx.world.spawn(mover);
        }
        let area = |cell| {
            let mut area = Vec::new();
            grid.around(GroupId(cell), 1, &mut area);
            area
        };
        Self { areas: (0..grid.cells()).map(area).collect() }
    }

    fn join(&mut self, _: PlayerId, _: &mut Ctx<'_, Self>) {}

    fn leave(&mut self, _: PlayerId, _: Leave, _: &mut Ctx<'_, Self>) {}

    fn tick(&mut self, _: &Inputs<()>, ctx: &mut Ctx<'_, Self>) {
        for (_, mover) in ctx.world.iter_mut() {
            let mut step = || ctx.rng.between(-STEP, STEP);
            mover.x = (mover.x + step()).clamp(0.0, SIZE);
            mover.y = (mover.y + step()).clamp(0.0, SIZE);
            mover.rotation = (mover.rotation + 0.05 * step()).rem_euclid(TAU);
        }
    }

    fn view(&self, player: PlayerId, view: &mut View<'_, Mover>) {
        let area = &self.areas[player.0 as usize * SPREAD % self.areas.len()];
        area.iter().for_each(|cell| view.group(*cell));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aoi_passes_its_check() {
        check_game::<Aoi>();
    }
}
