//! The broker as its operator: rabbitmqctl, at a low priority, as the broker itself runs.

use std::{env, process::Command};

use anyhow::{Context as _, ensure};

/// The broker's control.
pub(crate) struct Ctl(String);

impl Ctl {
    /// The one that rabbitmq/with-broker names.
    pub(crate) fn of_environment() -> anyhow::Result<Self> {
        env::var("RABBITMQ_CTL").map(Self).context("RABBITMQ_CTL is not set: start this by rabbitmq/with-broker")
    }

    /// Runs a command of rabbitmqctl.
    pub(crate) fn run(&self, args: &[&str]) -> anyhow::Result<()> {
        let output = Command::new("nice").args(["-n", "10", &self.0, "--quiet"]).args(args).output()?;
        let told = || String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
        ensure!(output.status.success(), "rabbitmqctl {args:?}: {}", told());
        Ok(())
    }
}
