//! A real Prometheus with deploy/prometheus.yml, which it scrapes by more often here.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use tiltyard_testing::http;

use crate::{
    fleet::Fleet,
    process::{Port, Process, root, tool, wait_for},
};

/// From one scrape to the next, and from one look at instances.yml to the next.
pub(crate) const SCRAPE: Duration = Duration::from_secs(1);

/// A running Prometheus.
pub(crate) struct Prometheus {
    _process: Process,
    address: SocketAddr,
    instances: PathBuf,
}

impl Prometheus {
    /// Starts it; it scrapes nobody yet.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let config = fs::read_to_string(root().join("deploy/prometheus.yml"))?;
        let seconds = format!("{}s", SCRAPE.as_secs());
        let config = config
            .replace("scrape_interval: 5s", &format!("scrape_interval: {seconds}"))
            .replace("refresh_interval: 10s", &format!("refresh_interval: {seconds}"));
        ensure!(config.matches(&seconds).count() == 2, "deploy/prometheus.yml looks different");
        let (file, instances) = (folder.join("prometheus.yml"), folder.join("instances.yml"));
        fs::write(&file, config)?;
        fs::copy(root().join("deploy/alerts.yml"), folder.join("alerts.yml"))?;
        fs::write(&instances, "[]\n")?;
        let port = Port::new()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port.number()?));
        let mut command = Command::new(tool("prometheus")?);
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.join("series").display()));
        command.arg(format!("--web.listen-address={address}"));
        let mut process = Process::start(command, folder.join("prometheus.log"))?;
        wait_for(Duration::from_secs(20), "Prometheus to be ready", || {
            ensure!(process.status()?.is_none(), "Prometheus has ended:\n{}", process.last_words());
            Ok(http::get(address, "/-/ready").ok())
        })?;
        Ok(Self { _process: process, address, instances })
    }

    /// Scrapes these from now on, as an operator says by instances.yml; returns once it does.
    pub(crate) fn scrape(&self, fleet: &Fleet) -> anyhow::Result<()> {
        let group =
            |(name, ops): (&str, SocketAddr)| format!("- targets: [\"{ops}\"]\n  labels: {{instance: {name}}}\n");
        let groups: String = fleet.instances.iter().map(|one| group((&one.name, one.ops))).collect();
        let new = self.instances.with_extension("new");
        fs::write(&new, groups)?;
        fs::rename(new, &self.instances)?;
        let wanted = fleet.instances.len() as f64;
        wait_for(Duration::from_secs(15), "Prometheus to scrape all", || {
            let (all, up) = (self.value("count(up{job='tiltyard'})")?, self.value("sum(up{job='tiltyard'})")?);
            Ok((all == wanted && up == wanted).then_some(()))
        })
    }

    /// The values of an expression now, each with its instance.
    pub(crate) fn values(&self, expression: &str) -> anyhow::Result<Vec<(String, f64)>> {
        let escaped: String = expression.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = http::json(self.address, &format!("/api/v1/query?query={escaped}"))?;
        let results = answer["data"]["result"].as_array().with_context(|| format!("no result: {answer}"))?;
        let value = |result: &serde_json::Value| {
            let number = result["value"][1].as_str()?.parse().ok()?;
            Some((result["metric"]["instance"].as_str().unwrap_or_default().to_owned(), number))
        };
        Ok(results.iter().filter_map(value).collect())
    }

    /// The only value of an expression; 0 if there is none yet.
    pub(crate) fn value(&self, expression: &str) -> anyhow::Result<f64> {
        Ok(self.values(expression)?.first().map_or(0.0, |(_, value)| *value))
    }
}
