//! A server that is measured: a child process, alone on its core.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, ensure};

use crate::{
    machine::{self, Usage},
    report::say,
};

mod metrics;

pub use metrics::Metrics;

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Host {
    child: Child,
    /// Where players connect.
    pub addr: SocketAddr,
    /// Where operators look, if it has such a place.
    pub ops: Option<SocketAddr>,
}

impl Host {
    /// The games of the bench on a Tiltyard server with one shard.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn tiltyard() -> anyhow::Result<Self> {
        let mut command = machine::pinned(&[machine::SERVER_CORE], &sibling("bench-server")?);
        command.args(["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--log", "warn", "--shards", "1"]);
        Self::start(command)
    }

    /// The floor: so many bytes a frame, payload and header.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn floor(frame_bytes: usize, hz: u32) -> anyhow::Result<Self> {
        let mut command = machine::pinned(&[machine::SERVER_CORE], &sibling("bench-floor")?);
        command.args([frame_bytes.to_string(), hz.to_string()]);
        Self::start(command)
    }

    /// Colyseus with the same scene; `None`, with the reason said, where node or its packages are missing.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn colyseus(mode: &str) -> anyhow::Result<Option<Self>> {
        let Some(folder) = colyseus_folder() else { return Ok(None) };
        let mut command = machine::pinned(&[machine::SERVER_CORE], "node");
        command.arg(folder.join("server.mjs")).arg(mode).env("NODE_ENV", "production");
        Self::start(command).map(Some)
    }

    /// Any server that says `listening ADDR`, and `ops ADDR` before or never, on its standard output.
    ///
    /// # Errors
    ///
    /// If it does not start or says something else.
    pub fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start a server")?;
        let stdout = child.stdout.take().context("it has no standard output")?;
        let (mut addr, mut ops) = (None, None);
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next().transpose()? {
            if let Some(told) = line.strip_prefix("listening ") {
                addr = Some(told.parse()?);
            }
            if let Some(told) = line.strip_prefix("ops ") {
                ops = Some(told.parse()?);
            }
            if addr.is_some() && (ops.is_some() || line == "ready") {
                break;
            }
        }
        // Whatever it still says must not block it.
        thread::spawn(move || lines.for_each(drop));
        let Some(addr) = addr else {
            child.kill().ok();
            anyhow::bail!("the server ended before it listened: {:?}", child.wait()?);
        };
        Ok(Self { child, addr, ops })
    }

    /// A script of the folder for the peer, with these arguments: what it prints. It may use every core, because its runtime
    /// collects garbage beside its own thread. `None`, with the reason said, where node or its packages are missing.
    ///
    /// # Errors
    ///
    /// If it fails.
    pub fn colyseus_script(script: &str, args: &[String]) -> anyhow::Result<Option<String>> {
        let Some(folder) = colyseus_folder() else { return Ok(None) };
        let mut command = machine::pinned(&[machine::SERVER_CORE, machine::LOAD_CORE], "node");
        let output = command.arg(folder.join(script)).args(args).stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "{script} failed: {}", output.status);
        Ok(Some(String::from_utf8(output.stdout)?))
    }

    /// Stops it, as if its machine stood still, or lets it go on.
    ///
    /// # Errors
    ///
    /// If it is gone.
    pub fn set_paused(&self, paused: bool) -> anyhow::Result<()> {
        let signal = if paused { "-STOP" } else { "-CONT" };
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status()?;
        ensure!(status.success(), "kill {signal}: {status}");
        Ok(())
    }

    /// What it has used so far.
    ///
    /// # Errors
    ///
    /// If it is gone.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.child.id())
    }

    /// The memory that it holds.
    ///
    /// # Errors
    ///
    /// If it is gone.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        machine::resident_bytes(self.child.id())
    }

    /// Its `/metrics`.
    ///
    /// # Errors
    ///
    /// If it has none or does not answer.
    pub fn metrics(&self) -> anyhow::Result<Metrics> {
        let ops = self.ops.context("this server has no metrics")?;
        let mut stream = TcpStream::connect(ops)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /metrics HTTP/1.0\r\nHost: {ops}\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        ensure!(text.contains(" 200 "), "no metrics: {}", text.lines().next().unwrap_or_default());
        Ok(Metrics(text))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Where the peer's programs are; `None`, with the reason said, if they cannot be run.
fn colyseus_folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("colyseus");
    let installed = folder.join("node_modules").exists();
    if !installed {
        say("NOT MEASURED: colyseus. Missing: its packages (npm --prefix bench/colyseus install)");
    }
    installed.then_some(folder)
}

/// Another binary of this package, beside this one.
fn sibling(name: &str) -> anyhow::Result<String> {
    let path: PathBuf = env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{} is not built", path.display());
    Ok(path.display().to_string())
}
