//! A client of the lab in a process of its own. It says, one JSON object a line: `ready` when it could enter, `in` with its
//! number for each player whose first frame has come (or who has got nowhere), and at the end its `records`. It is told
//! `enter`, `end`, and, a page, `hide` and `show`.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child as Process, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use uuid::Uuid;

use crate::record::Record;

/// Runs at a time, by [`Kind::weight`].
pub(crate) const CAPACITY: usize = 12;

/// The three kinds of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The Rust SDK.
    Rust,
    /// The JavaScript SDK in Node.
    Node,
    /// The page in Chromium.
    Page,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Rust, Self::Node, Self::Page];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Node => "node",
            Self::Page => "page",
        }
    }

    /// How much of the machine one run needs. A page draws, without a graphics card: what it does beside another says nothing
    /// of lines.
    pub(crate) fn weight(self) -> usize {
        match self {
            Self::Rust | Self::Node => 1,
            Self::Page => CAPACITY,
        }
    }

    /// How many players one run has.
    pub(crate) fn players(self) -> usize {
        match self {
            Self::Rust | Self::Node => 2,
            Self::Page => 1,
        }
    }

    /// The words that start it.
    fn command(self) -> anyhow::Result<[PathBuf; 2]> {
        let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web");
        Ok(match self {
            Self::Rust => [env::current_exe()?, "--client".into()],
            Self::Node => ["node".into(), web.join("test/lab.mjs")],
            Self::Page => ["node".into(), web.join("e2e/lines.mjs")],
        })
    }

    /// Says what is missing, if anything is.
    pub(crate) fn check(self) -> anyhow::Result<()> {
        let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web");
        let needs: PathBuf = match self {
            Self::Rust => return Ok(()),
            Self::Node => web.join("node_modules/ws"),
            Self::Page => web.join("e2e/node_modules/playwright-core"),
        };
        ensure!(needs.exists(), "{} is missing: `make lines` installs it", needs.display());
        Ok(())
    }
}

/// A running client; killed when dropped.
pub(crate) struct Child {
    process: Process,
    stdin: ChildStdin,
    said: Receiver<Value>,
}

impl Child {
    /// Starts it, by a command that runs others if there is one.
    pub(crate) fn start(kind: Kind, by: &[&str], url: &str, room: Uuid) -> anyhow::Result<Self> {
        let words: Vec<PathBuf> = by.iter().map(PathBuf::from).chain(kind.command()?).collect();
        let mut process = Command::new(&words[0])
            .args(&words[1..])
            .args([url, &room.to_string(), &kind.players().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start the {} client", kind.name()))?;
        let stdin = process.stdin.take().context("it has no standard input")?;
        let stdout = BufReader::new(process.stdout.take().context("it has no standard output")?);
        let (tell, said) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Ok(value) = serde_json::from_str::<Value>(&line) {
                    // Nobody listens any more: it is being killed.
                    tell.send(value).ok();
                }
            }
        });
        Ok(Self { process, stdin, said })
    }

    pub(crate) fn tell(&mut self, word: &str) -> anyhow::Result<()> {
        writeln!(self.stdin, "{word}").context("the client is gone")
    }

    /// Waits until it has said this so often.
    pub(crate) fn wait(&mut self, word: &str, times: usize, patience: Duration) -> anyhow::Result<Value> {
        let deadline = Instant::now() + patience;
        let mut heard = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(value) = self.said.recv_timeout(left) else { bail!("the client does not say {word}") };
            heard += usize::from(value.get(word).is_some());
            if heard == times {
                return Ok(value);
            }
        }
    }

    /// Ends the game, and gives what was noted.
    pub(crate) fn finish(mut self) -> anyhow::Result<Vec<Record>> {
        self.tell("end")?;
        let mut said = self.wait("records", 1, Duration::from_secs(30))?;
        Ok(serde_json::from_value(said["records"].take())?)
    }

    /// Stops the process and all that it has started, as a closed laptop does; or lets them go on.
    pub(crate) fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let all = family(self.process.id());
        // One that has ended meanwhile is complained of, and does not matter.
        Command::new("kill").arg(signal).args(all.iter().map(u32::to_string)).stderr(Stdio::null()).status()?;
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.signal("-KILL");
        self.process.wait().ok();
    }
}

/// A process and its descendants.
fn family(root: u32) -> Vec<u32> {
    let mut all = vec![root];
    let parents: Vec<_> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|pid| Some((pid, parent(pid)?)))
        .collect();
    let mut next = 0;
    while next < all.len() {
        let children = parents.iter().filter(|(_, parent)| *parent == all[next]).map(|(pid, _)| *pid);
        let children: Vec<_> = children.collect();
        all.extend(children);
        next += 1;
    }
    all
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may have blanks and parentheses.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
