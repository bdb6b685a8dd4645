//! The fleet's names in a real DNS: dnsmasq says what containers' DNS servers say of deploy/'s instances, and whom it was
//! asked for.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    instance::InstanceSpec,
    process::{Port, Process, tool, wait_for},
};

/// The fleet's name and that of its instances' domain, as deploy/ has them.
pub(crate) const FLEET: &str = "instances";
/// It starts, and reads its names again, in less.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running DNS server.
pub(crate) struct Names {
    process: Process,
    port: Port,
    file: PathBuf,
    addresses: BTreeMap<String, Ipv4Addr>,
}

impl Names {
    /// Starts it; nobody has a name yet.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let (port, file) = (Port::new()?, folder.join("names"));
        fs::write(&file, "")?;
        let mut command = Command::new(tool("dnsmasq")?);
        command.args([
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--bind-interfaces",
        ]);
        command.args(["--listen-address=127.0.0.1", &format!("--port={}", port.number()?), "--user=", "--pid-file="]);
        command.args([&format!("--local=/{FLEET}/"), "--local-ttl=1", "--log-queries", "--log-facility=-"]);
        command.arg(format!("--addn-hosts={}", file.display()));
        let process = Process::start(command, folder.join("dnsmasq.log"))?;
        wait_for(PATIENCE, "dnsmasq to start", || Ok(process.said().contains("started, version").then_some(())))?;
        Ok(Self { process, port, file, addresses: BTreeMap::new() })
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> anyhow::Result<u16> {
        self.port.number()
    }

    /// From now on this instance has its name, and the fleet one more address; or the instance has moved.
    pub(crate) fn add(&mut self, spec: &InstanceSpec) -> anyhow::Result<()> {
        self.addresses.insert(spec.name.clone(), spec.address);
        self.tell()
    }

    /// From now on there is no such instance.
    pub(crate) fn remove(&mut self, name: &str) -> anyhow::Result<()> {
        self.addresses.remove(name);
        self.tell()
    }

    /// From now on there is nobody.
    pub(crate) fn clear(&mut self) -> anyhow::Result<()> {
        self.addresses.clear();
        self.tell()
    }

    fn tell(&self) -> anyhow::Result<()> {
        let line = |(name, address): (&String, &Ipv4Addr)| format!("{address} {name}.{FLEET} {FLEET}\n");
        fs::write(&self.file, self.addresses.iter().map(line).collect::<String>())?;
        // It says so each time, as `read FILE - 3 addresses`.
        let reads = || self.process.said().lines().filter(|line| line.contains(" read ")).count();
        let before = reads();
        wait_for(PATIENCE, "dnsmasq to read its names", || {
            self.process.signal("HUP")?;
            Ok((reads() > before).then_some(()))
        })
    }

    /// All names that it was asked for.
    pub(crate) fn asked(&self) -> BTreeSet<String> {
        let name = |line: &str| Some(line.split_once(" query[")?.1.split_whitespace().nth(1)?.to_owned());
        self.process.said().lines().filter_map(name).collect()
    }
}
