//! `join`: 2,000 players come within one second into a room in which others play: how long until each has its first frame,
//! and what those inside notice.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;
use serde_json::json;
use tiltyard_scenes::walkers::Config;

use super::{Outcome, PATIENCE, SETTLE, Scene, Terms, walkers};
use crate::{
    claim::Claim,
    crowd::{Crowd, Dialect, Plan, Wish},
    host::Host,
    report::{Table, say},
};

/// The scene.
pub const SCENE: Scene =
    Scene { name: "join", about: "2,000 players come within one second into a room in which 200 walk.", run };

/// Who is inside before.
const INSIDE: usize = 200;

/// Who comes.
const COMING: usize = 2_000;

/// Longest interval of those inside meanwhile, 99 of 100, in milliseconds.
const INSIDE_BOUND_MS: f64 = 75.0;

/// What was found.
#[derive(Clone, Copy, Debug, Serialize)]
struct Found {
    all_in_ms: f64,
    first_frame_median_ms: f64,
    first_frame_p99_ms: f64,
    inside_p99_before_ms: f64,
    inside_p99_meanwhile_ms: f64,
    memory_kib: f64,
    mismatches: u64,
}

fn run(_terms: &Terms) -> anyhow::Result<Outcome> {
    let found = rush()?;
    let mut table = Table::new(&["figure", "value"]);
    for (name, value) in [
        ("all seats given after, ms", format!("{:.0}", found.all_in_ms)),
        ("from connecting to the first exact state: median, ms", format!("{:.0}", found.first_frame_median_ms)),
        ("99 of 100, ms", format!("{:.0}", found.first_frame_p99_ms)),
        ("p99 interval inside before, ms", format!("{:.1}", found.inside_p99_before_ms)),
        ("p99 interval inside meanwhile, ms", format!("{:.1}", found.inside_p99_meanwhile_ms)),
        ("server memory a player, KiB", format!("{:.1}", found.memory_kib)),
        ("mismatches", found.mismatches.to_string()),
    ] {
        table.row([name.to_owned(), value]);
    }
    say(&table.text());
    let claims = vec![
        Claim::at_most("p99 interval inside while 2,000 come, ms", found.inside_p99_meanwhile_ms, INSIDE_BOUND_MS),
        Claim::at_most("mismatches", found.mismatches as f64, 0.0),
    ];
    Ok(Outcome { measured: json!({ "inside": INSIDE, "coming": COMING, "found": found }), claims })
}

fn rush() -> anyhow::Result<Found> {
    let host = Host::tiltyard()?;
    let plan = |clients| walkers::plan(&host, Dialect::Tiltyard, clients, &Config::default());
    let mut inside = Crowd::new(plan(INSIDE))?;
    inside.enter(PATIENCE)?;
    inside.run(SETTLE)?;
    inside.begin();
    inside.run(SETTLE)?;
    let before_ms = inside.measures().p99_ms();
    inside.begin();
    let before = host.resident_bytes()?;
    let mut coming = Crowd::new(Plan { wish: Wish::Join, ramp: Duration::from_secs(1), ..plan(COMING) })?;
    let start = Instant::now();
    while coming.playing() < COMING {
        anyhow::ensure!(start.elapsed() < PATIENCE, "only {} of {COMING} are in", coming.playing());
        both(&mut coming, &mut inside)?;
    }
    let (all_in, meanwhile_ms) = (start.elapsed(), inside.measures().p99_ms());
    while start.elapsed() < all_in + SETTLE {
        both(&mut coming, &mut inside)?;
    }
    let mut waits = Histogram::<u32>::new(3)?;
    for wait in (0..COMING).filter_map(|place| coming.client(place).time_to_frame()) {
        waits.record(wait.as_micros() as u64)?;
    }
    let wait_ms = |part| waits.value_at_quantile(part) as f64 / 1000.0;
    Ok(Found {
        all_in_ms: all_in.as_secs_f64() * 1000.0,
        first_frame_median_ms: wait_ms(0.5),
        first_frame_p99_ms: wait_ms(0.99),
        inside_p99_before_ms: before_ms,
        inside_p99_meanwhile_ms: meanwhile_ms,
        memory_kib: host.resident_bytes()?.saturating_sub(before) as f64 / COMING as f64 / 1024.0,
        mismatches: coming.measures().mismatches + inside.measures().mismatches,
    })
}

/// Both crowds play, in turns.
fn both(coming: &mut Crowd, inside: &mut Crowd) -> anyhow::Result<()> {
    coming.run(Duration::from_millis(2))?;
    inside.run(Duration::from_millis(1))?;
    Ok(())
}
