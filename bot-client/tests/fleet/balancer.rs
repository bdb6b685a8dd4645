//! HAProxy and nginx from the files of deploy/, with the ports of this run in place of those of the containers, and the run's
//! DNS server in place of theirs.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use tiltyard_testing::http;

use crate::{
    names::Names,
    process::{Port, Process, root, tool, wait_for},
};

/// Folders that nginx would keep where only root may write.
const TEMPORARY: [&str; 5] = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
/// What a balancer needs to start, and to learn of a name that came or went: it counts for 2 s.
const PATIENCE: Duration = Duration::from_secs(10);

/// Requests that come to each of its workers, which remember addresses on their own.
const IN_A_ROW: usize = 30;
/// After so long it is told again to read its file.
const AGAIN: Duration = Duration::from_secs(1);

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    HaProxy,
    Nginx,
}

impl Kind {
    /// Its program.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HaProxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }
}

/// A running balancer.
pub(crate) struct Balancer {
    kind: Kind,
    process: Process,
    /// Where players find it.
    pub(crate) address: SocketAddr,
}

impl Balancer {
    /// Starts it on this port, in front of whoever has a name; instances listen on these ports. Waits until it answers, be it
    /// that nobody is there.
    pub(crate) fn start(
        kind: Kind,
        port: &Port,
        names: &Names,
        ports: [u16; 2],
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], port.number()?));
        let command = match kind {
            Kind::HaProxy => haproxy(address, names, ports, folder)?,
            Kind::Nginx => nginx(address, names, ports, folder)?,
        };
        let process = Process::start(command, folder.join(format!("{}.log", kind.name())))?;
        let mut balancer = Self { kind, process, address };
        wait_for(PATIENCE, &format!("{} to answer", kind.name()), || {
            let Self { process, .. } = &mut balancer;
            ensure!(process.status()?.is_none(), "{} has ended:\n{}", kind.name(), process.last_words());
            Ok(http::ask(address, "GET", "/api/version", "").ok())
        })?;
        Ok(balancer)
    }

    /// Has it read its file again, as after an edit; returns once another process serves.
    pub(crate) fn reload(&self) -> anyhow::Result<()> {
        let signal = match self.kind {
            Kind::HaProxy => "USR2",
            Kind::Nginx => "HUP",
        };
        let before = self.workers()?;
        let mut told: Option<Instant> = None;
        wait_for(PATIENCE, "other workers", || {
            // HAProxy's master passes over a signal that comes just after its first worker has started.
            if told.is_none_or(|told| told.elapsed() >= AGAIN) {
                self.process.signal(signal)?;
                told = Some(Instant::now());
            }
            Ok(self.workers()?.iter().any(|worker| !before.contains(worker)).then_some(()))
        })
        .with_context(|| self.process.last_words())
    }

    fn workers(&self) -> anyhow::Result<BTreeSet<String>> {
        let id = self.process.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        Ok(children.split_whitespace().map(str::to_owned).collect())
    }

    /// Waits until each of its workers finds an instance by its path, or somebody where no path is given.
    pub(crate) fn until_found(&self, path: &str) -> anyhow::Result<()> {
        let found = || http::get(self.address, &format!("{path}/api/version")).is_ok();
        wait_for(PATIENCE, &format!("{path}/ behind {}", self.kind.name()), || {
            Ok((0..IN_A_ROW).all(|_| found()).then_some(()))
        })
    }

    /// Where clients connect, to whichever instance it chooses.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// Where clients connect to this instance.
    pub(crate) fn url_of(&self, instance: &str) -> String {
        format!("ws://{}/i/{instance}/ws", self.address)
    }
}

/// The environment says what it may say, the rest is changed in the file.
fn haproxy(address: SocketAddr, names: &Names, ports: [u16; 2], folder: &Path) -> anyhow::Result<Command> {
    let nameserver = format!("nameserver run 127.0.0.1:{}", names.port()?);
    let changes = [("parse-resolv-conf", nameserver), ("bind :8080", format!("bind {address}"))];
    let file = folder.join("haproxy.cfg");
    fs::write(&file, changed("haproxy.cfg", &changes)?)?;
    let mut command = Command::new(tool("haproxy")?);
    // As its image starts it: a master, which does not go to the background.
    command.args(["-W", "-db", "-f"]).arg(file);
    command.env("TILTYARD_PORT", ports[0].to_string()).env("TILTYARD_OPS_PORT", ports[1].to_string());
    Ok(command)
}

fn nginx(address: SocketAddr, names: &Names, ports: [u16; 2], folder: &Path) -> anyhow::Result<Command> {
    let folders: String =
        TEMPORARY.iter().map(|kind| format!("    {kind}_temp_path {}/{kind};\n", folder.display())).collect();
    let changes = [
        ("http {\n", format!("http {{\n{folders}")),
        ("resolver 127.0.0.11 ", format!("resolver 127.0.0.1:{} ", names.port()?)),
        ("$port { default 8080; }", format!("$port {{ default {}; }}", ports[0])),
        ("listen 8080;", format!("listen {address};")),
    ];
    let file = folder.join("nginx.conf");
    fs::write(&file, changed("nginx.conf", &changes)?)?;
    let mut command = Command::new(tool("nginx")?);
    command.arg("-p").arg(folder).args(["-e", "stderr", "-c"]).arg(file);
    command.arg("-g").arg(format!("daemon off; pid {};", folder.join("nginx.pid").display()));
    Ok(command)
}

/// A file of deploy/ with these texts replaced, each of which it has once.
fn changed(name: &str, changes: &[(&str, String)]) -> anyhow::Result<String> {
    let text = fs::read_to_string(root().join("deploy").join(name))?;
    changes.iter().try_fold(text, |text, (theirs, ours)| {
        ensure!(text.matches(theirs).count() == 1, "deploy/{name} has not once: {theirs}");
        Ok(text.replace(theirs, ours))
    })
}
