//! `join`: 2,000 players come within one second into a room in which others play: how long until each has its first frame,
//! and what those inside notice. `memory`: what an idle connection costs in user space.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{PATIENCE, SETTLE, Terms, walkers};
use crate::{
    crowd::{Crowd, Dialect},
    host::Host,
    report::{Table, say},
};

/// Who is inside before.
const INSIDE: usize = 200;

/// Who comes.
const COMING: usize = 2_000;

/// Runs the scene.
///
/// # Errors
///
/// If the server does not start or somebody does not get in.
pub fn run(_terms: &Terms) -> anyhow::Result<Value> {
    let host = Host::tiltyard()?;
    let mut inside = Crowd::new(walkers::plan(&host, Dialect::Tiltyard, INSIDE))?;
    inside.enter(PATIENCE)?;
    inside.run(SETTLE)?;
    inside.begin();
    inside.run(SETTLE)?;
    let quiet = inside.measures();
    inside.begin();
    let before = host.resident_bytes()?;
    let mut plan = walkers::plan(&host, Dialect::Tiltyard, COMING);
    plan.ramp = Duration::from_secs(1);
    let mut coming = Crowd::new(plan)?;
    let start = Instant::now();
    while coming.playing() < COMING {
        anyhow::ensure!(start.elapsed() < PATIENCE, "only {} of {COMING} are in", coming.playing());
        coming.run(Duration::from_millis(2))?;
        inside.run(Duration::from_millis(1))?;
    }
    let all_in = start.elapsed();
    let busy = inside.measures();
    for _ in 0..500 {
        coming.run(Duration::from_millis(2))?;
        inside.run(Duration::from_millis(1))?;
    }
    let mut waits: Vec<f64> = (0..COMING)
        .filter_map(|place| coming.client(place).time_to_frame())
        .map(|time| time.as_secs_f64() * 1000.0)
        .collect();
    waits.sort_unstable_by(f64::total_cmp);
    let at = |part: f64| waits.get((part * (waits.len().max(1) - 1) as f64) as usize).copied().unwrap_or(f64::NAN);
    let memory = host.resident_bytes()?.saturating_sub(before) as f64 / COMING as f64 / 1024.0;
    let mismatches = coming.measures().mismatches + inside.measures().mismatches;
    let mut table = Table::new(&["figure", "value"]);
    for (name, value) in [
        ("all seats given after, ms", format!("{:.0}", all_in.as_secs_f64() * 1000.0)),
        ("first exact state: median, ms", format!("{:.0}", at(0.5))),
        ("first exact state: 99 %, ms", format!("{:.0}", at(0.99))),
        ("p99 interval inside before, ms", format!("{:.1}", quiet.p99_ms())),
        ("p99 interval inside meanwhile, ms", format!("{:.1}", busy.p99_ms())),
        ("mismatches", mismatches.to_string()),
        ("server memory a player, KiB", format!("{memory:.1}")),
    ] {
        table.row([name.to_owned(), value]);
    }
    say(&table.text());
    Ok(json!({
        "inside": INSIDE, "coming": COMING, "all_in_ms": all_in.as_secs_f64() * 1000.0,
        "first_frame_ms": { "median": at(0.5), "p99": at(0.99) },
        "inside_p99_ms": { "before": quiet.p99_ms(), "meanwhile": busy.p99_ms() },
        "mismatches": mismatches, "memory_kib": memory,
    }))
}
