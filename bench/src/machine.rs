//! The machine: what it is, which core a process runs on, what the kernel says that a process has used.
//!
//! Linux only: everything is read from `/proc`, pinning is `taskset`'s.

use std::{
    fs,
    net::SocketAddr,
    ops::Sub,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

/// The core of every server that is measured.
pub const SERVER_CORE: usize = 0;

/// The core of the load and of everything else.
pub const LOAD_CORE: usize = 1;

/// `/proc` counts CPU time in hundredths of a second, on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time of a process, all its threads together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// In user space.
    pub user: Duration,
    /// In the kernel.
    pub system: Duration,
}

impl Usage {
    /// What a process has used so far.
    ///
    /// # Errors
    ///
    /// If there is no such process.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).context("the process is gone")?;
        // The name in parentheses may hold blanks; counted behind it, user time is field 12 and system time field 13.
        let fields: Vec<&str> = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let time = |place: usize| -> anyhow::Result<Duration> {
            let ticks: f64 = fields.get(place).context("/proc/PID/stat is too short")?.parse()?;
            Ok(Duration::from_secs_f64(ticks / TICKS_PER_SECOND))
        };
        Ok(Self { user: time(11)?, system: time(12)? })
    }

    /// User space and kernel together.
    pub fn total(self) -> Duration {
        self.user + self.system
    }
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { user: self.user.saturating_sub(before.user), system: self.system.saturating_sub(before.system) }
    }
}

/// Bytes of memory that a process holds.
///
/// # Errors
///
/// If there is no such process.
pub fn resident_bytes(pid: u32) -> anyhow::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}

/// What waits in the kernel for the client of a connection over loopback: bytes not yet acknowledged at the server's end,
/// and bytes not yet read at the client's.
///
/// # Errors
///
/// If there is no such connection.
pub fn queues(server: SocketAddr, client: SocketAddr) -> anyhow::Result<[u64; 2]> {
    let text = fs::read_to_string("/proc/net/tcp")?;
    let queues = |from: SocketAddr, to: SocketAddr| {
        // Of each line: number, own address, that of the other end, state, both queues; all in hexadecimal.
        let ends = |field: &str, port: u16| field.rsplit_once(':').is_some_and(|(_, hex)| hex == format!("{port:04X}"));
        let line = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .find(|fields| fields.len() > 4 && ends(fields[1], from.port()) && ends(fields[2], to.port()));
        let (send, receive) = line?.get(4)?.split_once(':')?;
        Some([u64::from_str_radix(send, 16).ok()?, u64::from_str_radix(receive, 16).ok()?])
    };
    let [send, _] = queues(server, client).context("no such connection at the server")?;
    let [_, receive] = queues(client, server).context("no such connection at the client")?;
    Ok([send, receive])
}

/// A program that will run on these cores only.
pub fn pinned(cores: &[usize], program: &str) -> Command {
    let cores: Vec<String> = cores.iter().map(ToString::to_string).collect();
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &cores.join(","), program]);
    command
}

/// Keeps this process on the load's core.
///
/// # Errors
///
/// If the machine has no two cores, or no `taskset`.
pub fn pin_self() -> anyhow::Result<()> {
    let (core, pid) = (LOAD_CORE.to_string(), std::process::id().to_string());
    let mut command = Command::new("taskset");
    command.args(["--all-tasks", "--pid", "--cpu-list", &core, &pid]).stdout(Stdio::null());
    let status = command.status().context("taskset (util-linux) is missing")?;
    ensure!(status.success(), "this needs two cores: one for the server, one for the load");
    Ok(())
}

/// The same in a line for people.
pub fn sentence(machine: &Value) -> String {
    let text = |name: &str| machine[name].as_str().unwrap_or("?").to_owned();
    let (cpu, kernel, congestion, load) =
        (text("cpu"), text("kernel"), text("congestion_control"), text("load_average"));
    format!("{} x {cpu}, Linux {kernel}, TCP with {congestion}; load average {load}", machine["cores"])
}

/// What a reader of the figures should know of the machine.
pub fn describe() -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    json!({
        "cpu": model.trim_start_matches([' ', '\t', ':']),
        "cores": cpus.lines().filter(|line| line.starts_with("processor")).count(),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "congestion_control": read("/proc/sys/net/ipv4/tcp_congestion_control").trim(),
        "load_average": read("/proc/loadavg").split_whitespace().take(3).collect::<Vec<_>>().join(" "),
    })
}
