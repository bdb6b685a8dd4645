//! `colyseus`: walkers on Colyseus with a view per client and with one state for all, beside ours and the floor.

use serde_json::{Value, json};
use tiltyard_scenes::walkers::Config;

use super::{
    Outcome, Scene, Terms,
    run::{Run, measure, median, shown},
    walkers,
};
use crate::{
    claim::Claim,
    crowd::{Crowd, Dialect},
    host::Host,
    plot::{self, Bar},
    report::{Table, say},
};

/// The scene.
pub const SCENE: Scene = Scene {
    name: "colyseus",
    about: "The walkers on Colyseus, a view per client and one state for all, in the same rounds as ours and the floor.",
    run,
};

/// Players of the published table: with more, Colyseus with views needs more than a core.
const PLAYERS: &[usize] = &[400];

/// What is run in each round, in this order; the floor once more at the end.
const RUNS: [&str; 4] = ["floor", "ours", "views", "broadcast"];

/// Colyseus with views must need so many times more CPU.
const FACTOR: f64 = 4.0;

fn run(terms: &Terms) -> anyhow::Result<Outcome> {
    let (mut rows, mut claims) = (Vec::new(), Vec::new());
    for players in terms.players(PLAYERS) {
        let runs = rounds(terms, players)?;
        let cpu = |place: usize| median(&runs[place], |run| run.frame_us);
        if !runs[2].is_empty() {
            let what = format!("{players} players: times less CPU a frame than Colyseus with views");
            claims.push(Claim::at_least(what, cpu(2) / cpu(1), FACTOR));
        }
        rows.push((players, runs));
    }
    print(&rows);
    terms.results.draw("colyseus", &picture(&rows))?;
    let kept = rows.iter().map(|(players, all)| {
        let runs: Vec<Value> = RUNS.iter().zip(all).map(|(what, runs)| json!({ "run": what, "runs": runs })).collect();
        json!({ "players": players, "measured": runs })
    });
    Ok(Outcome { measured: Value::Array(kept.collect()), claims })
}

fn rounds(terms: &Terms, players: usize) -> anyhow::Result<[Vec<Run>; RUNS.len()]> {
    let config = Config::default();
    let frame_bytes = walkers::frame_bytes(&config, players);
    let mut all: [Vec<Run>; RUNS.len()] = Default::default();
    for _ in 0..terms.rounds {
        for (what, runs) in RUNS.iter().zip(&mut all) {
            runs.extend(match *what {
                "floor" => Some(walkers::floor(terms, players, frame_bytes)?),
                "ours" => Some(walkers::ours(terms, &config, players)?),
                mode => peer(terms, players, mode)?,
            });
        }
    }
    all[0].push(walkers::floor(terms, players, frame_bytes)?);
    Ok(all)
}

fn print(rows: &[(usize, [Vec<Run>; RUNS.len()])]) {
    let mut table =
        Table::new(&["players", "run", "µs a frame", "bytes", "fewest Hz", "p99 ms", "server CPU %", "load CPU %"]);
    for (players, all) in rows {
        for (what, runs) in RUNS.iter().zip(all) {
            table.row([
                players.to_string(),
                (*what).to_owned(),
                shown(runs, |run| run.frame_us, 2),
                shown(runs, |run| run.mean_bytes, 0),
                shown(runs, |run| run.fewest_hz, 1),
                shown(runs, |run| run.p99_ms, 1),
                shown(runs, |run| 100.0 * run.server_cpu, 0),
                shown(runs, |run| 100.0 * run.load_cpu, 0),
            ]);
        }
    }
    say(&table.text());
}

fn picture(rows: &[(usize, [Vec<Run>; RUNS.len()])]) -> String {
    let bar = |(what, runs): (&&str, &Vec<Run>)| {
        let (name, colour) = match *what {
            "floor" => ("floor".to_owned(), plot::FLOOR),
            "ours" => ("ours".to_owned(), plot::OURS),
            mode => (format!("colyseus, {mode}"), plot::PEER),
        };
        Bar { name, value: median(runs, |run| run.frame_us), colour }
    };
    let group = |(players, all): &(usize, [Vec<Run>; RUNS.len()])| {
        let runs = RUNS.iter().zip(all).filter(|(_, runs)| !runs.is_empty());
        (format!("{players} players"), runs.map(bar).collect())
    };
    plot::bars("Server CPU a frame in µs: walkers, 20 Hz", &rows.iter().map(group).collect::<Vec<_>>())
}

fn peer(terms: &Terms, players: usize, mode: &str) -> anyhow::Result<Option<Run>> {
    let Some(host) = Host::colyseus(mode)? else { return Ok(None) };
    let plan = walkers::plan(&host, Dialect::Colyseus, players, &Config::default());
    let run = measure(&host, &mut Crowd::new(plan)?, terms.steady)?;
    walkers::tell(&format!("colyseus, {mode}"), players, &run);
    Ok(Some(run))
}
