//! An instance as a process, from the environment files of deploy/, and what operators see of it.

use std::{collections::BTreeMap, env, fs, net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, ensure};

use crate::{
    http,
    process::{Process, root, wait_for},
    tickets,
};

/// An instance starts and becomes ready in less.
const PATIENCE: Duration = Duration::from_secs(20);

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

/// What is different here from deploy/: the ports, the broker, the balancer's address.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The instance's name.
    pub(crate) name: String,
    /// Its ports, for players and for operators.
    pub(crate) ports: [u16; 2],
    /// Where the balancer listens; without one the instance is found by its own address.
    pub(crate) balancer: Option<u16>,
}

impl Instance {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(place: &Place, logs: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(crate::binary::tiltyard()?);
        command.envs(environment(place)?);
        let mut process = Process::start(command, logs.join(format!("{}.log", place.name)))?;
        let [players, ops] = place.ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        wait_for(PATIENCE, &format!("{} to be ready", place.name), || {
            ensure!(process.status()?.is_none(), "{} has ended:\n{}", place.name, process.last_words());
            Ok(http::get(ops, "/readyz").ok())
        })?;
        Ok(Self { name: place.name.clone(), process, players, ops })
    }

    /// Where clients connect to exactly this one.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}/ws", self.players)
    }

    /// The sum of a metric over all its labels, or over those that begin with these; 0 if nothing has been counted yet.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = http::get(self.ops, "/metrics")?;
        let values = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            if name.contains('{') || rest.starts_with([' ', '{']) {
                rest.rsplit(' ').next()?.parse::<f64>().ok()
            } else {
                None
            }
        });
        Ok(values.sum())
    }
}

/// Makes a room on an instance, or on one that a balancer chooses.
pub(crate) fn create_room(at: SocketAddr) -> anyhow::Result<()> {
    let (status, said) = http::ask(at, "POST", "/api/rooms", r#"{"game":"arena"}"#)?;
    ensure!(status == 201, "{at} makes no room: {said}");
    Ok(())
}

/// The variables of an instance: those of deploy/common.env and, if there is one, its own file, with what is different here.
fn environment(place: &Place) -> anyhow::Result<BTreeMap<String, String>> {
    let mut variables = variables("common.env")?;
    // Who is started while the run goes on has no file: it is like the others.
    let own = variables_or_none(&format!("{}.env", place.name))?;
    variables.extend(own.unwrap_or_else(|| BTreeMap::from([("TILTYARD_INSTANCE".to_owned(), place.name.clone())])));
    let [players, ops] = place.ports;
    let url = match place.balancer {
        Some(port) => format!("ws://127.0.0.1:{port}/i/{}", place.name),
        None => format!("ws://127.0.0.1:{players}"),
    };
    let here = [
        ("TILTYARD_LISTEN", format!("127.0.0.1:{players}")),
        ("TILTYARD_OPS_LISTEN", format!("127.0.0.1:{ops}")),
        ("TILTYARD_PUBLIC_URL", url),
        ("TILTYARD_SHARDS", "1".to_owned()),
        ("TILTYARD_MODE_CONFIG", tickets::MODE_CONFIG.to_owned()),
        ("AMQP_URL", env::var("AMQP_URL").context("AMQP_URL is not set: start this by rabbitmq/with-broker")?),
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
