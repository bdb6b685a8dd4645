//! `stall`: 128 players who all see one another; one stalls for 12 s: it reads nothing, or reads and applies nothing. What it
//! got meanwhile, and by how many frames of how many bytes it then holds what the server has, proved by a hash.
//!
//! Afterwards it forgets everything and asks to be told anew: that is the new epoch, and its frame is the snapshot of the view
//! with which the bytes of the catch-up are compared.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tiltyard_scenes::walkers::Config;

use super::{Outcome, PATIENCE, SETTLE, Scene, Terms, walkers};
use crate::{
    claim::Claim,
    crowd::{Crowd, Dialect, Reading, Recovery},
    host::Host,
    report::{Table, progress, say},
};

/// The scene.
pub const SCENE: Scene = Scene {
    name: "stall",
    about: "128 players see one another, one stalls for 12 s: how many frames and bytes until its state is exact again.",
    run,
};

/// Seats.
const PLAYERS: usize = 128;

/// So many cells to each side are the whole field.
const EVERYTHING: Config = Config { depth: 16, cells: 16 };

/// How long one of them stalls.
const STALL: Duration = Duration::from_secs(12);

/// Longest wait for the exact state.
const RECOVERY: Duration = Duration::from_secs(5);

/// Who stalls: it verifies every frame.
const STALLED: usize = 0;

/// Another who verifies every frame, and so knows the newest tick.
const WITNESS: usize = super::VERIFY_EVERY;

/// One way to stall.
#[derive(Debug)]
struct Case {
    name: &'static str,
    bytes_stalled: u64,
    release: Recovery,
    after_ms: f64,
    epoch: Recovery,
    others_p99_ms: f64,
    mismatches: u64,
}

fn run(_terms: &Terms) -> anyhow::Result<Outcome> {
    let mut cases = Vec::new();
    for (name, reading) in [("reads nothing", Reading::Nothing), ("applies nothing", Reading::Unapplied)] {
        cases.push(stall(name, reading)?);
        progress(name);
    }
    print(&cases);
    let claims = cases.iter().flat_map(claims).collect();
    let kept = cases.iter().map(|case| {
        json!({
            "stall": case.name, "bytes_stalled": case.bytes_stalled, "exact_after_ms": case.after_ms,
            "release": { "frames": case.release.frames, "bytes": case.release.bytes },
            "new_epoch": { "frames": case.epoch.frames, "bytes": case.epoch.bytes },
            "others_p99_ms": case.others_p99_ms, "mismatches": case.mismatches,
        })
    });
    Ok(Outcome { measured: Value::Array(kept.collect()), claims })
}

fn stall(name: &'static str, reading: Reading) -> anyhow::Result<Case> {
    let host = Host::tiltyard()?;
    let mut crowd = Crowd::new(walkers::plan(&host, Dialect::Tiltyard, PLAYERS, &EVERYTHING))?;
    crowd.enter(PATIENCE)?;
    crowd.run(SETTLE)?;
    crowd.begin();
    crowd.set_reading(STALLED, reading);
    crowd.run(STALL)?;
    let (bytes_stalled, others_p99_ms) = (crowd.client(STALLED).bytes(), crowd.measures().p99_ms());
    let released = Instant::now();
    let newest = crowd.client(WITNESS).applied();
    crowd.watch_recovery(STALLED, newest);
    crowd.set_reading(STALLED, Reading::All);
    let (release, exact) = recovery(&mut crowd)?;
    let after_ms = exact.duration_since(released).as_secs_f64() * 1000.0;
    crowd.run(SETTLE)?;
    let applied = crowd.client(STALLED).applied();
    crowd.watch_recovery(STALLED, applied);
    crowd.forget(STALLED);
    let (epoch, _) = recovery(&mut crowd)?;
    let mismatches = crowd.measures().mismatches;
    Ok(Case { name, bytes_stalled, release, after_ms, epoch, others_p99_ms, mismatches })
}

/// Plays until the stalled player is exact.
fn recovery(crowd: &mut Crowd) -> anyhow::Result<(Recovery, Instant)> {
    let start = Instant::now();
    loop {
        crowd.run(Duration::from_millis(5))?;
        let recovery = crowd.client(STALLED).recovery();
        if let Some(exact) = recovery.exact {
            return Ok((recovery, exact));
        }
        anyhow::ensure!(start.elapsed() < RECOVERY, "the stalled player never recovered");
    }
}

fn claims(case: &Case) -> [Claim; 4] {
    let Case { name, release, epoch, .. } = case;
    [
        Claim::at_most(format!("{name}: frames from the release to the exact state"), f64::from(release.frames), 2.0),
        Claim::at_most(format!("{name}: frames of a new epoch to the exact state"), f64::from(epoch.frames), 2.0),
        Claim::at_most(
            format!("{name}: bytes of the catch-up by those of a snapshot"),
            release.bytes as f64 / epoch.bytes.max(1) as f64,
            1.1,
        ),
        Claim::at_most(format!("{name}: mismatches"), case.mismatches as f64, 0.0),
    ]
}

fn print(cases: &[Case]) {
    let mut table = Table::new(&[
        "it",
        "bytes read while stalled",
        "exact after frames",
        "bytes",
        "ms",
        "a snapshot's bytes",
        "others' p99 interval ms",
        "mismatches",
    ]);
    for case in cases {
        table.row([
            case.name.to_owned(),
            case.bytes_stalled.to_string(),
            case.release.frames.to_string(),
            case.release.bytes.to_string(),
            format!("{:.0}", case.after_ms),
            case.epoch.bytes.to_string(),
            format!("{:.1}", case.others_p99_ms),
            case.mismatches.to_string(),
        ]);
    }
    say(&table.text());
}
