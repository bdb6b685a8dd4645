//! Learns the codings of the scenes from their players: `cargo run --release -p tiltyard-scenes --example codings`. Writes
//! `bench/scenes/codings`, which the entities read; the files say what is saved.

use std::{fs, io, path::Path};

use tiltyard_scenes::{Aoi, Crowd, Population, Walkers, aoi::Config, walkers::Turn};
use tiltyard_shared::{game::Game, learn::Recording, protocol::codec, replicate::Replicate};

/// Ticks that are recorded of each room.
const TICKS: u32 = 300;

/// What chance begins with in each: another seed than that of what is measured.
const SEEDS: [u64; 4] = [1_000, 1_001, 1_002, 1_003];

fn main() -> io::Result<()> {
    learn(|seed| {
        Crowd::<Walkers>::seeded(
            seed,
            Default::default(),
            2_000,
            usize::MAX,
            Some(|rng| codec::encode(&Turn::draw(rng))),
        )
    })?;
    learn(|seed| Crowd::<Population>::seeded(seed, Default::default(), 1_000, usize::MAX, None))?;
    learn(|seed| Crowd::<Aoi>::seeded(seed, Config::default(), 10, usize::MAX, None))
}

fn learn<G: Game>(open: impl Fn(u64) -> Crowd<G>) -> io::Result<()> {
    let mut recording = Recording::new(G::Entity::schema());
    for mut crowd in SEEDS.map(open) {
        for _ in 0..TICKS {
            crowd.tick();
            recording.observe(crowd.room.simulation().world().committed());
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("codings").join(format!("{}.txt", G::NAME));
    fs::write(path, recording.file(&recording.findings()))
}
