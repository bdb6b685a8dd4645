//! `stall`: 128 players, one of whom stalls for 12 s: it reads nothing, or reads and applies nothing. How many bytes it
//! got meanwhile, and how soon afterwards a hash proves that it holds what the server has.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{PATIENCE, SETTLE, Terms, walkers};
use crate::{
    crowd::{Crowd, Dialect, Reading},
    host::Host,
    report::{Table, say},
};

/// Seats.
const PLAYERS: usize = 128;

/// How long one of them stalls.
const STALL: Duration = Duration::from_secs(12);

/// Longest wait for the exact state.
const RECOVERY: Duration = Duration::from_secs(5);

/// Runs the scene.
///
/// # Errors
///
/// If the server does not start, somebody does not get in, or the stalled one never recovers.
pub fn run(_terms: &Terms) -> anyhow::Result<Value> {
    let mut table = Table::new(&[
        "it",
        "bytes while stalled",
        "bytes until exact",
        "exact after ms",
        "others' p99 ms",
        "mismatches",
    ]);
    let mut kept = Vec::new();
    for (name, reading) in [("does not read", Reading::Nothing), ("applies nothing", Reading::Unapplied)] {
        let host = Host::tiltyard()?;
        let mut crowd = Crowd::new(walkers::plan(&host, Dialect::Tiltyard, PLAYERS))?;
        crowd.enter(PATIENCE)?;
        crowd.run(SETTLE)?;
        crowd.begin();
        // Client 0 verifies every frame.
        crowd.set_reading(0, reading);
        crowd.run(STALL)?;
        let stalled_bytes = crowd.client(0).bytes();
        let others = crowd.measures();
        let released = Instant::now();
        crowd.set_reading(0, Reading::All);
        let mut exact = None;
        while exact.is_none() && released.elapsed() < RECOVERY {
            crowd.run(Duration::from_millis(5))?;
            // What was kept unread proves old states; the first frame that was sent after the release proves the new one.
            exact = crowd.client(0).exact().filter(|(at, _)| at.duration_since(released) > Duration::from_millis(10));
        }
        let (at, frame_bytes) = exact.ok_or_else(|| anyhow::anyhow!("the stalled player never recovered"))?;
        let after_ms = at.duration_since(released).as_secs_f64() * 1000.0;
        let mismatches = crowd.measures().mismatches;
        table.row([
            name.to_owned(),
            stalled_bytes.to_string(),
            frame_bytes.to_string(),
            format!("{after_ms:.0}"),
            format!("{:.1}", others.p99_ms()),
            mismatches.to_string(),
        ]);
        kept.push(json!({
            "stall": name, "bytes_stalled": stalled_bytes, "bytes_exact": frame_bytes, "exact_after_ms": after_ms,
            "others_p99_ms": others.p99_ms(), "mismatches": mismatches,
        }));
    }
    say(&table.text());
    Ok(Value::Array(kept))
}
