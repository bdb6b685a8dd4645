//! The scene `population`: a crowd on a disc, everybody on the way to a place near by. Its measures are those of Plaza's
//! published scene (gow_3d population), in which nobody moves; here everybody does.

use std::f32::consts::TAU;

use tiltyard_shared::prelude::*;

/// Most bodies.
pub const MOST: u32 = 4_096;
/// Units that a body walks in a second.
pub const SPEED: f32 = 7.0;
/// The disc's radius: that of the outermost body at first.
const RADIUS: f32 = 448.0;
/// The middle of the disc, so that every coordinate is above 0.
const MIDDLE: f32 = 460.0;
/// Side of a cell.
const CELL: f32 = 46.0 / 3.0;
/// From one thought about where to go to the next, in ticks: 1.8 to 6 seconds.
const THINKS: [u32; 2] = [54, 180];
/// The angle from one body to the next.
const GOLDEN: f32 = 2.399_963_2;
const WIDTH: f32 = 1024.0;
const STEP: f32 = 1.0 / 256.0;

/// Somebody in the crowd: as many bits as the original's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
#[replicate(codings = "../codings/population.txt")]
pub struct Body {
    /// Where it is, to the right.
    #[replicate(range = 0.0..WIDTH, step = STEP, linear)]
    pub x: f32,
    /// Where it is, downwards on the map.
    #[replicate(range = 0.0..WIDTH, step = STEP, linear)]
    pub z: f32,
    /// Its height: the ground is flat.
    pub y: u16,
    /// Health.
    pub health: u8,
    /// Most health.
    pub most: u8,
    /// Where it looks.
    #[replicate(angle = 10)]
    pub yaw: f32,
    /// Its class.
    #[replicate(range = 0..=3)]
    pub class: u8,
    /// Whether it casts.
    pub casting: bool,
    /// Units a tick.
    #[replicate(skip)]
    pub velocity: [f32; 2],
    /// When it thinks again.
    #[replicate(skip)]
    pub thinks: Tick,
}

impl Body {
    /// The body of a number, where the original puts it.
    pub fn new(number: u32) -> Self {
        let (angle, radius) = (number as f32 * GOLDEN, 7.0 * (number as f32).sqrt());
        Self {
            x: MIDDLE + libm::cosf(angle) * radius,
            z: MIDDLE + libm::sinf(angle) * radius,
            y: 1 << 15,
            health: 100,
            most: 100,
            yaw: 0.0,
            class: (number % 4) as u8,
            casting: false,
            velocity: [0.0; 2],
            thinks: Tick(0),
        }
    }

    /// Where it is on the map.
    pub fn position(&self) -> [f32; 2] {
        [self.x, self.z]
    }

    /// Chooses a place on the disc and the time to think again, and turns there.
    fn think(&mut self, tick: Tick, dt: f32, rng: &mut Rng) {
        let ticks = THINKS[0] + rng.below(THINKS[1] - THINKS[0]);
        self.thinks = Tick(tick.0 + ticks);
        loop {
            self.yaw = rng.between(0.0, TAU);
            self.velocity = [libm::cosf(self.yaw) * SPEED * dt, libm::sinf(self.yaw) * SPEED * dt];
            let end = [0, 1].map(|axis| self.position()[axis] + self.velocity[axis] * ticks as f32 - MIDDLE);
            if end[0] * end[0] + end[1] * end[1] <= RADIUS * RADIUS {
                break;
            }
        }
    }
}

/// How far players see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub struct Config {
    /// Cells to each side: 3 for 7 x 7, as published; 2 for 5 x 5.
    pub depth: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { depth: 3 }
    }
}

/// The rules: a body a player, up to [`MOST`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Population {
    depth: u32,
    /// By the number of the player.
    bodies: Vec<EntityId>,
}

impl Game for Population {
    const NAME: &'static str = "population";
    type Config = Config;
    type Entity = Body;
    type Input = ();
    type Event = ();

    fn settings(_config: &Config) -> Settings {
        Settings { tick_hz: 30, max_players: MOST, ..Settings::default() }
    }

    fn grid(_config: &Config) -> Option<(Grid, Position<Body>)> {
        Some((Grid::new(2.0 * MIDDLE, 2.0 * MIDDLE, CELL), Body::position))
    }

    fn new(config: Config, _ctx: &mut Ctx<'_, Self>) -> Self {
        Self { depth: config.depth, bodies: Vec::new() }
    }

    fn join(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        let place = player.0 as usize;
        self.bodies.resize(self.bodies.len().max(place + 1), EntityId::NONE);
        self.bodies[place] = ctx.world.spawn(Body::new((player.0 - 1) % MOST));
    }

    fn leave(&mut self, player: PlayerId, _: Leave, ctx: &mut Ctx<'_, Self>) {
        ctx.world.despawn(self.body(player));
    }

    fn tick(&mut self, _: &Inputs<()>, ctx: &mut Ctx<'_, Self>) {
        for (_, body) in ctx.world.iter_mut() {
            if body.thinks <= ctx.tick {
                body.think(ctx.tick, ctx.dt, ctx.rng);
            }
            body.x += body.velocity[0];
            body.z += body.velocity[1];
        }
    }

    fn view(&self, player: PlayerId, view: &mut View<'_, Body>) {
        view.around(self.body(player), self.depth);
    }
}

impl Population {
    fn body(&self, player: PlayerId) -> EntityId {
        self.bodies.get(player.0 as usize).copied().unwrap_or(EntityId::NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn population_passes_its_check() {
        check_game::<Population>();
    }
}
