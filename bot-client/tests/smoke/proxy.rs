//! A narrow line: passes everything up, and down only so many bytes a second, through sockets with 4 KiB buffers.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpSocket,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
    time::sleep,
};

const BUFFER: u32 = 4 * 1024;
const WIDE: usize = 256 * 1024;
/// Bytes pass in helpings of at most this.
const HELPING: usize = 1024;

/// A proxy for one connection to a server.
pub(crate) struct Proxy {
    /// Where to connect.
    pub(crate) address: SocketAddr,
    rate: Arc<AtomicU64>,
    task: JoinHandle<std::io::Result<(SocketAddr, SocketAddr)>>,
    ends: tokio::sync::watch::Receiver<Option<(SocketAddr, SocketAddr)>>,
}

impl Proxy {
    /// Waits for one connection, which gets `rate` bytes a second.
    pub(crate) async fn start(server: SocketAddr, rate: u64) -> std::io::Result<Self> {
        let listener =
            narrow(TcpSocket::new_v4()?, |socket| socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))))?.listen(1)?;
        let address = listener.local_addr()?;
        let rate = Arc::new(AtomicU64::new(rate));
        let (tell, ends) = tokio::sync::watch::channel(None);
        let task = tokio::spawn(run(listener, server, Arc::clone(&rate), tell));
        Ok(Self { address, rate, task, ends })
    }

    /// The addresses of the server's connection: its own end here, and the server's.
    pub(crate) fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        *self.ends.borrow()
    }

    /// From now on everything passes.
    pub(crate) fn widen(&self) {
        self.rate.store(0, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn narrow(socket: TcpSocket, then: impl FnOnce(&TcpSocket) -> std::io::Result<()>) -> std::io::Result<TcpSocket> {
    socket.set_send_buffer_size(BUFFER)?;
    socket.set_recv_buffer_size(BUFFER)?;
    then(&socket)?;
    Ok(socket)
}

type Ends = tokio::sync::watch::Sender<Option<(SocketAddr, SocketAddr)>>;

async fn run(
    listener: TcpListener,
    server: SocketAddr,
    rate: Arc<AtomicU64>,
    tell: Ends,
) -> std::io::Result<(SocketAddr, SocketAddr)> {
    let (client, _) = listener.accept().await?;
    let upstream = narrow(TcpSocket::new_v4()?, |_| Ok(()))?.connect(server).await?;
    client.set_nodelay(true)?;
    upstream.set_nodelay(true)?;
    let ends = (upstream.local_addr()?, upstream.peer_addr()?);
    tell.send_replace(Some(ends));
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = upstream.into_split();
    tokio::try_join!(pass_up(client_read, server_write), pass_down(server_read, client_write, &rate))?;
    Ok(ends)
}

async fn pass_up(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> std::io::Result<()> {
    tokio::io::copy(&mut from, &mut to).await?;
    to.shutdown().await
}

async fn pass_down(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, rate: &AtomicU64) -> std::io::Result<()> {
    let mut helping = [0; HELPING];
    let mut wide = false;
    loop {
        let read = from.read(&mut helping).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&helping[..read]).await?;
        match rate.load(Ordering::Relaxed) {
            0 if !wide => {
                SockRef::from(from.as_ref()).set_recv_buffer_size(WIDE)?;
                SockRef::from(to.as_ref()).set_send_buffer_size(WIDE)?;
                wide = true;
            }
            0 => {}
            rate => sleep(Duration::from_secs_f64(read as f64 / rate as f64)).await,
        }
    }
}
