//! Bots of the browser's SDK: `web/test/live.mjs` under Node as a child process, and what it reports. Node 20 is a must:
//! without the SDK's bots the smoke run proves only half.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

/// The lowest version of Node that the SDK is tested with, as in `web/package.json`.
const NODE: u32 = 20;

/// Running bots; killed when dropped.
pub(crate) struct Browser(Child);

impl Browser {
    /// Says what is missing, if anything is.
    pub(crate) fn check() -> anyhow::Result<()> {
        let Ok(output) = Command::new("node").arg("--version").output() else {
            bail!("node is missing: install Node {NODE} or newer (https://nodejs.org); the SDK's bots run on it");
        };
        let version = String::from_utf8_lossy(&output.stdout);
        let version = version.trim();
        let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
        ensure!(major.is_some_and(|major| major >= NODE), "node is {version}: Node {NODE} or newer is needed");
        let packages = web().join("node_modules/ws");
        ensure!(packages.exists(), "{} is missing: run `npm --prefix web ci` (make smoke does)", packages.display());
        Ok(())
    }

    /// Sends bots to a server. The arguments are those of `web/test/live.mjs`.
    pub(crate) fn start(url: &str, args: &[&str]) -> anyhow::Result<Self> {
        Self::check()?;
        let script = web().join("test/live.mjs");
        let child = Command::new("node").arg(script).args(["--url", url]).args(args).stdout(Stdio::piped()).spawn()?;
        Ok(Self(child))
    }

    /// Waits for the end. The report is there whether or not all went well.
    pub(crate) fn finish(mut self) -> anyhow::Result<Value> {
        let stdout = self.0.stdout.take().context("node has no standard output")?;
        let report = serde_json::from_reader(stdout);
        let status = self.0.wait()?;
        report.with_context(|| format!("the bots of the SDK wrote no results: {status}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn web() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../web")
}
