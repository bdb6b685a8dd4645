//! The socket under every WebSocket: non-blocking `Read` and `Write` over a TCP stream.
//!
//! tungstenite is driven directly by the socket's owner. Outside of rooms a line is *attached*: a runtime watches it
//! and tells when it can be read. Inside a room it is *detached*: nobody watches it, and the room reads it when it
//! wants to, so that players' messages wake nobody. Detached lines move between threads. [`crate::net::socket`] speaks
//! WebSocket over it.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::SockRef;
use tokio::{net::TcpStream, sync::OwnedSemaphorePermit};

use crate::metrics;

/// The kernel's send buffer of a connection (the kernel doubles it for its own bookkeeping). It is small, so that a
/// slow reader is noticed after some frames instead of minutes.
const SEND_BUFFER_BYTES: usize = 32 * 1024;

/// The number of unsent bytes above which the kernel takes no more.
const NOT_SENT_BYTES: u32 = 16 * 1024;

/// A permit to have a socket: one of those that leave some of the process' open files to others. Held until the socket
/// is closed.
#[derive(Clone, Debug)]
pub(crate) struct SocketPermit {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl From<OwnedSemaphorePermit> for SocketPermit {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: Arc::new(permit) }
    }
}

/// A TCP connection. Closes, and counts its traffic, when dropped.
#[derive(Debug)]
pub(crate) struct Transport {
    // Closed before its permit is given back.
    stream: Stream,
    _permit: Option<SocketPermit>,
    peer: SocketAddr,
    /// The bytes of the last [`Transport::write_whole`] that the kernel did not take.
    rest: Vec<u8>,
    received: u64,
    sent: u64,
    /// The parts of `received` and `sent` that were taken as traffic.
    told: (u64, u64),
    /// Bytes that wait for the kernel: `rest`, and the part of the last write that it did not take (these are in the
    /// WebSocket's own buffer, which offers all of them with each attempt).
    unsent: usize,
}

#[derive(Debug)]
enum Stream {
    Attached(TcpStream),
    Detached(std::net::TcpStream),
    /// Between runtimes, or lost on the way.
    Gone,
}

/// Sets the options of a connection that has just been accepted.
///
/// # Errors
///
/// Those of `setsockopt`: the connection is useless then.
pub(crate) fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_notsent_lowat(NOT_SENT_BYTES)?;
        // Frames are few and small: one that is lost twice must not wait twice as long each time.
        socket.set_tcp_thin_linear_timeouts(true)?;
    }
    Ok(())
}

impl Transport {
    /// Wraps a connected stream, and holds its permit if it has one.
    ///
    /// # Errors
    ///
    /// If the peer is already gone.
    pub(crate) fn new(stream: TcpStream, permit: Option<SocketPermit>) -> io::Result<Self> {
        let peer = stream.peer_addr()?;
        metrics::connection_opened();
        Ok(Self {
            stream: Stream::Attached(stream),
            _permit: permit,
            peer,
            rest: Vec::new(),
            received: 0,
            sent: 0,
            told: (0, 0),
            unsent: 0,
        })
    }

    /// The address of the other end.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Whether written bytes wait for the kernel.
    pub(crate) fn is_blocked(&self) -> bool {
        self.unsent > 0
    }

