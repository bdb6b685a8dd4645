//! The rim for packets: two network namespaces of its own, a TUN device in each, and a thread that passes packets
//! between them. Programs in them speak real TCP over a line with real losses. Needs Linux, root, `ip` and
//! `/dev/net/tun`.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    net::Ipv4Addr,
    os::fd::AsFd as _,
    process::{Command, id},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_setfl},
    thread::{LinkNameSpaceType, move_into_link_name_space},
};

use crate::{control::Control, packets::Packets, profile::Profile};

mod device;

/// The address for the server, and the one players come from; the same in every tunnel, since namespaces share nothing.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const PLAYERS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// The largest packet.
const MTU: usize = 1500;

/// The interval at which the forwarder checks whether to stop.
const LOOK: Duration = Duration::from_millis(20);

/// A line between two namespaces, which are deleted when it is dropped.
#[derive(Debug)]
pub struct Tunnel {
    control: Control,
    players: Namespace,
    server: Namespace,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Tunnel {
    /// Opens a tunnel. [`Control::begin`] starts the steps of the profile.
    ///
    /// # Errors
    ///
    /// If this machine lacks something; the error says what.
    pub fn open(profile: &Profile, seed: u64) -> io::Result<Self> {
        let (players, server) = (Namespace::new("players")?, Namespace::new("server")?);
        let ends = [players.device(PLAYERS, SERVER)?, server.device(SERVER, PLAYERS)?];
        let control = Control::new(profile.clone(), seed);
        let stop = Arc::new(AtomicBool::new(false));
        let forward = {
            let (control, stop) = (control.clone(), Arc::clone(&stop));
            move || {
                // A device that fails is gone with its namespace.
                forward(ends, &control, seed, &stop).ok();
            }
        };
        let thread = Some(thread::Builder::new().name("tunnel".to_owned()).spawn(forward)?);
        Ok(Self { control, players, server, stop, thread })
    }

    /// The handle to change the line.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The beginning of a command that runs another one in the players' namespace: append that command's words.
    pub fn players_run(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.players.0]
    }

    /// Moves this thread, and everything that it starts, into the server's namespace.
    ///
    /// # Errors
    ///
    /// If the system does not allow it.
    pub fn enter_server(&self) -> io::Result<()> {
        self.server.enter()
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic was printed there when it happened.
            thread.join().ok();
        }
    }
}

/// A named network namespace, deleted when dropped.
#[derive(Debug)]
struct Namespace(String);

impl Namespace {
    fn new(role: &str) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("tiltyard-{role}-{}-{}", id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        ip(&["netns", "add", &name])?;
        let namespace = Self(name);
        ip(&["-n", &namespace.0, "link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    fn enter(&self) -> io::Result<()> {
        let name = File::open(format!("/run/netns/{}", self.0))?;
        Ok(move_into_link_name_space(name.as_fd(), Some(LinkNameSpaceType::Network))?)
    }

    /// Creates a TUN device in it, with its address and that of the other end.
    fn device(&self, own: Ipv4Addr, other: Ipv4Addr) -> io::Result<File> {
        let device = thread::scope(|scope| {
            let open = || {
                self.enter()?;
                let file = OpenOptions::new().read(true).write(true).open("/dev/net/tun")?;
                device::attach(&file, "line0")?;
                fcntl_setfl(&file, OFlags::NONBLOCK)?;
                Ok(file)
            };
            scope.spawn(open).join().unwrap_or_else(|_| Err(io::Error::other("the thread panicked")))
        })?;
        ip(&["-n", &self.0, "addr", "add", &own.to_string(), "peer", &other.to_string(), "dev", "line0"])?;
        ip(&["-n", &self.0, "link", "set", "line0", "mtu", &MTU.to_string(), "up"])?;
        Ok(device)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // A namespace that is left behind has this process's number in its name.
        ip(&["netns", "delete", &self.0]).ok();
    }
}

fn ip(args: &[&str]) -> io::Result<()> {
    let output = Command::new("ip").args(args).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("ip {}: {}", args.join(" "), said.trim())))
}

/// Passes packets until told to stop: from the players' device up to the server's, and down.
fn forward(mut ends: [File; 2], control: &Control, seed: u64, stop: &AtomicBool) -> io::Result<()> {
    let conditions = control.conditions();
    let terms = *conditions.borrow();
    let mut ways = [Packets::new(terms.up, seed), Packets::new(terms.down, seed ^ 1)];
    let mut buffer = [0; 2 * MTU];
    while !stop.load(Ordering::Relaxed) {
        control.advance();
        let terms = *conditions.borrow();
        ways[0].set(terms.up);
        ways[1].set(terms.down);
        wait(&ends, control, &ways)?;
        for from in [0, 1] {
            while let Some(length) = unblocked(ends[from].read(&mut buffer))? {
                ways[from].push(buffer[..length].to_vec(), control.now());
            }
            while let Some(packet) = ways[from].poll(control.now()) {
                // A device whose own queue is full drops the packet, as a network card does.
                unblocked(ends[1 - from].write(&packet))?;
            }
        }
    }
    Ok(())
}

/// Waits until a packet can be read or is due.
fn wait(ends: &[File; 2], control: &Control, ways: &[Packets; 2]) -> io::Result<()> {
    let due = ways.iter().filter_map(Packets::deadline).min();
    let wait = due.map_or(LOOK, |due| due.saturating_sub(control.now()).min(LOOK));
    let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
    let mut fds = [PollFd::new(&ends[0], PollFlags::IN), PollFd::new(&ends[1], PollFlags::IN)];
    poll(&mut fds, Some(&wait))?;
    Ok(())
}

fn unblocked(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(length) => Ok(Some(length)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
