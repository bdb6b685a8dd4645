//! A server in a process of its own.

use std::{
    env,
    io::{self, BufRead as _, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::http;
use parking_lot::Mutex;

/// The interval at which its end is checked for.
const LOOK: Duration = Duration::from_millis(20);

/// A running server, which is killed when dropped. Its log is passed on to standard error, where a failing test shows
/// it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    listen: SocketAddr,
    ops: SocketAddr,
    log: Log,
}

/// Its output on standard error.
#[derive(Debug)]
struct Log {
    said: Arc<Mutex<String>>,
    /// The thread that reads it. It ends with the process.
    reader: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server and waits until it prints its addresses. Unless given, `--listen` and `--ops-listen` are free
    /// ports of this machine.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or ends before it listens: then with its output.
    pub fn start(mut command: Command) -> io::Result<Self> {
        for option in ["--listen", "--ops-listen"] {
            if !command.get_args().any(|argument| argument == option) {
                command.args([option, "127.0.0.1:0"]);
            }
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut log = Log::read(child.stderr.take().expect("it is piped"));
        match addresses(child.stdout.take().expect("it is piped")) {
            Ok((listen, ops)) => Ok(Self { child, listen, ops, log }),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(io::Error::other(format!("{error}\n{}", log.whole())))
            }
        }
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The address where players connect.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// The address of the operators' port.
    pub fn ops(&self) -> SocketAddr {
        self.ops
    }

    /// The URL for clients: `ws://…/ws`.
    pub fn url(&self) -> String {
        format!("ws://{}/ws", self.listen)
    }

    /// The sum of a metric: see [`http::metric`].
    ///
    /// # Errors
    ///
    /// As for [`http::metric`].
    pub fn metric(&self, name: &str) -> io::Result<f64> {
        http::metric(self.ops, name)
    }

    /// Sends a signal: `TERM`, `STOP` …
    ///
    /// # Errors
    ///
    /// If the signal cannot be sent.
    pub fn signal(&self, name: &str) -> io::Result<()> {
        let told = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status()?;
        if told.success() { Ok(()) } else { Err(io::Error::other(format!("cannot send SIG{name}"))) }
    }

    /// Waits until it ends, at most this long. Returns its status and all its output on standard error.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::TimedOut`]: the server is killed then.
    pub fn end(mut self, patience: Duration) -> io::Result<(ExitStatus, String)> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, self.log.whole()));
            }
            if Instant::now() > deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _has_ended = self.child.kill();
        let _none_is_left = self.child.wait();
    }
}

impl Log {
    #[expect(clippy::print_stderr, reason = "what a server says is for whoever looks for what went wrong")]
    fn read(stderr: ChildStderr) -> Self {
        let said = Arc::<Mutex<String>>::default();
        let kept = said.clone();
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                eprintln!("{line}");
                let mut kept = kept.lock();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        Self { said, reader: Some(reader) }
    }

    /// The whole output, once the process has ended.
    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            let _panicked = reader.join();
        }
        self.said.lock().clone()
    }
}

/// The path of a binary that was built beside the running test: `target/<profile>/<name>`, or the one in
/// `TILTYARD_BIN`.
///
/// # Errors
///
/// If it does not exist.
pub fn binary(name: &str) -> io::Result<PathBuf> {
    if let Some(path) = env::var_os("TILTYARD_BIN") {
        return Ok(path.into());
    }
    let this = env::current_exe()?;
    // A test is in `deps`, a program is not.
    let folder = this.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    let path = folder.unwrap_or(&this).join(name);
    if path.exists() { Ok(path) } else { Err(io::Error::other(format!("{} is missing: build it", path.display()))) }
}

/// Reads `listening ADDR` and `ops ADDR`; later output is read and dropped.
fn addresses(stdout: ChildStdout) -> io::Result<(SocketAddr, SocketAddr)> {
    let mut lines = BufReader::new(stdout).lines();
    let (mut listen, mut ops) = (None, None);
    loop {
        if let (Some(listen), Some(ops)) = (listen, ops) {
            thread::spawn(move || lines.for_each(drop));
            return Ok((listen, ops));
        }
        let ended = || io::Error::other("the server ended before it said where it listens");
        let line = lines.next().ok_or_else(ended)??;
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("listening"), Some(address)) => listen = Some(address.parse().map_err(io::Error::other)?),
            (Some("ops"), Some(address)) => ops = Some(address.parse().map_err(io::Error::other)?),
            _ => {}
        }
    }
}
