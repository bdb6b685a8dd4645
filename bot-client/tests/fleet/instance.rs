//! An instance as a process, from the environment files of deploy/, and what operators see of it.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    path::Path,
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, ensure};

use tiltyard_testing::{binary, http};

use crate::{
    broker::Broker,
    process::{Port, Process, own_address, root, wait_for},
};

/// An instance starts and becomes ready in less.
const PATIENCE: Duration = Duration::from_secs(20);
/// Matches are over soon: many are played.
pub(crate) const MATCH_SECONDS: u32 = 6;

/// A running instance.
pub(crate) struct Instance {
    /// Its name in the fleet.
    pub(crate) name: String,
    /// Its process.
    pub(crate) process: Process,
    /// Where players connect.
    pub(crate) players: SocketAddr,
    /// Where operators look.
    pub(crate) ops: SocketAddr,
}

/// An instance to be started: what is different here from deploy/.
#[derive(Debug)]
pub(crate) struct InstanceSpec {
    /// The instance's name.
    pub(crate) name: String,
    /// Where it is: each has an address of its own, as each container has.
    pub(crate) address: Ipv4Addr,
    /// Its ports, for players and for operators; all have the same.
    pub(crate) ports: [u16; 2],
    /// Nobody else takes them.
    _held: [Port; 2],
    /// Where the balancer listens; without one the instance is found by its own address.
    balancer: Option<u16>,
}

impl InstanceSpec {
    /// Instances of these names, behind a balancer on this port or behind none.
    pub(crate) fn several(names: &[&str], balancer: Option<u16>) -> anyhow::Result<Vec<Self>> {
        let free = [Port::new()?, Port::new()?];
        let ports = [free[0].number()?, free[1].number()?];
        names.iter().map(|name| Self::new(name, ports, balancer)).collect()
    }

    fn new(name: &str, ports: [u16; 2], balancer: Option<u16>) -> anyhow::Result<Self> {
        let address = own_address();
        let [players, ops] = ports.map(|port| Port::at(SocketAddrV4::new(address, port)));
        Ok(Self { name: name.to_owned(), address, ports, _held: [players?, ops?], balancer })
    }

    /// The same one at another address.
    pub(crate) fn moved(&self) -> anyhow::Result<Self> {
        Self::new(&self.name, self.ports, self.balancer)
    }

    fn sockets(&self) -> [SocketAddr; 2] {
        self.ports.map(|port| SocketAddr::from((self.address, port)))
    }
}

impl Instance {
    /// Starts it on this broker, with these variables beside the others, and does not wait for it.
    pub(crate) fn start(
        spec: &InstanceSpec,
        broker: &Broker,
        options: &[(&str, &str)],
        logs: &Path,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(binary("tiltyard")?);
        command.envs(environment(spec, broker)?).envs(options.iter().copied());
        let process = Process::start(command, logs.join(format!("{}.log", spec.name)))?;
        let [players, ops] = spec.sockets();
        Ok(Self { name: spec.name.clone(), process, players, ops })
    }

    /// Waits until it takes players.
    pub(crate) fn until_ready(&mut self) -> anyhow::Result<()> {
        wait_for(PATIENCE, &format!("{} to be ready", self.name), || {
            let Self { name, process, ops, .. } = self;
            ensure!(process.status()?.is_none(), "{name} has ended:\n{}", process.last_words());
            Ok(http::get(*ops, "/readyz").ok().map(drop))
        })
    }

    /// Where clients connect to exactly this one.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}/ws", self.players)
    }

    /// The sum of a metric over all its labels, or over those that begin with these; 0 if nothing has been counted yet.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        Ok(http::metric(self.ops, name)?)
    }

    /// Tickets in the pool of its matchmaker; 0 if it does not answer.
    pub(crate) fn tickets(&self) -> f64 {
        self.metric("tiltyard_tickets_waiting").unwrap_or(0.0)
    }

    /// Processor time so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // After the name in brackets: the state is the first field, user and system time are the 12th and 13th, in
        // hundredths of a second.
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |field: usize| -> anyhow::Result<u64> { Ok(fields.get(field).context("no times")?.parse()?) };
        Ok(Duration::from_millis(10 * (ticks(11)? + ticks(12)?)))
    }
}

/// Makes a room on an instance, or on one that a balancer chooses.
pub(crate) fn create_room(at: SocketAddr) -> anyhow::Result<()> {
    let (status, said) = http::ask(at, "POST", "/api/rooms", r#"{"game":"arena"}"#)?;
    ensure!(status == 201, "{at} makes no room: {said}");
    Ok(())
}

/// The mode that is searched, in which matches last so long.
pub(crate) fn mode_config(match_seconds: u32) -> String {
    format!("arena/teams={{\"match_seconds\":{match_seconds}}}")
}

/// The variables of an instance: those of deploy/common.env and, if there is one, its own file, with what is different here.
fn environment(spec: &InstanceSpec, broker: &Broker) -> anyhow::Result<BTreeMap<String, String>> {
    let mut variables = variables("common.env")?;
    // Who is started while the run goes on has no file: it is like the others.
    let own = variables_or_none(&format!("{}.env", spec.name))?;
    variables.extend(own.unwrap_or_else(|| BTreeMap::from([("TILTYARD_INSTANCE".to_owned(), spec.name.clone())])));
    let [players, ops] = spec.sockets();
    let url = match spec.balancer {
        Some(port) => format!("ws://127.0.0.1:{port}/i/{}", spec.name),
        None => format!("ws://{players}"),
    };
    let here = [
        ("TILTYARD_LISTEN", players.to_string()),
        ("TILTYARD_OPS_LISTEN", ops.to_string()),
        ("TILTYARD_PUBLIC_URL", url),
        ("TILTYARD_SHARDS", "1".to_owned()),
        ("TILTYARD_MODE_CONFIG", mode_config(MATCH_SECONDS)),
        ("AMQP_URL", broker.url.clone()),
    ];
    variables.extend(here.map(|(name, value)| (name.to_owned(), value)));
    Ok(variables)
}

fn variables(file: &str) -> anyhow::Result<BTreeMap<String, String>> {
    variables_or_none(file)?.with_context(|| format!("deploy/{file} is missing"))
}

fn variables_or_none(file: &str) -> anyhow::Result<Option<BTreeMap<String, String>>> {
    let path = root().join("deploy").join(file);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(path)?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    Ok(Some(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
}
