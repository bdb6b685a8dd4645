//! The scene `still`: a field full of things of which none ever changes, and players who look at it.

use tiltyard_shared::prelude::*;

/// Side of the field in units.
const SIZE: f32 = 2048.0;
/// Side of a cell; 3 x 3 are seen.
const CELL: f32 = 128.0;

/// Something that lies there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Stone {
    /// Where, to the right.
    #[replicate(range = 0.0..=SIZE, step = 0.0625)]
    pub x: f32,
    /// Where, downwards.
    #[replicate(range = 0.0..=SIZE, step = 0.0625)]
    pub y: f32,
}

impl Stone {
    fn position(&self) -> [f32; 2] {
        [self.x, self.y]
    }
}

/// How much lies there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub struct Config {
    /// How many stones.
    pub stones: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { stones: 10_000 }
    }
}

/// The rules: nothing happens.
#[derive(Debug, Serialize, Deserialize)]
pub struct Still {
    stones: Vec<EntityId>,
}

impl Game for Still {
    const NAME: &'static str = "still";
    type Config = Config;
    type Entity = Stone;
    type Input = ();
    type Event = ();

    fn settings(_config: &Config) -> Settings {
        Settings { tick_hz: 20, max_players: 10_000, ..Settings::default() }
    }

    fn grid(_config: &Config) -> Option<(Grid, Position<Stone>)> {
        Some((Grid::new(SIZE, SIZE, CELL), Stone::position))
    }

    fn new(config: Config, ctx: &mut Ctx<'_, Self>) -> Self {
        let stones = 0..config.stones.min(60_000);
        let mut lay = |_| ctx.world.spawn(Stone { x: ctx.rng.between(0.0, SIZE), y: ctx.rng.between(0.0, SIZE) });
        Self { stones: stones.map(&mut lay).collect() }
    }

    fn join(&mut self, _: PlayerId, _: &mut Ctx<'_, Self>) {}

    fn leave(&mut self, _: PlayerId, _: Leave, _: &mut Ctx<'_, Self>) {}

    fn tick(&mut self, _: &Inputs<()>, _: &mut Ctx<'_, Self>) {}

    fn view(&self, player: PlayerId, view: &mut View<'_, Stone>) {
        if !self.stones.is_empty() {
            view.around(self.stones[player.0 as usize * 37 % self.stones.len()], 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn still_passes_its_check() {
        check_game::<Still>();
    }
}
