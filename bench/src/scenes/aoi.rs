//! `aoi`: the scenes that Colyseus publishes of its schema encoder, in both, without sockets, in the same run.
//!
//! Colyseus' half is `bench/colyseus/aoi.mjs`. Its fields are declared once as its documentation does and once with the sizes
//! of ours, which is less than it publishes. What is compared is the whole tick: change tracking happens in its setters, but
//! in our commit.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tiltyard_scenes::{Aoi, aoi::Config};

use super::{Outcome, Scene, Terms};
use crate::{
    claim::Claim,
    host::Host,
    plot::{self, Bar},
    report::{self, Table, say, spread},
    stage,
};

/// The scene.
pub const SCENE: Scene = Scene {
    name: "aoi",
    about: "3,000 x 3,000 units, 10 x 10 cells, 3 x 3 seen; x, y and rotation of everything change in every tick. No sockets.",
    run,
};

/// Things, clients, ticks, and how many times faster than the peer we must be.
const SIZES: [(u32, u32, u32, f64); 2] = [(2_000, 50, 200, 5.0), (10_000, 200, 60, 10.0)];

/// How Colyseus' fields are declared: as documented, and as small as ours.
const PEERS: [&str; 2] = ["number", "packed"];

/// Our bytes by the peer's must not be more.
const BYTES_BOUND: f64 = 0.25;

/// What a tick costs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Tick {
    /// Rules and change tracking, in microseconds.
    step_us: f64,
    /// The frames of all clients, in microseconds.
    encode_us: f64,
    /// Bytes of all clients together.
    bytes: f64,
}

/// The ticks of one implementation, one a round.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    ticks: Vec<Tick>,
}

impl Row {
    fn figures(&self, figure: fn(&Tick) -> f64) -> Vec<f64> {
        self.ticks.iter().map(figure).collect()
    }

    fn median(&self, figure: fn(&Tick) -> f64) -> f64 {
        spread(&self.figures(figure)).0
    }
}

fn run(terms: &Terms) -> anyhow::Result<Outcome> {
    let (mut kept, mut claims, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for (things, clients, ticks, faster) in SIZES {
        let rows = rows(terms, things, clients, ticks)?;
        print(&format!("{things} things, {clients} clients"), clients, &rows);
        if let [ours, peer, ..] = rows.as_slice() {
            let (time, bytes) = (Row::median, |row: &Row| row.median(|tick| tick.bytes));
            let whole = |row| time(row, |tick| tick.step_us + tick.encode_us);
            claims.extend([
                Claim::at_least(
                    format!("{things} things: times faster than {}", peer.name),
                    whole(peer) / whole(ours),
                    faster,
                ),
                Claim::at_most(
                    format!("{things} things: bytes by those of {}", peer.name),
                    bytes(ours) / bytes(peer),
                    BYTES_BOUND,
                ),
            ]);
        }
        let bar = |row: &Row| Bar {
            name: row.name.clone(),
            value: row.median(|tick| tick.step_us + tick.encode_us),
            colour: if row.name == "ours" { plot::OURS } else { plot::PEER },
        };
        groups.push((format!("{things} things, {clients} clients"), rows.iter().map(bar).collect()));
        kept.push(json!({ "things": things, "clients": clients, "ticks": ticks, "runs": rows }));
    }
    terms.results.draw("aoi", &plot::bars("A whole tick without sockets, in µs", &groups))?;
    Ok(Outcome { measured: Value::Array(kept), claims })
}

/// In each round ours, then the peer in all its ways.
fn rows(terms: &Terms, things: u32, clients: u32, ticks: u32) -> anyhow::Result<Vec<Row>> {
    let mut rows = vec![Row { name: "ours".to_owned(), ticks: Vec::new() }];
    rows.extend(PEERS.map(|way| Row { name: format!("colyseus, {way}"), ticks: Vec::new() }));
    for _ in 0..terms.rounds {
        rows[0].ticks.push(ours(things, clients, ticks));
        for (row, way) in rows[1..].iter_mut().zip(PEERS).filter(|_| !terms.ours_only) {
            let args = [things.to_string(), clients.to_string(), ticks.to_string(), way.to_owned()];
            if let Some(line) = Host::colyseus_script("aoi.mjs", &args)? {
                row.ticks.push(serde_json::from_str(&line)?);
            }
        }
    }
    rows.retain(|row| !row.ticks.is_empty());
    Ok(rows)
}

fn ours(things: u32, clients: u32, ticks: u32) -> Tick {
    let stage = stage::play::<Aoi>(Config { things }, clients, ticks, None);
    Tick { step_us: stage.step_us, encode_us: stage.frames_us, bytes: stage.mean_bytes * f64::from(clients) }
}

fn print(title: &str, clients: u32, rows: &[Row]) {
    let mut table =
        Table::new(&[title, "rules, tracking µs", "encode, gather µs", "a tick µs", "bytes a client", "bytes a tick"]);
    for row in rows {
        let figure = |figure, digits| report::shown(&row.figures(figure), digits);
        let a_client: Vec<f64> =
            row.figures(|tick| tick.bytes).iter().map(|bytes| bytes / f64::from(clients)).collect();
        table.row([
            row.name.clone(),
            figure(|tick| tick.step_us, 0),
            figure(|tick| tick.encode_us, 0),
            figure(|tick| tick.step_us + tick.encode_us, 0),
            report::shown(&a_client, 0),
            figure(|tick| tick.bytes, 0),
        ]);
    }
    say(&format!("{}\n", table.text()));
}
