//! `bytes`: what the bytes of frames are for, without sockets: bytes per visible entity and tick, frame and all.
//!
//! Every player decodes and verifies; from the replicas comes what each bit was for. Everything here is counted, not timed, and
//! the same in every run.

use serde_json::{Value, json};
use tiltyard_scenes::{Aoi, Crowd, Population, Walkers, aoi, crowd::Draw, walkers::Turn};
use tiltyard_shared::{
    game::{Game, Rng},
    protocol::codec,
    replica::Anatomy,
};

use super::{Outcome, Scene, Terms};
use crate::{
    claim::Claim,
    report::{Table, progress, say},
};

/// The scene.
pub const SCENE: Scene = Scene {
    name: "bytes",
    about: "Bytes per visible entity and tick, by what they are for, in the frames of several scenes; counted without sockets.",
    run,
};

/// Ticks before anything is counted, and ticks counted.
const TICKS: [u32; 2] = [60, 400];

/// Walkers, and how many bytes a visible entity may take.
const WALKERS: [(u32, Option<f64>); 3] = [(500, Some(3.0)), (1_000, None), (4_000, Some(1.6))];

/// Entities and players of the encode scenes.
const AOI: [(u32, u32); 2] = [(2_000, 50), (10_000, 200)];

/// What was counted of one crowd.
#[derive(Debug)]
struct Count {
    what: String,
    /// Entities that a player sees.
    visible: f64,
    /// Bytes of a frame, those of ticks without one counted as 0.
    frame_bytes: f64,
    /// WebSocket's own header of a frame of that size comes on top.
    header_bytes: f64,
    /// Bytes per visible entity and tick: all, and by what they are for.
    parts: [f64; 7],
}

/// The names of [`Count::parts`].
const PARTS: [&str; 7] = ["all", "heads", "chunk headers", "membership", "snapshots", "lanes", "events"];

fn run(_: &Terms) -> anyhow::Result<Outcome> {
    let turn: Draw = |rng: &mut Rng| codec::encode(&Turn::draw(rng));
    let (mut counts, mut claims) = (Vec::new(), Vec::new());
    for (players, bound) in WALKERS {
        let count = count::<Walkers>(&format!("walkers, {players}"), Default::default(), players, Some(turn));
        claims.extend(bound.map(|bound| {
            Claim::at_most(format!("{players} walkers: bytes per visible entity and tick"), count.parts[0], bound)
        }));
        counts.push(count);
    }
    counts.push(count::<Population>("population, 4096", Default::default(), 4_096, None));
    for (things, players) in AOI {
        counts.push(count::<Aoi>(&format!("aoi, {things} and {players}"), aoi::Config { things }, players, None));
    }
    print(&counts);
    let kept = counts.iter().map(|count| {
        let Count { what, visible, frame_bytes, header_bytes, parts } = count;
        let parts: Value = PARTS.iter().zip(parts).map(|(name, part)| (name.to_string(), json!(part))).collect();
        json!({
            "what": what, "visible": visible, "frame_bytes": frame_bytes, "header_bytes": header_bytes,
            "bytes_per_visible": parts,
        })
    });
    Ok(Outcome { measured: kept.collect(), claims })
}

fn count<G: Game>(what: &str, config: G::Config, players: u32, draw: Option<Draw>) -> Count {
    let mut crowd = Crowd::<G>::new(config, players, 1, draw);
    (0..TICKS[0]).for_each(|_| crowd.tick());
    let ([bytes, visible], before) = (crowd.weight(), crowd.anatomy());
    (0..TICKS[1]).for_each(|_| crowd.tick());
    let (bytes, visible) = (crowd.weight()[0] - bytes, (crowd.weight()[1] - visible) as f64);
    let ticks = f64::from(TICKS[1]);
    let frame_bytes = bytes as f64 / f64::from(players) / ticks;
    progress(what);
    Count {
        what: what.to_owned(),
        visible: visible / crowd.decoding() as f64 / ticks,
        frame_bytes,
        header_bytes: if frame_bytes < 126.0 { 2.0 } else { 4.0 },
        parts: bits(&(crowd.anatomy() - before)).map(|bits| bits as f64 / 8.0 / visible),
    }
}

/// In the order of [`PARTS`].
fn bits(anatomy: &Anatomy) -> [u64; 7] {
    let Anatomy { heads, chunk_headers, membership, snapshots, lanes, events, .. } = *anatomy;
    [anatomy.bits(), heads, chunk_headers, membership, snapshots, lanes, events]
}

fn print(counts: &[Count]) {
    let headings = ["scene, players", "visible"].iter().chain(&PARTS).chain(&["bytes a tick", "WebSocket's"]);
    let mut table = Table::new(&headings.copied().collect::<Vec<_>>());
    for count in counts {
        let figures = count.parts.iter().map(|part| format!("{part:.2}"));
        let ends = [format!("{:.0}", count.frame_bytes), format!("{:.0}", count.header_bytes)];
        table.row([count.what.clone(), format!("{:.1}", count.visible)].into_iter().chain(figures).chain(ends));
    }
    say(&table.text());
}