    /// Waits until there may be something to read.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.attached()?.readable().await
    }

    /// Waits until there may be room to write.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.attached()?.writable().await
    }

    /// Shuts down writing; the peer may still send.
    pub(crate) fn finish_writing(&self) -> io::Result<()> {
        SockRef::from(self.attached()?).shutdown(Shutdown::Write)
    }

    /// Takes the stream off this thread's runtime.
    pub(crate) fn detach(&mut self) -> io::Result<()> {
        if let Stream::Attached(stream) = std::mem::replace(&mut self.stream, Stream::Gone) {
            self.stream = Stream::Detached(stream.into_std()?);
        }
        Ok(())
    }

    /// Puts the stream onto this thread's runtime.
    pub(crate) fn attach(&mut self) -> io::Result<()> {
        if let Stream::Detached(stream) = std::mem::replace(&mut self.stream, Stream::Gone) {
            self.stream = Stream::Attached(TcpStream::from_std(stream)?);
        }
        self.attached().map(|_| ())
    }

    /// Returns the bytes received and sent since the last call. The rest is counted when the line is dropped.
    pub(crate) fn take_traffic(&mut self) -> (u64, u64) {
        let told = std::mem::replace(&mut self.told, (self.received, self.sent));
        (self.received - told.0, self.sent - told.1)
    }

    /// The total number of bytes that the kernel has taken.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Ends the connection when sent data stays unacknowledged for so long, instead of after a quarter of an hour.
    ///
    /// # Errors
    ///
    /// Those of `setsockopt`.
    pub(crate) fn give_up_after(&self, patience: Duration) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        match &self.stream {
            Stream::Attached(stream) => SockRef::from(stream).set_tcp_user_timeout(Some(patience))?,
            Stream::Detached(stream) => SockRef::from(stream).set_tcp_user_timeout(Some(patience))?,
            Stream::Gone => return Err(io::ErrorKind::NotConnected.into()),
        }
        Ok(())
    }

    fn set_unsent(&mut self, bytes: usize) {
        if bytes != self.unsent {
            metrics::unsent(self.unsent, bytes);
            self.unsent = bytes;
        }
    }

    /// Takes all of these bytes. Those that the kernel does not take now are kept, and go before later writes. Call it
    /// after a clean flush, so that never more than one message is kept; the memory of `rest` is reused.
    ///
    /// # Errors
    ///
    /// If the connection is broken, and `WouldBlock` if some bytes were kept.
    pub(crate) fn write_whole(&mut self, bytes: &[u8]) -> io::Result<()> {
        debug_assert!(self.rest.is_empty(), "the line was flushed");
        let written = match self.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            written => written?,
        };
        self.rest.extend_from_slice(&bytes[written..]);
        if self.rest.is_empty() { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }

    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.stream {
            Stream::Detached(stream) => send(stream, bytes, SendFlags::NOSIGNAL)?,
            _ => self.attached()?.try_write(bytes)?,
        };
        self.sent += written as u64;
        Ok(written)
    }

    fn attached(&self) -> io::Result<&TcpStream> {
        match &self.stream {
            Stream::Attached(stream) => Ok(stream),
            Stream::Detached(_) | Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        let (received, sent) = self.take_traffic();
        metrics::traffic(received, sent);
        self.set_unsent(0);
        metrics::connection_closed();
    }
}

impl Read for Transport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.stream {
            Stream::Detached(stream) => recv(stream, buffer, RecvFlags::empty())?.0,
            _ => self.attached()?.try_read(buffer)?,
        };
        self.received += read as u64;
        Ok(read)
    }
}

impl Write for Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.flush().and_then(|()| self.write_some(bytes));
        let written = *result.as_ref().unwrap_or(&0);
        self.set_unsent(self.rest.len() + bytes.len() - written);
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            let written = self.write_some(&rest);
            self.rest = rest;
            match written? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => drop(self.rest.drain(..written)),
            }
            self.set_unsent(self.rest.len());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt as _, net::TcpListener};

    use super::*;

    #[tokio::test]
    async fn what_the_kernel_does_not_take_is_counted_until_it_does() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (peer, accepted) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (mut peer, (stream, _)) = (peer.expect("connected"), accepted.expect("accepted"));
        set_options(&stream).expect("options");
        let mut line = Transport::new(stream, None).expect("a line");
        let bytes = vec![7; 64 * 1024];
        line.writable().await.expect("a connection");
        let blocked = loop {
            match line.write(&bytes) {
                Ok(written) => assert_eq!(line.unsent, bytes.len() - written),
                Err(error) => break error,
            }
        };
        assert_eq!(blocked.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(line.unsent, bytes.len());
        let mut sink = vec![0; 1024 * 1024];
        while line.unsent > 0 {
            tokio::select! {
                read = peer.read(&mut sink) => assert_ne!(read.expect("bytes"), 0),
                ready = line.writable() => {
                    ready.expect("a connection");
                    let _ = line.write(&bytes[..1]);
                }
            }
        }
    }
}
