//! What the stages of a tick cost in the scenes, without sockets: `cargo bench -p tiltyard-scenes`.
//!
//! Each time is that of one tick of all players: the game with its commit, or the frames of everybody (encode and gather).

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use tiltyard_scenes::{
    Aoi, Crowd, Population, Walkers,
    aoi::Config,
    walkers::{Turn, Walker},
};
use tiltyard_shared::{prelude::*, protocol::codec};

/// Measures the stages of a crowd, after two seconds of its life.
fn stages<G: Game>(c: &mut Criterion, name: &str, crowd: &mut Crowd<G>) {
    (0..60).for_each(|_| crowd.tick());
    let mut timed = |stage: &str, part: fn([Duration; 2]) -> Duration| {
        c.bench_function(&format!("{name}, {stage}"), |b| {
            b.iter_custom(|runs| {
                let tick = |_| {
                    crowd.send_inputs();
                    let start = Instant::now();
                    crowd.step();
                    let stepped = Instant::now();
                    crowd.frames();
                    let times = [stepped - start, stepped.elapsed()];
                    crowd.report();
                    part(times)
                };
                (0..runs).map(tick).sum()
            });
        });
    };
    timed("game and commit", |[step, _]| step);
    timed("frames", |[_, frames]| frames);
    timed("all", |[step, frames]| step + frames);
}

fn walkers(c: &mut Criterion) {
    for players in [1_000, 4_000] {
        // Nobody decodes: that would be in the times.
        let draw = |rng: &mut Rng| codec::encode(&Turn::draw(rng));
        let mut crowd = Crowd::<Walkers>::new(Default::default(), players, 0, Some(draw));
        stages(c, &format!("{players} walkers"), &mut crowd);
    }
}

fn population(c: &mut Criterion) {
    stages(c, "population of 4096", &mut Crowd::<Population>::new(Default::default(), 4_096, 0, None));
}

fn aoi(c: &mut Criterion) {
    for (things, players) in [(2_000, 50), (10_000, 200)] {
        let mut crowd = Crowd::<Aoi>::new(Config { things }, players, 0, None);
        stages(c, &format!("aoi of {things} things and {players} players"), &mut crowd);
    }
}

fn idle(c: &mut Criterion) {
    let mut world = World::new();
    world.set_grid(Grid::new(2048.0, 2048.0, 128.0), Walker::position);
    for number in 0..10_000_u32 {
        let place = (number % 2000) as f32;
        let [heading, velocity] = [0.0, 0.0];
        let walker = Walker { x: place, y: place, heading, hp: 1, score: 0, course: 0, velocity: [velocity; 2] };
        world.spawn(walker);
    }
    world.commit(Tick(1));
    c.bench_function("idle: commit of 10,000 unchanged entities", |b| {
        b.iter(|| {
            let tick = Tick(world.committed().tick().0 + 1);
            world.commit(tick);
            black_box(world.committed().changed_groups().len())
        });
    });
}

criterion_group! {
    name = scenes;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = walkers, population, aoi, idle
}
criterion_main!(scenes);
