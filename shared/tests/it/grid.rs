//! Grids in motion: who walks over one is always in a cell that holds it, views show what is near, and a replica that
//! follows a view always equals the world.

use std::collections::BTreeMap;

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use tiltyard_shared::{check::Check, prelude::*};

const WIDTH: f32 = 100.0;
const HEIGHT: f32 = 60.0;

/// Sheep wander, come and go; shepherds walk where their players want and see the cells around them.
#[derive(Debug, Serialize, Deserialize)]
struct Meadow {
    config: Config,
    sheep: Vec<EntityId>,
    shepherds: BTreeMap<PlayerId, EntityId>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, Wire)]
struct Config {
    cell: u8,
    depth: u8,
}

#[derive(Clone, Debug, Serialize, Deserialize, Replicate)]
struct Animal {
    #[replicate(range = 0.0..=WIDTH, step = 0.125)]
    x: f32,
    #[replicate(range = 0.0..=HEIGHT, step = 0.125)]
    y: f32,
    is_sheep: bool,
}

impl Animal {
    fn random(rng: &mut Rng, is_sheep: bool) -> Self {
        Self { x: rng.between(0.0, WIDTH), y: rng.between(0.0, HEIGHT), is_sheep }
    }

    fn walk(&mut self, [x, y]: [f32; 2]) {
        (self.x, self.y) = ((self.x + x).clamp(0.0, WIDTH), (self.y + y).clamp(0.0, HEIGHT));
    }
}

impl Game for Meadow {
    const NAME: &'static str = "meadow";
    type Config = Config;
    type Entity = Animal;
    type Input = [i8; 2];
    type Event = ();

    fn grid(config: &Config) -> Option<(Grid, Position<Animal>)> {
        let cell = 4.0 + f32::from(config.cell % 40);
        Some((Grid::new(WIDTH, HEIGHT, cell), |animal| [animal.x, animal.y]))
    }

    fn new(config: Config, ctx: &mut Ctx<'_, Self>) -> Self {
        let sheep = (0..40).map(|_| ctx.world.spawn(Animal::random(ctx.rng, true))).collect();
        Self { config, sheep, shepherds: BTreeMap::new() }
    }

    fn join(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        self.shepherds.insert(player, ctx.world.spawn(Animal::random(ctx.rng, false)));
    }

    fn leave(&mut self, player: PlayerId, _why: Leave, ctx: &mut Ctx<'_, Self>) {
        ctx.world.despawn(self.shepherds[&player]);
        self.shepherds.remove(&player);
    }

    fn tick(&mut self, inputs: &Inputs<[i8; 2]>, ctx: &mut Ctx<'_, Self>) {
        for (player, step) in inputs.iter() {
            let shepherd = ctx.world.get_mut(self.shepherds[&player]).expect("every player has one");
            shepherd.walk(step.map(|part| f32::from(part) / 32.0));
        }
        for id in &mut self.sheep {
            match ctx.rng.below(50) {
                0 => {
                    ctx.world.despawn(*id);
                    *id = ctx.world.spawn(Animal::random(ctx.rng, true));
                }
                1 => *ctx.world.get_mut(*id).expect("it is alive") = Animal::random(ctx.rng, true),
                2..20 => {
                    let step = [(); 2].map(|()| ctx.rng.between(-3.0, 3.0));
                    ctx.world.get_mut(*id).expect("it is alive").walk(step);
                }
                _ => {}
            }
        }
    }

    fn view(&self, player: PlayerId, view: &mut View<'_, Animal>) {
        view.around(self.shepherds[&player], u32::from(self.config.depth % 4));
    }
}

#[test]
fn a_replica_equals_the_world_wherever_entities_walk_and_views_go() {
    let check = Check { seed: 1, matches: 60, ticks: 200, players: 5 };
    check.run::<Meadow>().unwrap();
}

proptest! {
    #[test]
    fn a_cell_holds_who_stands_in_it_and_a_view_shows_who_is_near(seed: u64, cell in 4.0f32..50.0, depth in 1u32..4) {
        let hysteresis = cell / 16.0;
        let (grid, mut rng) = (Grid::new(WIDTH, HEIGHT, cell), Rng::new(seed));
        let columns = (WIDTH / cell).ceil() as u32;
        let mut animals: Vec<_> = (0..8).map(|_| (Animal::random(&mut rng, true), None)).collect();
        for _ in 0..50 {
            for (animal, group) in &mut animals {
                animal.walk([(); 2].map(|()| rng.between(-5.0, 5.0)));
                *group = grid.cell_from(*group, [animal.x, animal.y]);
                let GroupId(number) = group.expect("inside is always in a cell");
                let from_middle = |at: f32, index: u32| (at - (index as f32 + 0.5) * cell).abs();
                let farthest = cell / 2.0 + hysteresis + 0.001;
                prop_assert!(from_middle(animal.x, number % columns) <= farthest);
                prop_assert!(from_middle(animal.y, number / columns) <= farthest);
            }
            let ((viewer, center), mut view) = (&animals[0], Vec::new());
            grid.around(center.expect("it is in a cell"), depth, &mut view);
            prop_assert!(view.is_sorted());
            // Both may stand beyond the border of their cells.
            let near = depth as f32 * cell - 2.0 * hysteresis - 0.001;
            for (other, group) in &animals {
                let is_near = (other.x - viewer.x).abs() < near && (other.y - viewer.y).abs() < near;
                prop_assert!(!is_near || view.contains(&group.expect("it is in a cell")));
            }
            prop_assert_eq!(grid.cell_from(*center, [viewer.x, HEIGHT + 0.01]), None);
        }
    }
}
