//! The scene `walkers`: everybody walks straight on over a square field, turns when its player says so, and is thrown back
//! by the walls.

use std::f32::consts::TAU;

use tiltyard_shared::prelude::*;

/// Side of the field in units, at most.
pub const SIZE: f32 = 2048.0;
/// Side of a cell.
pub const CELL: f32 = 128.0;
/// Units that a walker walks in a second.
pub const SPEED: f32 = 120.0;
/// Largest turn of one input, in 256ths of a circle, to either side.
pub const LARGEST_TURN: u32 = 30;
/// One input in so many turns; the others say to walk on.
pub const TURNS_ONE_IN: u32 = 20;
/// Positions travel in sixteenths of a unit.
const STEP: f32 = 1.0 / 16.0;

/// Somebody who walks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
#[replicate(codings = "../codings/walkers.txt")]
pub struct Walker {
    /// Where it is, to the right.
    #[replicate(range = 0.0..SIZE, step = STEP, linear)]
    pub x: f32,
    /// Where it is, downwards.
    #[replicate(range = 0.0..SIZE, step = STEP, linear)]
    pub y: f32,
    /// Where it walks to: 0 is to the right, a quarter turn is down.
    #[replicate(angle = 8)]
    pub heading: f32,
    /// Health: drawn when it joins.
    pub hp: u8,
    /// Points: drawn when it joins.
    pub score: u16,
    /// The heading in 256ths of a circle.
    #[replicate(skip)]
    pub course: u8,
    /// Units a second.
    #[replicate(skip)]
    pub velocity: [f32; 2],
}

impl Walker {
    /// Where it is.
    pub fn position(&self) -> [f32; 2] {
        [self.x, self.y]
    }

    fn set_course(&mut self, course: u8) {
        self.course = course;
        self.heading = f32::from(course) / 256.0 * TAU;
        self.velocity = [libm::cosf(self.heading) * SPEED, libm::sinf(self.heading) * SPEED];
    }

    fn walk(&mut self, size: f32, dt: f32) {
        let [right, down] = self.velocity;
        let (x, back_x) = reflected(self.x + right * dt, size);
        let (y, back_y) = reflected(self.y + down * dt, size);
        (self.x, self.y) = (x, y);
        // Half a circle less the course turns it around upright, the course taken from 0 lying.
        if back_x {
            self.set_course(128_u8.wrapping_sub(self.course));
        }
        if back_y {
            self.set_course(self.course.wrapping_neg());
        }
    }
}

/// A coordinate thrown back by the walls, and whether it was.
fn reflected(at: f32, size: f32) -> (f32, bool) {
    if at < 0.0 {
        (-at, true)
    } else if at > size {
        (2.0 * size - at, true)
    } else {
        (at, false)
    }
}

/// What a player sends every tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Turn {
    /// How far to turn, in 256ths of a circle; 0 is straight on.
    pub by: i8,
}

impl Turn {
    /// The next input of a player of the scene.
    pub fn draw(rng: &mut Rng) -> Self {
        let by =
            if rng.below(TURNS_ONE_IN) == 0 { rng.below(2 * LARGEST_TURN + 1) as i32 - LARGEST_TURN as i32 } else { 0 };
        Self { by: by as i8 }
    }
}

/// How large the field is and how far players see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub struct Config {
    /// Cells to each side: 1 for 3 x 3, 2 for 5 x 5.
    pub depth: u32,
    /// Cells along a side of the field: 1 to 16.
    pub cells: u8,
}

impl Config {
    /// The side of its square.
    fn size(&self) -> f32 {
        (f32::from(self.cells) * CELL).clamp(CELL, SIZE)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { depth: 1, cells: 16 }
    }
}

/// The rules: a walker a player, as many as there are seats.
#[derive(Debug, Serialize, Deserialize)]
pub struct Walkers {
    depth: u32,
    size: f32,
    /// By the number of the player.
    walkers: Vec<EntityId>,
}

impl Game for Walkers {
    const NAME: &'static str = "walkers";
    type Config = Config;
    type Entity = Walker;
    type Input = Turn;
    type Event = ();

    fn settings(_config: &Config) -> Settings {
        Settings { tick_hz: 20, max_players: 65_535, ..Settings::default() }
    }

    fn grid(config: &Config) -> Option<(Grid, Position<Walker>)> {
        Some((Grid::new(config.size(), config.size(), CELL), Walker::position))
    }

    fn new(config: Config, _ctx: &mut Ctx<'_, Self>) -> Self {
        Self { depth: config.depth, size: config.size(), walkers: Vec::new() }
    }

    fn join(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        let mut walker = Walker {
            x: ctx.rng.between(0.0, self.size),
            y: ctx.rng.between(0.0, self.size),
            heading: 0.0,
            hp: 1 + ctx.rng.below(100) as u8,
            score: ctx.rng.below(1000) as u16,
            course: 0,
            velocity: [0.0; 2],
        };
        walker.set_course(ctx.rng.below(256) as u8);
        let place = player.0 as usize;
        self.walkers.resize(self.walkers.len().max(place + 1), EntityId::NONE);
        self.walkers[place] = ctx.world.spawn(walker);
    }

    fn leave(&mut self, player: PlayerId, _: Leave, ctx: &mut Ctx<'_, Self>) {
        ctx.world.despawn(self.walker(player));
    }

    fn tick(&mut self, inputs: &Inputs<Turn>, ctx: &mut Ctx<'_, Self>) {
        for (player, Turn { by }) in inputs.iter().filter(|(_, turn)| turn.by != 0) {
            if let Some(walker) = ctx.world.get_mut(self.walker(player)) {
                walker.set_course(walker.course.wrapping_add_signed(*by));
            }
        }
        for (_, walker) in ctx.world.iter_mut() {
            walker.walk(self.size, ctx.dt);
        }
    }

    fn view(&self, player: PlayerId, view: &mut View<'_, Walker>) {
        view.around(self.walker(player), self.depth);
    }
}

impl Walkers {
    fn walker(&self, player: PlayerId) -> EntityId {
        self.walkers.get(player.0 as usize).copied().unwrap_or(EntityId::NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walkers_passes_its_check() {
        check_game::<Walkers>();
    }

    #[test]
    fn walls_throw_back_to_the_mirrored_course() {
        for (course, mirrored) in [(10, 118), (246, 138)] {
            let mut walker =
                Walker { x: SIZE - 1.0, y: 500.0, heading: 0.0, hp: 1, score: 0, course: 0, velocity: [0.0; 2] };
            walker.set_course(course);
            walker.walk(SIZE, 0.05);
            assert_eq!(walker.course, mirrored);
            assert!(walker.x < SIZE && walker.velocity[0] < 0.0);
        }
    }
}
