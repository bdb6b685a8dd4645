//! The real server as a child process on free ports, and what its `/metrics` say.

use std::{
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use crate::metrics::metric;

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    ops: SocketAddr,
}

impl Server {
    /// Starts it with these additions to its environment.
    pub(crate) fn start(env: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::start_at(Ipv4Addr::LOCALHOST, env)
    }

    /// Starts it where players find it at this address.
    pub(crate) fn start_at(address: Ipv4Addr, env: &[(&str, &str)]) -> anyhow::Result<Self> {
        let listen = format!("{address}:0");
        let binary = crate::binary::tiltyard()?;
        let mut child = Command::new(&binary)
            .args(["--listen", &listen, "--ops-listen", "127.0.0.1:0", "--log", "warn"])
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let stdout = child.stdout.take().context("the server has no standard output")?;
        let started = addresses(stdout);
        match started {
            Ok((listen, ops)) => Ok(Self { child, url: format!("ws://{listen}/ws"), ops }),
            Err(error) => {
                child.kill().ok();
                Err(error)
            }
        }
    }

    /// The sum of a metric over all its labels; 0 if nothing has been counted yet.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        metric(self.ops, name)
    }

    /// Tells it to stop; true if it does so in time and with status 0.
    pub(crate) fn stop(mut self) -> anyhow::Result<bool> {
        let told = Command::new("kill").arg(self.child.id().to_string()).status()?;
        ensure!(told.success(), "cannot tell the server to stop");
        let deadline = Instant::now() + Duration::from_secs(15);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(false)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Reads `listening ADDR` and `ops ADDR`; what comes after them is read and dropped.
fn addresses(stdout: ChildStdout) -> anyhow::Result<(SocketAddr, SocketAddr)> {
    let mut lines = BufReader::new(stdout).lines();
    let (mut listen, mut ops) = (None, None);
    while listen.is_none() || ops.is_none() {
        let Some(line) = lines.next().transpose()? else { bail!("the server ended before it said where it listens") };
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("listening"), Some(address)) => listen = Some(address.parse()?),
            (Some("ops"), Some(address)) => ops = Some(address.parse()?),
            _ => {}
        }
    }
    thread::spawn(move || lines.for_each(drop));
    listen.zip(ops).context("an address is missing")
}
