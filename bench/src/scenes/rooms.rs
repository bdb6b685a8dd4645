//! `rooms`: the same players in many rooms: what a room costs beside its players, and whether all keep their time.

use serde_json::{Value, json};
use tiltyard_scenes::walkers::{Config, Turn};
use tiltyard_shared::{game::Rng, protocol::codec};

use super::{
    Outcome, REPORT_HZ, Scene, Terms,
    run::{self, Run, measure},
    walkers,
};
use crate::{
    claim::Claim,
    crowd::{Crowd, Dialect, Wish},
    host::Host,
    report::{Table, say},
};

/// The scene.
pub const SCENE: Scene = Scene {
    name: "rooms",
    about: "1,000 rooms of 5 walkers and 20 of 50 on one core; inputs on change, reports ten times a second; everybody sees their whole room.",
    run,
};

/// Players in all, players in each room, and cells along a side of their field.
const ROOMS: [(usize, usize, u8); 2] = [(5_000, 5, 2), (1_000, 50, 4)];

/// A tick is this long, in milliseconds: later than that it would not begin in its own time.
const TICK_MS: f64 = 50.0;

fn run(terms: &Terms) -> anyhow::Result<Outcome> {
    let mut runs: Vec<(usize, usize, Run)> = Vec::new();
    for (players, size, cells) in ROOMS {
        for players in terms.players(&[players]) {
            let (host, rooms) = (Host::tiltyard()?, players.div_ceil(size));
            let mut plan = walkers::plan(&host, Dialect::Tiltyard, players, &Config { depth: cells.into(), cells });
            plan.wish = Wish::Play { room_size: size };
            (plan.input_hz, plan.input) = (REPORT_HZ, turn_on_change);
            let run = measure(&host, &mut Crowd::new(plan)?, terms.short())?;
            walkers::tell(&format!("{rooms} rooms"), players, &run);
            runs.push((rooms, size, run));
        }
    }
    let mut table = Table::new(&[
        "rooms",
        "players in each",
        "µs a frame",
        "bytes a frame",
        "p99 tick late, ms at most",
        "p99 interval ms",
        "ticks moved",
        "mismatches",
        "server CPU %",
        "load CPU %",
    ]);
    let mut claims = Vec::new();
    for (rooms, size, run) in &runs {
        table.row([
            rooms.to_string(),
            size.to_string(),
            format!("{:.2}", run.frame_us),
            format!("{:.0}", run.mean_bytes),
            run.lateness_ms.map_or("-".to_owned(), |late| late.to_string()),
            format!("{:.1}", run.p99_ms),
            format!("{:.0}", run.moved_ticks),
            run::mismatches(std::slice::from_ref(run)),
            format!("{:.0}", 100.0 * run.server_cpu),
            format!("{:.0}", 100.0 * run.load_cpu),
        ]);
        let late = run.lateness_ms.unwrap_or(f64::NAN);
        claims.extend([
            Claim::at_most(format!("{rooms} rooms: p99 tick late, ms"), late, TICK_MS / 2.0),
            Claim::at_most(
                format!("{rooms} rooms: ticks moved, mismatches"),
                run.moved_ticks + run.mismatches as f64,
                0.0,
            ),
        ]);
    }
    say(&table.text());
    let kept = runs.iter().map(|(rooms, size, run)| json!({ "rooms": rooms, "players_each": size, "run": run }));
    Ok(Outcome { measured: Value::Array(kept.collect()), claims })
}

/// A turn if it is one: whoever walks on says nothing but what it has applied, as the SDKs do.
fn turn_on_change(rng: &mut Rng) -> Vec<u8> {
    let turn = Turn::draw(rng);
    if turn == (Turn { by: 0 }) { Vec::new() } else { codec::encode(&turn) }
}
