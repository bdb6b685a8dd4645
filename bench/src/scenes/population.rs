//! `population`: the published scene of another project (Plaza, gow_3d population), with everybody walking, without sockets and
//! with them, in views of 7 x 7 cells as published and of 5 x 5.
//!
//! Its figures are those of its authors: of another machine (unnamed), of a crowd in which nobody moves, and of the full state
//! each tick. They stand beside ours so that the order of magnitude can be seen, not to be divided by them.

use serde_json::{Value, json};
use tiltyard_scenes::{Population, population::Config};

use super::{
    Outcome, Scene, Terms,
    run::{self, Run, measure, shown},
    silent,
};
use crate::{
    claim::Claim,
    crowd::Crowd,
    host::Host,
    report::{self, Table, say, spread},
    stage::{self, Stage},
};

/// The scene.
pub const SCENE: Scene = Scene {
    name: "population",
    about: "Plaza's published crowd on a disc at 30 Hz, but everybody walks 7 units a second to places near by. \
            Who sees nobody turn, stop or come gets no frame.",
    run,
};

/// Players, and what is published for them: microseconds a tick without sockets, bytes a client.
const PUBLISHED: [(u32, f64, f64); 4] =
    [(64, 110.0, 630.0), (256, 361.0, 845.0), (1_024, 1_115.0, 958.0), (4_096, 4_731.0, 1_014.0)];

/// Views: cells to each side, and how they are called.
const VIEWS: [(u32, &str); 2] = [(3, "7 x 7"), (2, "5 x 5")];

/// Ticks of a run without sockets.
const TICKS: u32 = 200;

/// Players of a run with sockets, which at 30 Hz is what one core of both sides can do.
const WITH_SOCKETS: usize = 2_048;

/// Bounds of 4,096 players in views as published: microseconds a tick without sockets, bytes a client.
const BOUNDS: (f64, f64) = (2_400.0, 300.0);

/// What was found in one kind of view.
#[derive(Debug)]
struct Column {
    view: &'static str,
    /// By the place in [`PUBLISHED`].
    stages: Vec<Vec<Stage>>,
    runs: Vec<Run>,
}

fn run(terms: &Terms) -> anyhow::Result<Outcome> {
    let new = |(_, view)| Column { view, stages: vec![Vec::new(); PUBLISHED.len()], runs: Vec::new() };
    let mut columns: Vec<Column> = VIEWS.map(new).into();
    for _ in 0..terms.rounds {
        for (column, (depth, _)) in columns.iter_mut().zip(VIEWS) {
            for (stages, (players, ..)) in column.stages.iter_mut().zip(PUBLISHED) {
                stages.push(stage::play::<Population>(Config { depth }, players, TICKS, None));
            }
        }
    }
    for (column, (depth, _)) in columns.iter_mut().zip(VIEWS) {
        column.runs.push(with_sockets(terms, depth)?);
    }
    print(&columns);
    let largest = columns[0].stages.last().map(Vec::as_slice).unwrap_or_default();
    let median = |figure: fn(&Stage) -> f64| spread(&largest.iter().map(figure).collect::<Vec<_>>()).0;
    let claims = vec![
        Claim::at_most("4,096 walking, 7 x 7, no sockets: µs a tick", median(Stage::tick_us), BOUNDS.0),
        Claim::at_most("4,096 walking, 7 x 7: bytes a client", median(|stage| stage.mean_bytes), BOUNDS.1),
        Claim::at_most(
            "mismatches with sockets",
            columns.iter().flat_map(|column| &column.runs).map(|run| run.mismatches as f64).sum(),
            0.0,
        ),
    ];
    let kept =
        columns.iter().map(|column| json!({ "view": column.view, "stages": column.stages, "sockets": column.runs }));
    Ok(Outcome { measured: Value::Array(kept.collect()), claims })
}

fn print(columns: &[Column]) {
    let mut stages = Table::new(&[
        "players",
        "view",
        "a tick µs, no sockets",
        "bytes a client",
        "published, nobody moves: a tick µs",
        "bytes a client",
    ]);
    let mut sockets = Table::new(&[
        "players",
        "view",
        "µs a frame with sockets",
        "bytes",
        "fewest Hz of 30",
        "p99 interval ms",
        "mismatches",
        "server CPU %",
        "load CPU %",
    ]);
    for column in columns {
        for (runs, (players, tick_us, bytes)) in column.stages.iter().zip(PUBLISHED) {
            let figure = |of: fn(&Stage) -> f64| report::shown(&runs.iter().map(of).collect::<Vec<_>>(), 0);
            let published = |figure: f64| if column.view == VIEWS[0].1 { figure.to_string() } else { "-".to_owned() };
            stages.row([
                players.to_string(),
                column.view.to_owned(),
                figure(Stage::tick_us),
                figure(|stage| stage.mean_bytes),
                published(tick_us),
                published(bytes),
            ]);
        }
        sockets.row([
            WITH_SOCKETS.to_string(),
            column.view.to_owned(),
            shown(&column.runs, |run| run.frame_us, 2),
            shown(&column.runs, |run| run.mean_bytes, 0),
            shown(&column.runs, |run| run.fewest_hz, 2),
            shown(&column.runs, |run| run.p99_ms, 1),
            run::mismatches(&column.runs),
            shown(&column.runs, |run| 100.0 * run.server_cpu, 0),
            shown(&column.runs, |run| 100.0 * run.load_cpu, 0),
        ]);
    }
    say(&format!("{}\n\n{}", stages.text(), sockets.text()));
}

fn with_sockets(terms: &Terms, depth: u32) -> anyhow::Result<Run> {
    let host = Host::tiltyard()?;
    let plan = silent::<Population>(&host, WITH_SOCKETS, &Config { depth });
    let run = measure(&host, &mut Crowd::new(plan)?, terms.short())?;
    report::progress(&format!(
        "with sockets, depth {depth}: {:.2} µs a frame of {:.0} bytes",
        run.frame_us, run.mean_bytes
    ));
    Ok(run)
}
