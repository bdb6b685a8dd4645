//! What is measured, one module a scene, and what they have in common: a steady stretch of play.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tiltyard_shared::{
    game::{Game, Rng},
    replicate::Replicate as _,
    schema::Schema,
};

use crate::{
    crowd::{Crowd, Dialect, Plan},
    host::Host,
    machine::Usage,
    report::{self, Results},
};

pub mod walkers;
pub mod colyseus;
pub mod join;
pub mod stall;
pub mod population;

/// How the scenes are run.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Steady seconds of each run.
    pub steady: Duration,
    /// How often each run is made.
    pub rounds: usize,
    /// Numbers of players instead of a scene's own.
    pub players: Vec<usize>,
    /// Without floor and peers: for profilers.
    pub ours_only: bool,
    /// Where results go.
    pub results: Results,
}

/// A scene by its name.
pub type Scene = (&'static str, fn(&Terms) -> anyhow::Result<Value>);

/// All scenes in the order in which they are run.
pub const SCENES: &[Scene] =
    &[("walkers", walkers::run), ("colyseus", colyseus::run), ("join", join::run), ("stall", stall::run)];

/// From the last player's entry until measuring begins.
const SETTLE: Duration = Duration::from_secs(2);

/// Who has not entered so long after its turn never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// A steady stretch of play.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Run {
    /// Server CPU a frame, in microseconds.
    pub frame_us: f64,
    /// Of that, user space.
    pub user_us: f64,
    /// Parts of its core that the server used, from 0 to 1.
    pub server_cpu: f64,
    /// Parts of its core that the load used.
    pub load_cpu: f64,
    /// Frames, and their mean size with WebSocket headers.
    pub frames: u64,
    /// Their mean size with WebSocket headers.
    pub mean_bytes: f64,
    /// 99 of 100 intervals from frame to frame were not longer, in milliseconds.
    pub p99_ms: f64,
    /// Frames a second of the client that got the fewest.
    pub fewest_hz: f64,
    /// Frames whose hash was compared.
    pub verified: u64,
    /// Of those, the ones that differed.
    pub mismatches: u64,
    /// Players that were held.
    pub holds: f64,
    /// Ticks by which the schedule was moved.
    pub moved_ticks: f64,
    /// Connections lost.
    pub lost: u64,
    /// What kept the run from being faster.
    pub limit: &'static str,
}

/// Above this part of its core the load is what is measured.
const BUSY_LOAD: f64 = 0.85;

/// Above this part of its core the server cannot do more.
const BUSY_SERVER: f64 = 0.95;

/// Inputs a second of each player, unless a scene says otherwise.
const HZ: u32 = 20;

/// Every so-manieth client verifies every frame.
const VERIFY_EVERY: usize = 20;

/// A crowd of a game: a thousand come in a second, each sends an input at each tick.
pub fn plan_of<G: Game>(host: &Host, dialect: Dialect, clients: usize, input: fn(&mut Rng) -> Vec<u8>) -> Plan {
    Plan {
        addr: host.addr,
        dialect,
        clients,
        ramp: Duration::from_millis(1) * clients as u32,
        input_hz: HZ,
        verify_every: if dialect == Dialect::Tiltyard { VERIFY_EVERY } else { 0 },
        game: G::NAME,
        schema: G::Entity::schema(),
        schema_hash: Schema::hash(&Schema::of::<G>().to_json()),
        input,
    }
}

/// Lets a crowd enter, settle, and play a steady stretch.
///
/// # Errors
///
/// If somebody does not get in, or the server ends.
pub fn measure(host: &Host, crowd: &mut Crowd, steady: Duration) -> anyhow::Result<Run> {
    crowd.enter(PATIENCE)?;
    crowd.run(SETTLE)?;
    let told = |name: &str| host.ops.map_or(Ok(0.0), |_| Ok::<_, anyhow::Error>(host.metrics()?.sum(name)));
    let marks =
        || Ok::<_, anyhow::Error>([told("tiltyard_holds_total")?, told("tiltyard_schedule_moved_ticks_total")?]);
    let before = marks()?;
    crowd.begin();
    let (server, load) = (host.usage()?, Usage::of(std::process::id())?);
    crowd.run(steady)?;
    let (server, load) = (host.usage()? - server, Usage::of(std::process::id())? - load);
    let measures = crowd.measures();
    // What a room counts is exported once a second.
    crowd.run(Duration::from_millis(1200))?;
    let after = marks()?;
    if let Some(complaint) = &measures.complaint {
        report::say(&format!("    first complaint: {complaint}"));
    }
    let (seconds, frames) = (steady.as_secs_f64(), measures.frames.max(1) as f64);
    let (server_cpu, load_cpu) = (server.total().as_secs_f64() / seconds, load.total().as_secs_f64() / seconds);
    let limit = match () {
        () if load_cpu > BUSY_LOAD => "the load's core",
        () if server_cpu > BUSY_SERVER => "the server's core",
        () => "the tick rate",
    };
    if load_cpu > BUSY_LOAD {
        report::say("    NOT VALID: the load used more than 85 % of its core");
    }
    Ok(Run {
        frame_us: server.total().as_secs_f64() * 1e6 / frames,
        user_us: server.user.as_secs_f64() * 1e6 / frames,
        server_cpu,
        load_cpu,
        frames: measures.frames,
        mean_bytes: measures.mean_bytes(),
        p99_ms: measures.p99_ms(),
        fewest_hz: measures.fewest.unwrap_or(0) as f64 / seconds,
        verified: measures.verified,
        mismatches: measures.mismatches,
        holds: after[0] - before[0],
        moved_ticks: after[1] - before[1],
        lost: measures.lost,
        limit,
    })
}
