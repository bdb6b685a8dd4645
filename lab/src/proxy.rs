//! The rim: a TCP proxy on a port of this machine, and between its two sides a line.
//!
//! It runs on a thread of its own, so that tests with any runtime, or none, can use it. It reads no faster than the line's
//! queue drains, through small socket buffers, so that whoever sends feels the line. Who connects is accepted at once, as
//! the kernel does it, but nothing is passed before the [`Opening`](crate::opening::Opening) is done.

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

/// Socket buffers are as small as that on both sides; Linux doubles it.
const BUFFER: u32 = 4 * 1024;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 4096;

/// Connections at a time; further ones wait in the backlog.
const CONNECTIONS: usize = 8192;

/// A running proxy. It ends when dropped, and resets what is open.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    control: Control,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts one on a free port of this machine. The steps of the profile count from [`Proxy::begin`] on.
    ///
    /// # Errors
    ///
    /// If the system gives no port or no thread.
    pub fn start(profile: &Profile, seed: u64, target: SocketAddr) -> io::Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), profile, seed, target)
    }

    /// Starts one at this address.
    ///
    /// # Errors
    ///
    /// If the address is taken, or the system gives no thread.
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

    /// Where to connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What changes it, for another thread.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The steps of the profile count from now on.
    pub fn begin(&self) {
        self.control.begin();
    }

    /// From now on it is another line; what is open stays so.
    pub fn set(&self, profile: &Profile) {
        self.control.set(profile);
    }

    /// Something changes.
    pub fn change(&self, change: Change) {
        self.control.change(change);
    }

    /// Resets what is open on both sides.
    pub fn cut(&self) {
        self.change(Change::Cut);
    }

    /// Nothing passes any more, and nobody is told.
    pub fn silence(&self) {
        self.change(Change::Silence(Ways::Both));
    }

    /// Nothing passes on this way; on the other what TCP sends without an answer.
    pub fn half_open(&self, silent: Ways) {
        self.change(Change::Silence(silent));
    }

    /// Everything passes again.
    pub fn resume(&self) {
        self.change(Change::Resume);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic there was printed when it happened.
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
        // Out of file descriptors, or a client that is gone already: the next one may be luckier.
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
