//! `walkers`: one room in which everybody walks, beside the floor of the same round.

use serde_json::{Value, json};
use tiltyard_scenes::{Walkers, walkers::Turn};
use tiltyard_shared::{game::Rng, protocol::codec};

use super::{HZ, Run, Terms, measure, plan_of};
use crate::{
    crowd::{Crowd, Dialect, Plan},
    host::Host,
    plot::{self, Line},
    report::{Table, say, shown, spread},
    stage,
};

/// Players of the published table.
const PLAYERS: &[usize] = &[500, 1_000, 2_000, 4_000, 5_000];

/// Runs of one number of players.
#[derive(Debug, Default)]
struct Column {
    floor: Vec<Run>,
    ours: Vec<Run>,
}

/// Runs the scene: for each number of players the floor, ours, the floor again.
///
/// # Errors
///
/// If a server does not start or a crowd does not get in.
pub fn run(terms: &Terms) -> anyhow::Result<Value> {
    let players = if terms.players.is_empty() { PLAYERS } else { &terms.players };
    let mut columns: Vec<(usize, Column)> = players.iter().map(|&players| (players, Column::default())).collect();
    for _ in 0..terms.rounds {
        for (players, column) in &mut columns {
            if terms.ours_only {
                column.ours.push(ours(terms, *players)?);
                continue;
            }
            let frame_bytes = frame_bytes(*players);
            column.floor.push(floor(terms, *players, frame_bytes)?);
            column.ours.push(ours(terms, *players)?);
            column.floor.push(floor(terms, *players, frame_bytes)?);
        }
    }
    let mut table = Table::new(&[
        "players",
        "floor µs",
        "ours µs",
        "user µs",
        "ratio",
        "bytes",
        "floor bytes",
        "p99 ms",
        "fewest Hz",
        "holds",
        "moved",
        "mismatches",
        "server CPU %",
        "load CPU %",
        "limit",
    ]);
    for (players, column) in &columns {
        table.row(cells(*players, column));
    }
    say(&table.text());
    terms.results.draw("walkers", &picture(&columns))?;
    let rows = columns
        .iter()
        .map(|(players, column)| json!({ "players": players, "floor": column.floor, "ours": column.ours }));
    Ok(Value::Array(rows.collect()))
}

fn picture(columns: &[(usize, Column)]) -> String {
    let line = |name, colour, runs: fn(&Column) -> &Vec<Run>| {
        let median = |column| spread(&runs(column).iter().map(|run| run.frame_us).collect::<Vec<_>>()).0;
        let points = columns.iter().filter(|(_, column)| !runs(column).is_empty());
        Line { name, colour, points: points.map(|(players, column)| (*players as f64, median(column))).collect() }
    };
    let lines = [line("ours", "#0a62c4", |column| &column.ours), line("floor", "#777777", |column| &column.floor)];
    plot::lines("Server CPU a frame in µs: one room, 20 Hz, one core", "players", &lines)
}

fn cells(players: usize, column: &Column) -> Vec<String> {
    let of = |runs: &[Run], figure: fn(&Run) -> f64| runs.iter().map(figure).collect::<Vec<_>>();
    let floors: Vec<f64> =
        of(&column.floor, |run| run.frame_us).chunks(2).map(|two| two.iter().sum::<f64>() / two.len() as f64).collect();
    let ratios: Vec<f64> = column.ours.iter().zip(&floors).map(|(ours, floor)| ours.frame_us / floor).collect();
    let ours = |figure: fn(&Run) -> f64, digits| shown(&of(&column.ours, figure), digits);
    vec![
        players.to_string(),
        shown(&of(&column.floor, |run| run.frame_us), 2),
        ours(|run| run.frame_us, 2),
        ours(|run| run.user_us, 2),
        shown(&ratios, 2),
        ours(|run| run.mean_bytes, 0),
        shown(&of(&column.floor, |run| run.mean_bytes), 0),
        ours(|run| run.p99_ms, 1),
        ours(|run| run.fewest_hz, 2),
        ours(|run| run.holds, 0),
        ours(|run| run.moved_ticks, 0),
        format!(
            "{} of {}",
            column.ours.iter().map(|run| run.mismatches).sum::<u64>(),
            column.ours.iter().map(|run| run.verified).sum::<u64>()
        ),
        ours(|run| 100.0 * run.server_cpu, 0),
        ours(|run| 100.0 * run.load_cpu, 0),
        column.ours.last().map_or("-", |run| run.limit).to_owned(),
    ]
}

/// The mean size of our frames with so many players, WebSocket header included.
pub fn frame_bytes(players: usize) -> usize {
    stage::play::<Walkers>((), players as u32, 100, turn).mean_bytes as usize + 4
}

/// What the crowd does in this scene.
pub fn plan(host: &Host, dialect: Dialect, clients: usize) -> Plan {
    plan_of::<Walkers>(host, dialect, clients, turn)
}

/// The floor with frames of so many bytes.
///
/// # Errors
///
/// As [`run`].
pub fn floor(terms: &Terms, players: usize, frame_bytes: usize) -> anyhow::Result<Run> {
    let host = Host::floor(frame_bytes, HZ)?;
    let run = measure(&host, &mut Crowd::new(plan(&host, Dialect::Floor, players))?, terms.steady)?;
    say(&format!(
        "  floor, {players} players: {:.2} µs a frame of {frame_bytes} bytes, load {:.0} %",
        run.frame_us,
        100.0 * run.load_cpu
    ));
    Ok(run)
}

/// Our server.
///
/// # Errors
///
/// As [`run`].
pub fn ours(terms: &Terms, players: usize) -> anyhow::Result<Run> {
    let host = Host::tiltyard()?;
    let run = measure(&host, &mut Crowd::new(plan(&host, Dialect::Tiltyard, players))?, terms.steady)?;
    say(&format!(
        "  ours, {players} players: {:.2} µs a frame of {:.0} bytes, load {:.0} %",
        run.frame_us,
        run.mean_bytes,
        100.0 * run.load_cpu
    ));
    Ok(run)
}

/// The bytes of one more input.
pub(super) fn turn(rng: &mut Rng) -> Vec<u8> {
    codec::encode(&Turn::draw(rng))
}
