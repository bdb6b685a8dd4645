//! Swarms of bots as processes, and what they report.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Context as _;
use serde_json::Value;

use crate::{checks::Checks, process::Process};

/// After their time bots have so long to leave.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running swarm; every bot of it verifies every frame.
pub(crate) struct Bots {
    process: Process,
    results: PathBuf,
    seconds: u64,
}

/// What a swarm has to say.
pub(crate) struct Results(Value);

impl Bots {
    /// Starts bots that play for so long after they have entered, which takes two seconds.
    pub(crate) fn start(name: &str, urls: &[String], args: &[&str], seconds: u64, logs: &Path) -> anyhow::Result<Self> {
        let results = logs.join(format!("{name}.json"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_tiltyard-bot"));
        for url in urls {
            command.args(["--url", url]);
        }
        command.args(["--verify", "--ramp", "2s", "--duration", &format!("{seconds}s"), "--json"]).arg(&results);
        command.args(args);
        let process = Process::start(command, logs.join(format!("{name}.log")))?;
        Ok(Self { process, results, seconds })
    }

    /// Ends the play now.
    pub(crate) fn stop(self) -> anyhow::Result<Results> {
        self.process.signal("INT")?;
        self.finish()
    }

    /// Waits until all have left.
    pub(crate) fn finish(mut self) -> anyhow::Result<Results> {
        self.process.end(Duration::from_secs(self.seconds) + PATIENCE)?;
        let text = fs::read_to_string(&self.results)
            .with_context(|| format!("the bots wrote no results:\n{}", self.process.last_words()))?;
        Ok(Results(serde_json::from_str(&text)?))
    }
}

impl Results {
    /// One number of the report.
    pub(crate) fn number(&self, key: &str) -> anyhow::Result<f64> {
        self.0[key].as_f64().with_context(|| format!("the results lack {key}"))
    }

    /// All got in, nothing differed, nothing went wrong, nobody was thrown out.
    pub(crate) fn check(&self, who: &str, checks: &mut Checks) -> anyhow::Result<()> {
        println!("    {who}:");
        let (bots, connected) = (self.number("bots")?, self.number("connected")?);
        checks.check("all bots got in", format!("{connected} of {bots}"), connected == bots);
        let (frames, mismatches) = (self.number("frames")?, self.number("mismatches")?);
        let seen = format!("{mismatches} of {frames}");
        checks.check("no frame differs", seen, mismatches == 0.0 && frames > 0.0);
        let errors = self.number("errors")?;
        let complaints = if errors == 0.0 { String::new() } else { format!(": {}", self.0["complaints"]) };
        checks.check("no bot fails or is thrown out", format!("{errors}{complaints}"), errors == 0.0);
        Ok(())
    }
}
