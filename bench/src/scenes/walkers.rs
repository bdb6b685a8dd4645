//! `walkers`: one room in which everybody walks, beside the floor of the same round. `wide`: the same with views of 5 x 5.

use serde_json::{Value, json};
use tiltyard_scenes::{
    Walkers,
    walkers::{Config, Turn},
};
use tiltyard_shared::{game::Rng, protocol::codec};

use super::{
    HZ, Outcome, Scene, Terms, plan_of,
    run::{self, Run, figures, measure, median, shown},
};
use crate::{
    claim::Claim,
    crowd::{Crowd, Dialect, Plan},
    host::Host,
    plot::{self, Line},
    report::{self, Table, say, spread},
    stage,
};

/// Views of 3 x 3 cells.
pub const SCENE: Scene = Scene {
    name: "walkers",
    about: "One room of 2,048 x 2,048 units at 20 Hz, everybody walks and sends 20 inputs a second, 3 x 3 cells of 128 are seen.",
    run: |terms| compare(terms, "walkers", &Config { depth: 1, cells: 16 }, &[500, 1_000, 2_000, 4_000, 5_000]),
};

/// Views of 5 x 5 cells.
pub const WIDE: Scene = Scene {
    name: "wide",
    about: "As walkers, but 5 x 5 cells are seen.",
    run: |terms| compare(terms, "wide", &Config { depth: 2, cells: 16 }, &[1_000, 4_000]),
};

/// Ticks without sockets that tell how large frames are.
const TICKS: u32 = 100;

/// Runs with one number of players: one more of the floor than of ours, which stand between them.
#[derive(Debug, Default)]
struct Column {
    players: usize,
    floor: Vec<Run>,
    ours: Vec<Run>,
}

impl Column {
    /// Ours by the floor of the same round: the mean of the runs before and after.
    fn ratios(&self) -> Vec<f64> {
        let floors = figures(&self.floor, |run| run.frame_us);
        let floors = floors.windows(2).map(|two| (two[0] + two[1]) / 2.0);
        self.ours.iter().zip(floors).map(|(ours, floor)| ours.frame_us / floor).collect()
    }
}

fn compare(terms: &Terms, name: &'static str, config: &Config, own: &[usize]) -> anyhow::Result<Outcome> {
    let mut columns = Vec::new();
    for players in terms.players(own) {
        columns.push(column(terms, config, players)?);
    }
    print(&columns);
    terms.results.draw(name, &picture(&columns))?;
    let rows =
        columns.iter().map(|column| json!({ "players": column.players, "floor": column.floor, "ours": column.ours }));
    Ok(Outcome { measured: Value::Array(rows.collect()), claims: claims(&columns) })
}

/// The floor, ours, the floor, ours, … the floor.
fn column(terms: &Terms, config: &Config, players: usize) -> anyhow::Result<Column> {
    let mut column = Column { players, ..Column::default() };
    let bytes = frame_bytes(config, players);
    if !terms.ours_only {
        column.floor.push(floor(terms, players, bytes)?);
    }
    for _ in 0..terms.rounds {
        column.ours.push(ours(terms, config, players)?);
        if !terms.ours_only {
            column.floor.push(floor(terms, players, bytes)?);
        }
    }
    Ok(column)
}

fn print(columns: &[Column]) {
    let mut cost =
        Table::new(&["players", "floor µs a frame", "ours", "of it user space", "ratio", "bytes a frame", "limit"]);
    let mut play = Table::new(&[
        "players",
        "p99 interval ms",
        "fewest Hz",
        "throttled",
        "ticks moved",
        "mismatches",
        "server CPU %",
        "load CPU %",
    ]);
    for column in columns {
        let Column { players, floor, ours } = column;
        cost.row([
            players.to_string(),
            shown(floor, |run| run.frame_us, 2),
            shown(ours, |run| run.frame_us, 2),
            shown(ours, |run| run.user_us, 2),
            report::shown(&column.ratios(), 2),
            shown(ours, |run| run.mean_bytes, 0),
            ours.last().map_or("-", |run| run.limit).to_owned(),
        ]);
        play.row([
            players.to_string(),
            shown(ours, |run| run.p99_ms, 1),
            shown(ours, |run| run.fewest_hz, 2),
            shown(ours, |run| run.throttles, 0),
            shown(ours, |run| run.moved_ticks, 0),
            run::mismatches(ours),
            shown(ours, |run| 100.0 * run.server_cpu, 0),
            shown(ours, |run| 100.0 * run.load_cpu, 0),
        ]);
    }
    say(&format!("{}\n\n{}", cost.text(), play.text()));
}

