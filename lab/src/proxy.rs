//! The rim: a TCP proxy on a port of this machine, with a line between its two sides.
//!
//! It runs on a thread of its own, so that tests with any runtime, or none, can use it. It reads no faster than the
//! line's queue drains, through small socket buffers, so that senders feel the line. Connections are accepted at once,
//! as the kernel does it, but nothing is passed before the [`Opening`](crate::opening::Opening) is done.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket},
    runtime, select,
    sync::{Semaphore, oneshot},
    time::sleep_until,
};

use crate::{
    control::Control,
    profile::{Change, Profile, Ways},
};

mod link;
mod pump;

/// The size of socket buffers on both sides; Linux doubles it.
const BUFFER: u32 = 4 * 1024;

/// The maximum number of connections that wait to be accepted.
const BACKLOG: u32 = 4096;

/// The maximum number of connections; further ones wait in the backlog.
const CONNECTIONS: usize = 8192;

/// A running proxy. Dropping it ends it and resets open connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    control: Control,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts a proxy on a free port of this machine. [`Proxy::begin`] starts the steps of the profile.
    ///
    /// # Errors
    ///
    /// If the system has no port or thread left.
    pub fn start(profile: &Profile, seed: u64, target: SocketAddr) -> io::Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), profile, seed, target)
    }

    /// Starts a proxy at this address.
    ///
    /// # Errors
    ///
    /// If the address is taken, or the system has no thread left.
    pub fn start_at(listen: SocketAddr, profile: &Profile, seed: u64, target: SocketAddr) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _context = runtime.enter();
            let socket = small(&listen)?;
            socket.set_reuseaddr(true)?;
            socket.bind(listen)?;
            socket.listen(BACKLOG)?
        };
        let address = listener.local_addr()?;
        let control = Control::new(profile.clone(), seed);
        let (stop, stopped) = oneshot::channel();
        let run = {
            let control = control.clone();
            move || {
                runtime.block_on(async {
                    select! {
                        () = accept(listener, target, &control) => {}
                        () = keep_time(&control) => {}
                        _ = stopped => {}
                    }
                });
            }
        };
        let thread = thread::Builder::new().name("line".to_owned()).spawn(run)?;
        Ok(Self { address, control, stop: Some(stop), thread: Some(thread) })
    }

    /// The address to connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The handle to change it from another thread.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Starts the steps of the profile.
    pub fn begin(&self) {
        self.control.begin();
    }

    /// Changes the line to another profile; open connections stay open.
    pub fn set(&self, profile: &Profile) {
        self.control.set(profile);
    }

    /// Changes the line.
    pub fn change(&self, change: Change) {
        self.control.change(change);
    }

    /// Resets open connections on both sides.
    pub fn cut(&self) {
        self.change(Change::Cut);
    }

    /// Lets nothing pass any more, without notice.
    pub fn silence(&self) {
        self.change(Change::Silence(Ways::Both));
    }

    /// Lets nothing pass on this way, and on the other only what TCP sends without answers.
    pub fn half_open(&self, silent: Ways) {
        self.change(Change::Silence(silent));
    }

    /// Lets everything pass again.
    pub fn resume(&self) {
        self.change(Change::Resume);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic was printed there when it happened.
            thread.join().ok();
        }
    }
}

/// A socket with small buffers.
fn small(to: &SocketAddr) -> io::Result<TcpSocket> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_send_buffer_size(BUFFER)?;
    socket.set_recv_buffer_size(BUFFER)?;
    Ok(socket)
}

async fn accept(listener: TcpListener, target: SocketAddr, control: &Control) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut number = 0u64;
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        // Out of file descriptors, or the client is gone already: the next one may succeed.
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        number += 1;
        let link = link::run(client, target, control.clone(), number);
        tokio::spawn(async move {
            link.await;
            drop(place);
        });
    }
}

/// Takes the steps of the profile at their times.
async fn keep_time(control: &Control) {
    let mut conditions = control.conditions();
    loop {
        let due = control.deadline();
        select! {
            () = async { sleep_until(control.instant(due.unwrap_or_default())).await }, if due.is_some() => {
                control.advance();
            }
            _ = conditions.changed() => {}
        }
    }
}
