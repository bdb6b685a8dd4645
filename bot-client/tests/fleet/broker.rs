//! The broker: the run's own, or one more with its operator, whose commands run at a low priority as the broker does.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, ensure};

use crate::process::root;

/// Says where the broker is, then waits for the end of its input.
const TELL: &str = "echo \"$AMQP_URL\"; echo \"$RABBITMQ_CTL\"; cat";

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
}

impl OwnBroker {
    /// Starts it by rabbitmq/with-broker.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let mut command = Command::new(root().join("rabbitmq/with-broker"));
        command.args(["sh", "-c", TELL]).env_remove("AMQP_URL").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = command.spawn().context("cannot start rabbitmq/with-broker")?;
        let mut lines = BufReader::new(keeper.stdout.take().context("no standard output")?).lines();
        let mut line = || lines.next().context("no broker")?.context("no broker");
        let (url, ctl) = (line(), line());
        let started = url.and_then(|url| Ok((url, ctl?)));
        let (url, ctl) = started.inspect_err(|_| _ = keeper.wait())?;
        Ok(Self { keeper, broker: Broker { url }, ctl })
    }

    /// Runs a command of rabbitmqctl.
    pub(crate) fn run(&self, args: &[&str]) -> anyhow::Result<()> {
        let output = Command::new("nice").args(["-n", "10", &self.ctl, "--quiet"]).args(args).output()?;
        let told = || String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
        ensure!(output.status.success(), "rabbitmqctl {args:?}: {}", told());
        Ok(())
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}
