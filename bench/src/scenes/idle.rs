//! `idle`: what costs nothing when nothing happens: ten thousand entities that do not change, connections that say nothing.

use std::time::Duration;

use serde_json::{Value, json};
use tiltyard_scenes::{Still, still::Config};

use super::{Outcome, PATIENCE, SETTLE, Scene, Terms, silent};
use crate::{
    claim::Claim,
    crowd::{Crowd, Plan, Wish},
    host::Host,
    report::{self, Table, progress, say, spread},
    stage,
};

/// The scene.
pub const SCENE: Scene = Scene {
    name: "idle",
    about: "10,000 entities of which none changes: a tick without sockets; and the memory of connections that say nothing.",
    run,
};

/// Ticks of a run without sockets.
const TICKS: u32 = 20_000;

/// A tick must not take longer, in microseconds.
const TICK_BOUND_US: f64 = 5.0;

/// Connections before memory is measured, and those that it is measured with.
const FIRST: usize = 200;
const MORE: usize = 2_000;

/// A connection must not cost more user space, in KiB.
const MEMORY_BOUND_KIB: f64 = 16.0;

fn run(terms: &Terms) -> anyhow::Result<Outcome> {
    let ticks: Vec<f64> =
        (0..terms.rounds).map(|_| stage::play::<Still>(Config::default(), 0, TICKS, None).step_us).collect();
    let mut table = Table::new(&["what", "figure"]);
    table.row(["a tick of 10,000 unchanged entities, µs".to_owned(), report::shown(&ticks, 2)]);
    let mut claims = vec![Claim::at_most("a tick of 10,000 unchanged entities, µs", spread(&ticks).0, TICK_BOUND_US)];
    let mut memory = Vec::new();
    for (who, wish) in [("a seated player", Wish::Play { room_size: MORE }), ("a visitor of the lobby", Wish::Browse)] {
        let kib = memory_kib(wish)?;
        let what = format!("server memory of {who}, KiB");
        table.row([what.clone(), format!("{kib:.1}")]);
        claims.push(Claim::at_most(what, kib, MEMORY_BOUND_KIB));
        memory.push(json!({ "who": who, "kib": kib }));
        progress(who);
    }
    say(&table.text());
    Ok(Outcome { measured: json!({ "tick_us": ticks, "memory": Value::Array(memory) }), claims })
}

/// How much the server's memory grows with each connection: players of a room in which nothing happens, or visitors.
fn memory_kib(wish: Wish) -> anyhow::Result<f64> {
    let host = Host::tiltyard()?;
    let plan = |clients| Plan { wish, ..silent::<Still>(&host, clients, &Config { stones: 0 }) };
    let mut first = Crowd::new(plan(FIRST))?;
    first.enter(PATIENCE)?;
    let before = host.resident_bytes()?;
    let mut more = Crowd::new(plan(MORE))?;
    more.enter(PATIENCE)?;
    // Both are served in turns, so that nobody falls silent.
    for _ in 0..SETTLE.as_millis() / 20 {
        more.run(Duration::from_millis(10))?;
        first.run(Duration::from_millis(10))?;
    }
    Ok(host.resident_bytes()?.saturating_sub(before) as f64 / MORE as f64 / 1024.0)
}
