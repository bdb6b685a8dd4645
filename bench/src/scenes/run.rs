//! A steady stretch of play on a server, and what it cost.

use std::time::Duration;

use serde::Serialize;

use super::{PATIENCE, SETTLE};
use crate::{
    crowd::{Crowd, Measures},
    host::Host,
    machine::Usage,
    report::{self, say},
};

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
    /// Frames that arrived.
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
    /// How often a player began to be throttled.
    pub throttles: f64,
    /// Ticks by which the schedule was moved.
    pub moved_ticks: f64,
    /// 99 of 100 ticks began not later than this after their deadline, in milliseconds; `None` where nobody says so. Rounded
    /// up to the next bucket of the server's histogram.
    pub lateness_ms: Option<f64>,
    /// Connections lost.
    pub lost: u64,
    /// What kept the run from being faster.
    pub limit: &'static str,
}

/// Above this part of its core the load is what is measured.
const BUSY_LOAD: f64 = 0.85;

/// Above this part of its core the server cannot do more.
const BUSY_SERVER: f64 = 0.95;

/// What rooms have counted is exported once a second.
const EXPORT: Duration = Duration::from_millis(1200);

/// Lets a crowd enter, settle, and play a steady stretch.
///
/// # Errors
///
/// If somebody does not get in, or the server ends.
pub fn measure(host: &Host, crowd: &mut Crowd, steady: Duration) -> anyhow::Result<Run> {
    crowd.enter(PATIENCE)?;
    crowd.run(SETTLE)?;
    let told = || host.ops.map(|_| host.metrics()).transpose();
    let before = told()?;
    crowd.begin();
    let (server, load) = (host.usage()?, Usage::of(std::process::id())?);
    crowd.run(steady)?;
    let (server, load) = (host.usage()? - server, Usage::of(std::process::id())? - load);
    let mut run = Run::new(&crowd.measures(), steady, server, load);
    crowd.run(EXPORT)?;
    if let (Some(before), Some(now)) = (before, told()?) {
        let increase = |name: &str| now.sum(name) - before.sum(name);
        run.throttles = increase("tiltyard_throttles_total");
        run.moved_ticks = increase("tiltyard_schedule_moved_ticks_total");
        run.lateness_ms = now.quantile("tiltyard_tick_lateness_seconds", 0.99, &before).map(|seconds| 1000.0 * seconds);
    }
    Ok(run)
}

impl Run {
    fn new(measures: &Measures, steady: Duration, server: Usage, load: Usage) -> Self {
        let (seconds, frames) = (steady.as_secs_f64(), measures.frames.max(1) as f64);
        let (server_cpu, load_cpu) = (server.total().as_secs_f64() / seconds, load.total().as_secs_f64() / seconds);
        if let Some(complaint) = &measures.complaint {
            say(&format!("    first complaint: {complaint}"));
        }
        if load_cpu > BUSY_LOAD {
            say("    NOT VALID: the load used more than 85 % of its core");
        }
        Self {
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
            lost: measures.lost,
            limit: match () {
                () if load_cpu > BUSY_LOAD => "the load's core",
                () if server_cpu > BUSY_SERVER => "the server's core",
                () => "the tick rate",
            },
            ..Self::default()
        }
    }
}

/// One figure of several runs: the median, and from where to where.
pub fn shown(runs: &[Run], figure: fn(&Run) -> f64, digits: usize) -> String {
    report::shown(&figures(runs, figure), digits)
}

/// One figure of several runs.
pub fn figures(runs: &[Run], figure: fn(&Run) -> f64) -> Vec<f64> {
    runs.iter().map(figure).collect()
}

/// The median of one figure of several runs; NaN of none.
pub fn median(runs: &[Run], figure: fn(&Run) -> f64) -> f64 {
    report::spread(&figures(runs, figure)).0
}

/// How many frames differed, of how many that were compared.
pub fn mismatches(runs: &[Run]) -> String {
    let sum = |of: fn(&Run) -> u64| runs.iter().map(of).sum::<u64>();
    format!("{} of {}", sum(|run| run.mismatches), sum(|run| run.verified))
}
