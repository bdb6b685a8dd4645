//! `population`: the published scene of another project (Plaza, gow_3d population), with everybody walking, without sockets and
//! with them.
//!
//! Its figures are those of its authors: of another machine (unnamed), of a crowd in which nobody moves, and of the full state
//! each tick. They stand beside ours so that the order of magnitude can be seen, not to be divided by them.

use std::time::Duration;

use serde_json::{Value, json};
use tiltyard_scenes::Population;
use tiltyard_shared::{game::Rng, protocol::codec};

use super::{Run, Terms, measure, plan_of};
use crate::{
    crowd::{Crowd, Dialect},
    host::Host,
    report::{Table, say, shown},
    stage::{self, Stage},
};

/// Players, and what is published for them: microseconds a tick without sockets, bytes a client.
const PUBLISHED: [(u32, f64, f64); 4] =
    [(64, 110.0, 630.0), (256, 361.0, 845.0), (1_024, 1_115.0, 958.0), (4_096, 4_731.0, 1_014.0)];

/// Ticks of a run without sockets.
const TICKS: u32 = 200;

/// Runs with sockets need more than a core beyond so many players.
const MOST_WITH_SOCKETS: u32 = 2_048;

/// Runs the scene.
///
/// # Errors
///
/// If a server does not start or a crowd does not get in.
pub fn run(terms: &Terms) -> anyhow::Result<Value> {
    let mut rows: Vec<(u32, Vec<Stage>, Vec<Run>)> = PUBLISHED.map(|(players, ..)| (players, vec![], vec![])).into();
    for _ in 0..terms.rounds {
        for (players, stages, runs) in &mut rows {
            stages.push(stage::play::<Population>((), *players, TICKS, nothing));
            if *players <= MOST_WITH_SOCKETS {
                runs.push(with_sockets(terms, *players as usize)?);
            }
        }
    }
    let mut table = Table::new(&[
        "players",
        "tick µs, no sockets",
        "bytes a client",
        "µs a frame with sockets",
        "published: tick µs, nobody moves",
        "published: bytes",
    ]);
    for ((players, stages, runs), (_, tick_us, bytes)) in rows.iter().zip(PUBLISHED) {
        let stage = |of: fn(&Stage) -> f64| shown(&stages.iter().map(of).collect::<Vec<_>>(), 0);
        table.row([
            players.to_string(),
            stage(|stage| stage.tick_us()),
            stage(|stage| stage.mean_bytes),
            shown(&runs.iter().map(|run| run.frame_us).collect::<Vec<_>>(), 2),
            tick_us.to_string(),
            bytes.to_string(),
        ]);
    }
    say(&table.text());
    let kept =
        rows.iter().map(|(players, stages, runs)| json!({ "players": players, "stage": stages, "sockets": runs }));
    Ok(Value::Array(kept.collect()))
}

fn with_sockets(terms: &Terms, players: usize) -> anyhow::Result<Run> {
    let host = Host::tiltyard()?;
    let mut plan = plan_of::<Population>(&host, Dialect::Tiltyard, players, nothing);
    plan.input_hz = 0;
    plan.ramp = Duration::from_millis(1) * players as u32;
    measure(&host, &mut Crowd::new(plan)?, terms.steady)
}

/// Players of this scene say nothing.
fn nothing(_: &mut Rng) -> Vec<u8> {
    codec::encode(&())
}
