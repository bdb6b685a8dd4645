//! `tiltyard cluster`: a fleet on this machine for trying things out, each instance a process of its own.
//!
//! It needs a broker: that of AMQP_URL, or a private one started by rabbitmq/with-broker of the project's checkout,
//! under which it restarts itself. The logs of instances appear with their names in front.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal as _, Write as _},
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command as StdCommand, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, ChildStdin, Command},
    runtime,
    signal::unix::{SignalKind, signal},
    task::JoinSet,
    time::timeout,
};

use super::{columns, print};

/// Instances that take longer to end are killed.
const PATIENCE: Duration = Duration::from_secs(10);
/// The operators' port of the first instance; further ones count up.
const FIRST_OPS_PORT: u16 = 9464;
/// Colours of the names, in turn: cyan, yellow, green, magenta, blue, red.
const COLOURS: [u8; 6] = [36, 33, 32, 35, 34, 31];

/// What to start.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Cluster {
    /// How many
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=64))]
    instances: u16,
    /// Where the first one takes players; further ones count up, operators' ports from 9464 on; 0 takes free ones
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    base_port: u16,
    /// Options of every instance, after --
    #[arg(last = true, value_name = "OPTIONS")]
    options: Vec<OsString>,
}

impl Cluster {
    /// Runs the fleet until a signal ends it or every instance has ended by itself.
    ///
    /// # Errors
    ///
    /// If there is no broker, a port is taken, or an instance failed.
    pub(crate) fn run(&self, amqp_url: Option<&str>) -> anyhow::Result<()> {
        let Some(url) = amqp_url else { return Err(under_a_broker()?) };
        let plans = self.plans()?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
        runtime.block_on(async {
            let mut fleet = Running::start(&plans, &self.options, url)?;
            print(&table(&plans))?;
            fleet.watch().await
        })
    }

    fn plans(&self) -> anyhow::Result<Vec<Plan>> {
        let count = self.instances;
        let ports = match self.base_port {
            0 => free_ports(2 * usize::from(count))?,
            base => {
                let last = FIRST_OPS_PORT.max(base).checked_add(count);
                ensure!(last.is_some(), "there are not so many ports from {base} on");
                (0..count).map(|number| base + number).chain((0..count).map(|number| FIRST_OPS_PORT + number)).collect()
            }
        };
        let (players, operators) = ports.split_at(usize::from(count));
        let plan = |(number, (players, operators)): (usize, (&u16, &u16))| Plan {
            name: format!("local-{}", number + 1),
            players: *players,
            operators: *operators,
        };
        Ok(players.iter().zip(operators).enumerate().map(plan).collect())
    }
}

/// One instance.
#[derive(Debug)]
struct Plan {
    name: String,
    players: u16,
    operators: u16,
}

/// Restarts this process under rabbitmq/with-broker, which replaces it. Returns only on failure, with the error.
fn under_a_broker() -> anyhow::Result<anyhow::Error> {
    let this = env::current_exe().context("cannot find this program")?;
    let folders = env::current_dir().ok().into_iter().chain(Some(this.clone()));
    let Some(script) = folders.into_iter().find_map(|folder| with_broker(&folder)) else {
        bail!(
            "AMQP_URL is not set, and rabbitmq/with-broker is neither above this folder nor above {}",
            this.display()
        );
    };
    let error = StdCommand::new(&script).arg(&this).args(env::args_os().skip(1)).exec();
    Ok(anyhow::Error::new(error).context(format!("cannot start {}", script.display())))
}

/// The script in the checkout that contains a path.
fn with_broker(path: &Path) -> Option<PathBuf> {
    path.ancestors().map(|folder| folder.join("rabbitmq/with-broker")).find(|script| script.is_file())
}

