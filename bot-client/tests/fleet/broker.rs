//! The broker: the run's own, or one more with its operator, whose commands run at a low priority as the broker does: a node
//! alone, or a cluster.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, ensure};

use crate::process::root;

/// Says where the broker is, then waits for the end of its input.
const TELL: &str = "echo \"$AMQP_URL\"; echo \"$RABBITMQ_CTL\"; echo \"$RABBITMQ_NODES\"; cat";

/// Where a broker is.
#[derive(Clone, Debug)]
pub(crate) struct Broker {
    /// The user's own, with least privilege.
    pub(crate) url: String,
}

impl Broker {
    /// The one that rabbitmq/with-broker has started for the run.
    pub(crate) fn of_environment() -> anyhow::Result<Self> {
        let url = env::var("AMQP_URL").context("AMQP_URL is not set: start this by rabbitmq/with-broker")?;
        Ok(Self { url })
    }
}

/// A broker for one part alone, which breaks it; it ends when dropped, or with this process.
pub(crate) struct OwnBroker {
    keeper: Child,
    /// Where it is.
    pub(crate) broker: Broker,
    ctl: String,
    nodes: Vec<Node>,
}

/// A node of a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// As its broker calls it.
    pub(crate) name: String,
    process: u32,
}

impl Node {
    /// Sends its process a signal.
    pub(crate) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let told = Command::new("kill").args(["-s", name, &self.process.to_string()]).status()?;
        ensure!(told.success(), "cannot send SIG{name} to {}", self.name);
        Ok(())
    }
}

impl OwnBroker {
    /// Starts a node by rabbitmq/with-broker.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::start_nodes(1)
    }

    /// Starts a cluster of three nodes by rabbitmq/with-broker.
    pub(crate) fn start_cluster() -> anyhow::Result<Self> {
        let mut cluster = Self::start_nodes(3)?;
        for node in &mut cluster.nodes {
            let told = control(&cluster.ctl, &node.name, &["eval", "list_to_integer(os:getpid())."])?;
            node.process = told.trim().parse().with_context(|| format!("no process id: {told}"))?;
        }
        Ok(cluster)
    }

    fn start_nodes(count: usize) -> anyhow::Result<Self> {
        let mut command = Command::new(root().join("rabbitmq/with-broker"));
        command.args(["--nodes", &count.to_string(), "sh", "-c", TELL]);
        command.env_remove("AMQP_URL").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = command.spawn().context("cannot start rabbitmq/with-broker")?;
        let mut lines = BufReader::new(keeper.stdout.take().context("no standard output")?).lines();
        let mut line = || lines.next().context("no broker")?.context("no broker");
        let told = [line(), line(), line()].into_iter().collect::<Result<Vec<_>, _>>();
        let told = told.inspect_err(|_| _ = keeper.wait())?;
        let node = |name: &str| Node { name: name.to_owned(), process: 0 };
        let nodes = told[2].split_whitespace().map(node).collect();
        Ok(Self { keeper, broker: Broker { url: told[0].clone() }, ctl: told[1].clone(), nodes })
    }

    /// Its nodes.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Runs a command of rabbitmqctl.
    pub(crate) fn run(&self, args: &[&str]) -> anyhow::Result<()> {
        told(Command::new("nice").args(["-n", "10", &self.ctl, "--quiet"]).args(args)).map(drop)
    }

    /// What a command of rabbitmqctl prints that asks this node.
    pub(crate) fn ask(&self, node: &Node, args: &[&str]) -> anyhow::Result<String> {
        control(&self.ctl, &node.name, args)
    }
}

fn control(ctl: &str, node: &str, args: &[&str]) -> anyhow::Result<String> {
    told(Command::new("nice").args(["-n", "10", ctl, "--quiet", "-n", node]).args(args))
}

fn told(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output()?;
    let error = || String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
    ensure!(output.status.success(), "{:?}: {}", command.get_args().collect::<Vec<_>>(), error());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}