fn claims(columns: &[Column]) -> Vec<Claim> {
    let mut claims = Vec::new();
    for column in columns {
        let Column { players, ours, .. } = column;
        let worst = |figure: fn(&Run) -> f64| figures(ours, figure).into_iter().fold(0.0, f64::max);
        if !column.floor.is_empty() {
            claims.push(Claim::at_most(
                format!("{players} players: ours by the floor"),
                spread(&column.ratios()).0,
                1.5,
            ));
        }
        let fewest = figures(ours, |run| run.fewest_hz).into_iter().fold(f64::INFINITY, f64::min);
        claims.extend([
            Claim::at_least(format!("{players} players: frames a second of the slowest client"), fewest, 19.8),
            Claim::at_most(format!("{players} players: p99 interval, ms"), worst(|run| run.p99_ms), 75.0),
            Claim::at_most(
                format!("{players} players: throttled, ticks moved, mismatches, lost"),
                worst(|run| run.throttles + run.moved_ticks + (run.mismatches + run.lost) as f64),
                0.0,
            ),
        ]);
    }
    let at = |wanted: usize| columns.iter().find(|column| column.players == wanted);
    if let (Some(few), Some(many)) = (at(500), at(4_000)) {
        let growth = median(&many.ours, |run| run.frame_us) / median(&few.ours, |run| run.frame_us);
        claims.push(Claim::at_most("CPU a frame at 4,000 players by that at 500", growth, 1.3));
    }
    claims
}

fn picture(columns: &[Column]) -> String {
    let line = |name, colour, runs: fn(&Column) -> &Vec<Run>| {
        let points = columns.iter().filter(|column| !runs(column).is_empty());
        let point = |column: &Column| (column.players as f64, median(runs(column), |run| run.frame_us));
        Line { name, colour, points: points.map(point).collect() }
    };
    let lines = [line("ours", plot::OURS, |column| &column.ours), line("floor", plot::FLOOR, |column| &column.floor)];
    plot::lines("Server CPU a frame in µs: one room, 20 Hz, one core", "players", &lines)
}

/// The mean size of our frames with so many players, WebSocket header included.
pub(super) fn frame_bytes(config: &Config, players: usize) -> usize {
    stage::play::<Walkers>(config.clone(), players as u32, TICKS, Some(turn)).mean_bytes as usize + 4
}

/// What the crowd does in this scene.
pub(super) fn plan(host: &Host, dialect: Dialect, clients: usize, config: &Config) -> Plan {
    plan_of::<Walkers>(host, dialect, clients, config, turn)
}

/// The floor with frames of so many bytes.
pub(super) fn floor(terms: &Terms, players: usize, frame_bytes: usize) -> anyhow::Result<Run> {
    let host = Host::floor(frame_bytes, HZ)?;
    let plan = plan(&host, Dialect::Floor, players, &Config::default());
    let run = measure(&host, &mut Crowd::new(plan)?, terms.steady)?;
    tell("floor", players, &run);
    Ok(run)
}

/// Our server.
pub(super) fn ours(terms: &Terms, config: &Config, players: usize) -> anyhow::Result<Run> {
    let host = Host::tiltyard()?;
    let plan = plan(&host, Dialect::Tiltyard, players, config);
    let run = measure(&host, &mut Crowd::new(plan)?, terms.steady)?;
    tell("ours", players, &run);
    Ok(run)
}

/// One line about a run that has ended.
pub(super) fn tell(name: &str, players: usize, run: &Run) {
    report::progress(&format!(
        "{name}, {players} players: {:.2} µs a frame of {:.0} bytes, server {:.0} %, load {:.0} %",
        run.frame_us,
        run.mean_bytes,
        100.0 * run.server_cpu,
        100.0 * run.load_cpu
    ));
}

/// The bytes of one more input.
fn turn(rng: &mut Rng) -> Vec<u8> {
    codec::encode(&Turn::draw(rng))
}
