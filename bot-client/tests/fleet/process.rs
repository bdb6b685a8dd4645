//! Processes of a run: each logs to a file of its own, is told to stop, and is killed with its group when dropped.

use std::{
    env,
    fs::{self, File},
    hash::{BuildHasher as _, RandomState},
    io::Read as _,
    net::{Ipv4Addr, SocketAddrV4},
    ops::Range,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use socket2::{Domain, Socket, Type};

use crate::stop;

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Lines of a log that are shown when its process fails.
const TAIL: usize = 15;

/// A child process.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a command that logs to this file.
    pub(crate) fn start(mut command: Command, log: PathBuf) -> anyhow::Result<Self> {
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
        stop::add_group(child.id());
        Ok(Self { child, log })
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said.
    pub(crate) fn said(&self) -> String {
        let mut said = Vec::new();
        let read = File::open(&self.log).and_then(|mut file| file.read_to_end(&mut said));
        read.map_or_else(|error| error.to_string(), |_| String::from_utf8_lossy(&said).into_owned())
    }

    /// Sends a signal: `TERM`, `STOP` …
    pub(crate) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let told = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status()?;
        ensure!(told.success(), "cannot send SIG{name}");
        Ok(())
    }

    /// Its exit status, if it has ended.
    pub(crate) fn status(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        wait_for(patience, "the end of a process", || self.status())
    }

    /// The last lines that it said, for an error.
    pub(crate) fn last_words(&self) -> String {
        let said = self.said();
        let lines: Vec<_> = said.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        stop::kill_group(self.child.id());
        self.child.wait().ok();
    }
}

/// Looks until there is something.
pub(crate) fn wait_for<T>(
    patience: Duration,
    what: &str,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(seen) = look()? {
            return Ok(seen);
        }
        ensure!(Instant::now() < deadline, "waited {} s in vain for {what}", patience.as_secs());
        thread::sleep(LOOK);
    }
}

/// A folder that is removed with its value.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A new one.
    pub(crate) fn new() -> anyhow::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("tiltyard-fleet-{}-{number}", std::process::id()));
        fs::create_dir(&path)?;
        stop::add_folder(&path);
        Ok(Self(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        stop::remove_folder(&self.0);
    }
}

/// A port for one program: nobody else is given it while this value lives. Connections to it are refused until the program
/// listens, which it may at any time, because servers set `SO_REUSEADDR`, and nothing listens here. So there is no moment in
/// which the port belongs to nobody, nor one in which a child that still holds this socket is in the program's way.
#[derive(Debug)]
pub(crate) struct Port(Socket);

/// Where no system takes the ports of outgoing connections from, such as those of bots.
const PORTS: Range<u16> = 10_000..32_000;

impl Port {
    /// A free one.
    pub(crate) fn new() -> anyhow::Result<Self> {
        for _ in PORTS {
            // Seeded anew for each process and call, so that runs side by side do not ask for the same ones.
            let number = PORTS.start + (RandomState::new().hash_one(()) % PORTS.len() as u64) as u16;
            if let Ok(port) = Self::at(SocketAddrV4::new(Ipv4Addr::LOCALHOST, number)) {
                return Ok(port);
            }
        }
        bail!("no free port");
    }

    /// This one.
    pub(crate) fn at(address: SocketAddrV4) -> anyhow::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&address.into()).with_context(|| format!("{address} is taken"))?;
        socket.set_reuse_address(true)?; // not before: the port of another value is not free
        Ok(Self(socket))
    }

    /// Its number, for programs that cannot take a port by themselves and say which.
    pub(crate) fn number(&self) -> anyhow::Result<u16> {
        Ok(self.0.local_addr()?.as_socket_ipv4().context("no port")?.port())
    }
}

/// An address of this machine that nobody else is likely to use: one of eight million.
pub(crate) fn own_address() -> Ipv4Addr {
    let [_, second, third, fourth, ..] = RandomState::new().hash_one(()).to_be_bytes();
    Ipv4Addr::new(127, second | 1, third, fourth.clamp(1, 254))
}

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The path of a program that the run needs and the machine may lack; ci/tool fetches it.
pub(crate) fn tool(name: &str) -> anyhow::Result<PathBuf> {
    let output = Command::new(root().join("ci/tool")).arg(name).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("{name} is missing");
    }
    Ok(String::from_utf8(output.stdout)?.trim().into())
}
