//! What the bytes of the scenes are for, without sockets:
//! `cargo run --release -p tiltyard-scenes --example anatomy -- [players …]`.
//!
//! One player in ten decodes and verifies. Figures are bytes per visible entity and tick, everything counted, over 400
//! ticks; the last column is bytes per frame.

use std::io::{self, Write};

use tiltyard_scenes::{Aoi, Crowd, Population, Walkers, aoi::Config, walkers::Turn};
use tiltyard_shared::{game::Game, protocol::codec};

/// Ticks before anything is counted, and ticks counted.
const TICKS: [u32; 2] = [60, 400];

fn main() -> io::Result<()> {
    let mut counts: Vec<u32> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    if counts.is_empty() {
        counts = vec![500, 1_000, 4_000];
    }
    let mut out = io::stdout();
    writeln!(out, "scene        players visible  total  heads chunks  membr  snaps  lanes events   bytes")?;
    for players in counts {
        let mut crowd =
            Crowd::<Walkers>::new(Default::default(), players, 10, Some(|rng| codec::encode(&Turn::draw(rng))));
        report("walkers", &mut crowd, &mut out)?;
    }
    report("population", &mut Crowd::<Population>::new(Default::default(), 4_096, 10, None), &mut out)?;
    for (things, players) in [(2_000, 50), (10_000, 200)] {
        report("aoi", &mut Crowd::<Aoi>::new(Config { things }, players, 10, None), &mut out)?;
    }
    Ok(())
}

fn report<G: Game>(name: &str, crowd: &mut Crowd<G>, out: &mut impl Write) -> io::Result<()> {
    (0..TICKS[0]).for_each(|_| crowd.tick());
    let ([bytes, visible], before) = (crowd.weight(), crowd.anatomy());
    (0..TICKS[1]).for_each(|_| crowd.tick());
    let ([bytes, visible], parts) =
        ([crowd.weight()[0] - bytes, crowd.weight()[1] - visible], crowd.anatomy() - before);
    let ticks = f64::from(TICKS[1]);
    write!(out, "{name:12} {:7} {:7.1}", crowd.players(), visible as f64 / crowd.decoding() as f64 / ticks)?;
    let all = parts.bits();
    for bits in [all, parts.heads, parts.chunk_headers, parts.membership, parts.snapshots, parts.lanes, parts.events] {
        write!(out, " {:6.3}", bits as f64 / 8.0 / visible as f64)?;
    }
    writeln!(out, " {:7.1}", bytes as f64 / crowd.players() as f64 / ticks)
}
