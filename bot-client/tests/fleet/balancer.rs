//! HAProxy and nginx from the files of deploy/, with the addresses of this run in place of those of the containers.

use std::{fs, net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, ensure};
use tiltyard_testing::http;

use crate::{
    instance::InstanceSpec,
    process::{Port, Process, root, tool, wait_for},
};

/// The port of deploy/'s instances for players, and the one that both balancers listen on.
const PLAYERS: &str = "8080";
/// The port of deploy/'s instances for operators.
const OPERATORS: &str = "9464";
/// The first of deploy/'s instances.
const FIRST: &str = "one";
/// Folders that nginx would keep where only root may write.
const TEMPORARY: [&str; 5] = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

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
    _process: Process,
    /// Where players find it.
    pub(crate) address: SocketAddr,
}

impl Balancer {
    /// Starts it in front of these instances and waits until it answers.
    pub(crate) fn start(kind: Kind, port: &Port, specs: &[InstanceSpec], folder: &Path) -> anyhow::Result<Self> {
        let number = port.number()?;
        let (config, command) = match kind {
            Kind::HaProxy => (haproxy(specs)?, haproxy_command(folder)?),
            Kind::Nginx => (nginx(specs, folder)?, nginx_command(folder)?),
        };
        let listen = [(format!("bind :{PLAYERS}"), format!("bind 127.0.0.1:{number}"))];
        let listen = listen.into_iter().chain([(format!("listen {PLAYERS};"), format!("listen 127.0.0.1:{number};"))]);
        let config = listen.fold(config, |config, (theirs, ours)| config.replace(&theirs, &ours));
        fs::write(folder.join(kind.name()), config)?;
        let mut process = Process::start(command, folder.join(format!("{}.log", kind.name())))?;
        let address = SocketAddr::from(([127, 0, 0, 1], number));
        wait_for(Duration::from_secs(10), &format!("{} to answer", kind.name()), || {
            ensure!(process.status()?.is_none(), "{} has ended:\n{}", kind.name(), process.last_words());
            Ok(http::get(address, "/api/version").ok())
        })?;
        Ok(Self { _process: process, address })
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

fn haproxy_command(folder: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(tool("haproxy")?);
    command.args(["-db", "-f"]).arg(folder.join("haproxy"));
    Ok(command)
}

fn haproxy(specs: &[InstanceSpec]) -> anyhow::Result<String> {
    let text = fs::read_to_string(root().join("deploy/haproxy.cfg"))?;
    let checked = |spec: &InstanceSpec, line: &str| {
        let [players, ops] = spec.ports;
        let here = line.replace(&format!("{}:{PLAYERS}", spec.name), &format!("127.0.0.1:{players}"));
        format!("{here} check port {ops}")
    };
    let text = text.replace(&format!("check port {OPERATORS} "), "");
    let (head, backends) = text.split_once("\nbackend instance-").context("no backends of instances")?;
    let head = per_instance(head, specs, "    server ", checked);
    let backend = |InstanceSpec { name, ports: [players, _], .. }: &InstanceSpec| {
        format!("backend instance-{name}\n    server {name} 127.0.0.1:{players}\n")
    };
    ensure!(backends.contains("    server one one:8080"), "the backends of instances look different");
    Ok(head + "\n" + &specs.iter().map(backend).collect::<String>())
}

fn nginx_command(folder: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(tool("nginx")?);
    command.arg("-p").arg(folder).args(["-e", "stderr", "-c"]).arg(folder.join("nginx"));
    command.arg("-g").arg(format!("daemon off; pid {};", folder.join("nginx.pid").display()));
    Ok(command)
}

fn nginx(specs: &[InstanceSpec], folder: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(root().join("deploy/nginx.conf"))?;
    let server = |spec: &InstanceSpec, line: &str| line.replace(&at(spec), &format!("127.0.0.1:{}", spec.ports[0]));
    let text = per_instance(&text, specs, "        server ", server);
    let (head, _) = text.split_once("        location /i/").context("no locations of instances")?;
    let location = |InstanceSpec { name, ports: [players, _], .. }: &InstanceSpec| {
        format!("        location /i/{name}/ {{\n            proxy_pass http://127.0.0.1:{players}/;\n        }}\n")
    };
    let folders: String =
        TEMPORARY.iter().map(|kind| format!("    {kind}_temp_path {}/{kind};\n", folder.display())).collect();
    let locations: String = specs.iter().map(location).collect();
    Ok(head.replace("http {\n", &format!("http {{\n{folders}")) + &locations + "    }\n}\n")
}

fn at(spec: &InstanceSpec) -> String {
    format!("{}:{PLAYERS}", spec.name)
}

/// The lines of the file's instances give way to those of the instances here: its first one's, changed.
fn per_instance(
    text: &str,
    specs: &[InstanceSpec],
    start: &str,
    change: impl Fn(&InstanceSpec, &str) -> String,
) -> String {
    let is_theirs = |line: &&str| line.starts_with(start) && line.contains(&format!(":{PLAYERS}"));
    let Some(first) = text.lines().find(is_theirs) else { return text.to_owned() };
    let ours: String = specs.iter().map(|spec| change(spec, &first.replace(FIRST, &spec.name)) + "\n").collect();
    let lines = text.lines().filter(|line| *line == first || !is_theirs(line));
    lines.map(|line| if line == first { ours.clone() } else { format!("{line}\n") }).collect()
}
