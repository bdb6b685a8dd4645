//! `saturation`: how many bytes a server lets pile up, in the kernel and in its own memory, for a client that does not read.
//!
//! The client takes its seat and then reads nothing for 8 s; then the server is stopped, so that nothing is added, and the
//! client reads what is there. Over loopback the client's receive queue is in the same kernel: it counts, too.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use tiltyard_scenes::{Ballast, ballast::Config};

use super::{Outcome, PATIENCE, Scene, Terms, silent};
use crate::{
    claim::Claim,
    crowd::{Crowd, Reading},
    host::Host,
    machine,
    report::{Table, progress, say},
};

/// The scene.
pub const SCENE: Scene = Scene {
    name: "saturation",
    about: "Bytes that the server hands to the kernel, and keeps itself, for a client that reads nothing; frames at 20 Hz.",
    run,
};

/// Bytes of a frame's content.
const SIZES: [u32; 3] = [512, 4 * 1024, 40 * 1024];

/// How long it reads nothing.
const STALL: Duration = Duration::from_secs(8);

/// All that is in the kernel is read within this.
const DRAIN: Duration = Duration::from_millis(300);

/// Most bytes.
const BOUND: f64 = 128.0 * 1024.0;

/// Where bytes wait.
#[derive(Clone, Copy, Debug, Serialize)]
struct Pile {
    /// In the server's memory.
    server: u64,
    /// In the kernel, at the server's end and at the client's.
    queues: [u64; 2],
    /// What the client found to read in the end.
    found: u64,
}

impl Pile {
    /// What waits at the server's end.
    fn at_server(&self) -> u64 {
        self.server + self.queues[0]
    }

    /// What was accepted at both ends.
    fn all(&self) -> u64 {
        self.server + self.found
    }
}

fn run(_terms: &Terms) -> anyhow::Result<Outcome> {
    let mut table = Table::new(&[
        "bytes a frame",
        "offered in 8 s",
        "in the server",
        "in its send queue",
        "in the client's receive queue",
        "accepted in all",
    ]);
    let (mut kept, mut claims) = (Vec::new(), Vec::new());
    for size in SIZES {
        let pile = pile(size)?;
        let offered = u64::from(size) * 20 * STALL.as_secs();
        table.row(
            [u64::from(size), offered, pile.server, pile.queues[0], pile.queues[1], pile.all()].map(|n| n.to_string()),
        );
        claims.extend([
            Claim::at_most(
                format!("frames of {size} bytes: bytes at the server's end"),
                pile.at_server() as f64,
                BOUND,
            ),
            Claim::at_most(format!("frames of {size} bytes: bytes accepted in all"), pile.all() as f64, BOUND),
        ]);
        kept.push(json!({ "frame_bytes": size, "offered": offered, "accepted": pile.all(), "where": pile }));
        progress(&format!("frames of {size} bytes"));
    }
    say(&table.text());
    Ok(Outcome { measured: Value::Array(kept), claims })
}

fn pile(size: u32) -> anyhow::Result<Pile> {
    let host = Host::tiltyard()?;
    let mut crowd = Crowd::new(silent::<Ballast>(&host, 1, &Config { bytes: size }))?;
    crowd.enter(PATIENCE)?;
    crowd.set_reading(0, Reading::Nothing);
    crowd.begin();
    crowd.run(STALL)?;
    let server = host.metrics()?.sum("tiltyard_unsent_bytes") as u64;
    let queues = machine::queues(host.addr, crowd.client(0).addr()?)?;
    host.set_paused(true)?;
    crowd.set_reading(0, Reading::All);
    crowd.run(DRAIN)?;
    let found = crowd.client(0).bytes();
    host.set_paused(false)?;
    Ok(Pile { server, queues, found })
}
