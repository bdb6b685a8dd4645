//! Three servers as child processes on free ports, in one fleet, and the signals that they get.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

/// A running instance; killed when dropped.
pub(crate) struct Instance {
    child: Child,
    pub(crate) url: String,
    ops: SocketAddr,
}

/// The instances of a fleet.
pub(crate) struct Fleet(pub(crate) Vec<Instance>);

impl Fleet {
    /// Starts so many, whose matches of the arena last so long, and waits until they know each other.
    pub(crate) fn start(instances: usize, match_seconds: u32) -> anyhow::Result<Self> {
        Self::start_with(instances, match_seconds, &[])
    }

    /// The same with more options for each.
    pub(crate) fn start_with(instances: usize, match_seconds: u32, options: &[&str]) -> anyhow::Result<Self> {
        let start = |_| Instance::start(match_seconds, options);
        let fleet = Self((0..instances).map(start).collect::<anyhow::Result<_>>()?);
        let deadline = Instant::now() + Duration::from_secs(30);
        while fleet.0.iter().any(|one| one.metric("tiltyard_instances").unwrap_or(0.0) < instances as f64) {
            ensure!(Instant::now() < deadline, "the instances do not find each other");
            thread::sleep(Duration::from_millis(100));
        }
        Ok(fleet)
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.0.iter().map(|instance| instance.url.clone()).collect()
    }

    /// Processor time of all instances so far, by the system's hundredths of a second.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        self.0.iter().filter_map(Instance::cpu_ticks).sum::<u64>() as f64 / 100.0
    }

    /// The place of the instance whose matchmaker has at least so many tickets.
    pub(crate) fn active(&self, tickets: f64) -> Option<usize> {
        self.0.iter().position(|instance| instance.tickets() >= tickets)
    }
}

impl Instance {
    fn start(match_seconds: u32, options: &[&str]) -> anyhow::Result<Self> {
        let binary = crate::binary::tiltyard()?;
        let config = format!("arena/teams={{\"match_seconds\":{match_seconds}}}");
        let mut child = Command::new(&binary)
            .args(["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--log", "warn", "--bus-required"])
            .args(["--mode-config", &config])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let stdout = child.stdout.take().context("the server has no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let mut word = |name: &str| -> anyhow::Result<SocketAddr> {
            let line = lines.next().context("the server has ended")??;
            Ok(line.strip_prefix(name).context("another line")?.trim().parse()?)
        };
        let (listen, ops) = (word("listening")?, word("ops")?);
        thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, url: format!("ws://{listen}/ws"), ops })
    }

    /// Sends a signal: KILL, STOP, CONT.
    pub(crate) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let told = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status()?;
        ensure!(told.success(), "cannot send SIG{name}");
        Ok(())
    }

    fn cpu_ticks(&self) -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // After the name in brackets: the state is the first field, user and system time are the 12th and 13th.
        let fields: Vec<_> = stat.rsplit(')').next()?.split_whitespace().collect();
        Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
    }

    /// Tickets of the arena in the pool of its matchmaker; 0 if it does not answer.
    pub(crate) fn tickets(&self) -> f64 {
        self.metric("tiltyard_tickets_waiting").unwrap_or(0.0)
    }

    /// The sum of a metric over all its labels; 0 if nothing has been counted yet.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let mut stream = TcpStream::connect_timeout(&self.ops, Duration::from_millis(500))?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        write!(stream, "GET /metrics HTTP/1.0\r\nHost: {}\r\n\r\n", self.ops)?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let values = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            if rest.starts_with([' ', '{']) { rest.rsplit(' ').next()?.parse::<f64>().ok() } else { None }
        });
        Ok(values.sum())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.signal("CONT").ok();
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