/// Ports that were free a moment ago.
fn free_ports(count: usize) -> anyhow::Result<Vec<u16>> {
    let open = |_| TcpListener::bind(("127.0.0.1", 0));
    let listeners: Vec<_> = (0..count).map(open).collect::<io::Result<_>>().context("no free port")?;
    listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

fn table(plans: &[Plan]) -> String {
    let row = |Plan { name, players, operators }: &Plan| {
        let [players, operators] = [players, operators].map(|port| format!("http://127.0.0.1:{port}/"));
        [name.clone(), players, operators + "metrics"]
    };
    columns(plans.iter().map(row).collect())
}

/// The running instances.
struct Running {
    /// Each task returns the instance's name and exit status.
    lives: JoinSet<(String, io::Result<ExitStatus>)>,
    pids: Vec<(String, Pid)>,
    /// Their standard inputs. These close when this process ends, however it ends, and the instances end with them.
    leashes: Vec<ChildStdin>,
}

impl Running {
    fn start(plans: &[Plan], options: &[OsString], url: &str) -> anyhow::Result<Self> {
        let mut fleet = Self { lives: JoinSet::new(), pids: Vec::new(), leashes: Vec::new() };
        for (number, plan) in plans.iter().enumerate() {
            let mut child = spawn(plan, options, url)?;
            let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).context("no process id")?;
            fleet.pids.push((plan.name.clone(), pid));
            fleet.leashes.extend(child.stdin.take());
            if let Some(log) = child.stderr.take() {
                tokio::spawn(relay(prefix(number, &plan.name), log));
            }
            let name = plan.name.clone();
            fleet.lives.spawn(async move { (name, child.wait().await) });
        }
        Ok(fleet)
    }

    async fn watch(&mut self) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate()).context("cannot wait for signals")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for signals")?;
        loop {
            tokio::select! {
                ended = self.lives.join_next() => match ended {
                    Some(Ok((name, status))) => self.ended(&name, status)?,
                    Some(Err(_)) => {}
                    None => bail!("every instance has ended"),
                },
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
            }
        }
        self.stop().await
    }

    fn ended(&mut self, name: &str, status: io::Result<ExitStatus>) -> anyhow::Result<()> {
        self.pids.retain(|(other, _)| other != name);
        let status = status.with_context(|| format!("cannot wait for {name}"))?;
        tell(&format!("{name} has ended: {status}; {} go on", self.pids.len()));
        Ok(())
    }

    /// Interrupts all, like Ctrl-C, which does not wait for rooms to end.
    async fn stop(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::INT);
        let all_well = async {
            let mut well = true;
            while let Some(ended) = self.lives.join_next().await {
                well &= ended.is_ok_and(|(_, status)| status.is_ok_and(|status| status.success()));
            }
            well
        };
        match timeout(PATIENCE, all_well).await {
            Ok(true) => Ok(()),
            Ok(false) => bail!("an instance did not stop well"),
            Err(_) => bail!("instances did not stop within {} s and were killed", PATIENCE.as_secs()),
        }
    }

    fn signal(&self, signal: Signal) {
        for (name, pid) in &self.pids {
            if let Err(error) = kill_process(*pid, signal) {
                tell(&format!("cannot tell {name} to stop: {error}"));
            }
        }
    }
}

fn spawn(plan: &Plan, options: &[OsString], url: &str) -> anyhow::Result<Child> {
    let mut command = Command::new(env::current_exe().context("cannot find this program")?);
    command.arg("--stop-with-stdin").args(options).env("AMQP_URL", url).env("TILTYARD_INSTANCE", &plan.name);
    command.env("TILTYARD_LISTEN", format!("127.0.0.1:{}", plan.players));
    command.env("TILTYARD_OPS_LISTEN", format!("127.0.0.1:{}", plan.operators));
    command.env("TILTYARD_PUBLIC_URL", format!("ws://127.0.0.1:{}", plan.players));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    // In a process group of its own, so that Ctrl-C in a terminal comes only once, from us.
    command.process_group(0).kill_on_drop(true);
    command.spawn().with_context(|| format!("cannot start {}", plan.name))
}

/// The prefix of an instance's log lines.
fn prefix(number: usize, name: &str) -> String {
    match io::stderr().is_terminal() {
        true => format!("\x1b[{}m{name:<9}\x1b[0m| ", COLOURS[number % COLOURS.len()]),
        false => format!("{name:<9}| "),
    }
}

/// Shows the log of an instance until it ends.
async fn relay(prefix: String, log: impl AsyncRead + Unpin) {
    let mut lines = BufReader::new(log).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        tell(&format!("{prefix}{line}"));
    }
}

fn tell(line: &str) {
    let _nobody_reads = writeln!(io::stderr(), "{line}");
}
