//! `colyseus`: walkers on Colyseus with a view per client and with one state for all, beside ours and the floor.

use serde_json::{Value, json};

use super::{Run, Terms, measure, walkers};
use crate::{
    crowd::{Crowd, Dialect},
    host::Host,
    report::{Table, say, shown},
};

/// Players of the published table.
const PLAYERS: &[usize] = &[200, 400];

/// What is run in each round, in this order.
const RUNS: [&str; 5] = ["floor", "ours", "views", "broadcast", "floor"];

/// Runs the scene: for each number of players the floor, ours, Colyseus both ways, the floor again.
///
/// # Errors
///
/// If a server does not start or a crowd does not get in.
pub fn run(terms: &Terms) -> anyhow::Result<Value> {
    let players = if terms.players.is_empty() { PLAYERS } else { &terms.players };
    let mut rows: Vec<(usize, [Vec<Run>; RUNS.len()])> =
        players.iter().map(|&players| (players, Default::default())).collect();
    for _ in 0..terms.rounds {
        for (players, runs) in &mut rows {
            let frame_bytes = walkers::frame_bytes(*players);
            for (what, runs) in RUNS.iter().zip(runs) {
                runs.extend(match *what {
                    "floor" => Some(walkers::floor(terms, *players, frame_bytes)?),
                    "ours" => Some(walkers::ours(terms, *players)?),
                    mode => peer(terms, *players, mode)?,
                });
            }
        }
    }
    let mut table =
        Table::new(&["players", "run", "µs a frame", "bytes", "frames Hz", "p99 ms", "server CPU %", "load CPU %"]);
    for (players, all) in &rows {
        for (what, runs) in RUNS.iter().zip(all) {
            let figure = |of: fn(&Run) -> f64, digits| shown(&runs.iter().map(of).collect::<Vec<_>>(), digits);
            table.row([
                players.to_string(),
                (*what).to_owned(),
                figure(|run| run.frame_us, 2),
                figure(|run| run.mean_bytes, 0),
                figure(|run| run.fewest_hz, 1),
                figure(|run| run.p99_ms, 1),
                figure(|run| 100.0 * run.server_cpu, 0),
                figure(|run| 100.0 * run.load_cpu, 0),
            ]);
        }
    }
    say(&table.text());
    let kept = rows.iter().map(|(players, all)| {
        let runs: Vec<Value> = RUNS.iter().zip(all).map(|(what, runs)| json!({ "run": what, "runs": runs })).collect();
        json!({ "players": players, "measured": runs })
    });
    Ok(Value::Array(kept.collect()))
}

fn peer(terms: &Terms, players: usize, mode: &str) -> anyhow::Result<Option<Run>> {
    let Some(host) = Host::colyseus(mode)? else { return Ok(None) };
    let run = measure(&host, &mut Crowd::new(walkers::plan(&host, Dialect::Colyseus, players))?, terms.steady)?;
    say(&format!(
        "  colyseus {mode}, {players} players: {:.2} µs a frame of {:.0} bytes",
        run.frame_us, run.mean_bytes
    ));
    Ok(Some(run))
}
