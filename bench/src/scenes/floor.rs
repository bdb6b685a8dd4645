//! `floor`: what the kernel asks for frames of other sizes, without any server of ours.

use serde_json::{Value, json};

use super::{
    Outcome, Scene, Terms,
    run::{Run, shown},
    walkers,
};
use crate::report::{Table, say};

/// The scene.
pub const SCENE: Scene = Scene {
    name: "floor",
    about: "Plain non-blocking reads and writes of ready bytes, 20 a second and player: what the machine asks for at least.",
    run,
};

/// Bytes of a frame.
const SIZES: [usize; 3] = [64, 256, 1_024];

fn run(terms: &Terms) -> anyhow::Result<Outcome> {
    let mut rows: Vec<(usize, usize, Vec<Run>)> = Vec::new();
    for players in terms.players(&[2_000]) {
        for bytes in SIZES {
            rows.push((players, bytes, vec![walkers::floor(terms, players, bytes)?]));
        }
    }
    let mut table =
        Table::new(&["players", "bytes a frame", "µs a frame", "of it user space", "server CPU %", "load CPU %"]);
    for (players, bytes, runs) in &rows {
        table.row([
            players.to_string(),
            bytes.to_string(),
            shown(runs, |run| run.frame_us, 2),
            shown(runs, |run| run.user_us, 2),
            shown(runs, |run| 100.0 * run.server_cpu, 0),
            shown(runs, |run| 100.0 * run.load_cpu, 0),
        ]);
    }
    say(&table.text());
    let kept = rows.iter().map(|(players, bytes, runs)| json!({ "players": players, "bytes": bytes, "runs": runs }));
    Ok(Outcome { measured: Value::Array(kept.collect()), claims: Vec::new() })
}
