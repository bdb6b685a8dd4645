//! `saturation`: how many bytes a server lets pile up, in the kernel and in its own memory, for a client that does not read.
//!
//! The client stops reading for 8 s; then the server is stopped, so that nothing is added, and the client reads what is there.

use std::time::Duration;

use serde_json::{Value, json};
use tiltyard_scenes::{Ballast, ballast::Config};

use super::{Outcome, PATIENCE, SETTLE, Scene, Terms, silent};
use crate::{
    claim::Claim,
    crowd::{Crowd, Reading},
    host::Host,
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

fn run(_terms: &Terms) -> anyhow::Result<Outcome> {
    let mut table = Table::new(&["bytes a frame", "offered in 8 s", "in the kernel", "in the server", "together"]);
    let (mut kept, mut claims) = (Vec::new(), Vec::new());
    for size in SIZES {
        let [kernel, server] = pile(size)?;
        let offered = u64::from(size) * 20 * STALL.as_secs();
        table.row([
            size.to_string(),
            offered.to_string(),
            kernel.to_string(),
            server.to_string(),
            (kernel + server).to_string(),
        ]);
        claims.push(Claim::at_most(format!("frames of {size} bytes: bytes piled up"), (kernel + server) as f64, BOUND));
        kept.push(json!({ "frame_bytes": size, "offered": offered, "kernel": kernel, "server": server }));
        progress(&format!("frames of {size} bytes"));
    }
    say(&table.text());
    Ok(Outcome { measured: Value::Array(kept), claims })
}

/// The bytes that wait in the kernel and in the server.
fn pile(size: u32) -> anyhow::Result<[u64; 2]> {
    let host = Host::tiltyard()?;
    let mut crowd = Crowd::new(silent::<Ballast>(&host, 1, &Config { bytes: size }))?;
    crowd.enter(PATIENCE)?;
    crowd.run(SETTLE)?;
    crowd.set_reading(0, Reading::Nothing);
    crowd.begin();
    crowd.run(STALL)?;
    let server = host.metrics()?.sum("tiltyard_unsent_bytes") as u64;
    host.set_paused(true)?;
    crowd.set_reading(0, Reading::All);
    crowd.run(DRAIN)?;
    let kernel = crowd.client(0).bytes();
    host.set_paused(false)?;
    Ok([kernel, server])
}
