//! One player's socket inside a room: what arrives is counted and limited, what goes out never waits.

use std::{net::SocketAddr, time::Duration};

use super::heartbeat::{Beat, Heartbeat};
use crate::{
    config::Timing,
    socket::{self, Gone, Inbox, Socket},
};
use tiltyard_core::admission::Bucket;
use tiltyard_shared::protocol::{ClientMessage, Code, ServerMessage, limits};

/// Most messages that one scan takes from a connection, so that nobody is served at the cost of others.
const SCAN_MESSAGES: usize = 32;

/// A connection that has a seat.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: Socket,
    bucket: Bucket,
    heartbeat: Heartbeat,
    blocked: bool,
    /// What its client understands: bits.
    capabilities: u64,
}

impl Connection {
    /// Takes over a socket whose hello phase is done.
    pub(crate) fn new(mut socket: Socket, capabilities: u64, timing: &Timing, now: Duration) -> Self {
        socket.widen();
        Self {
            socket,
            bucket: Bucket::per_second(limits::MESSAGES_PER_SECOND, now),
            heartbeat: Heartbeat::new(timing.ping, timing.missed_pings, now),
            blocked: false,
            capabilities,
        }
    }

    /// Gives the socket back, on this thread's runtime; `None` if it is lost.
    pub(crate) fn into_socket(mut self) -> Option<Socket> {
        self.socket.line_mut().attach().ok().map(|()| self.socket)
    }

    /// Whether the client understands something that not all do.
    pub(crate) fn takes(&self, capability: u64) -> bool {
        self.capabilities & capability != 0
    }

    /// The address of the other end.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.socket.line().peer()
    }

    /// Hands over what has arrived, within limits; what is beyond them waits for the next scan. `inbox` lends memory.
    ///
    /// # Errors
    ///
    /// If the connection cannot go on: it is lost, broke a rule, or `take` says so.
    pub(crate) fn scan(
        &mut self,
        inbox: &mut Inbox,
        now: Duration,
        mut take: impl FnMut(ClientMessage) -> Result<(), Code>,
    ) -> Result<(), Gone> {
        self.socket.fetch(inbox)?;
        for _ in 0..SCAN_MESSAGES {
            let Some(incoming) = self.socket.next(inbox)? else { break };
            if !self.bucket.take(now) {
                return Err(Code::TooFast.into());
            }
            if let Some(number) = socket::answered(&incoming) {
                self.heartbeat.answer(number, now);
            } else if let Some(message) = socket::hear(&mut self.socket, &incoming)? {
                take(message)?;
            }
        }
        self.socket.keep(inbox);
        Ok(())
    }

    /// Whether everything written before is with the kernel now.
    ///
    /// # Errors
    ///
    /// If the connection is lost.
    pub(crate) fn flush(&mut self) -> Result<bool, Gone> {
        let flushed = socket::unless_blocked(self.socket.flush())?;
        self.blocked = !flushed;
        Ok(flushed)
    }

    /// Writes a frame; to be called after a clean [`Self::flush`]. What the kernel does not take now stays in the line.
    /// `scratch` lends memory, so that nothing is allocated.
    ///
    /// # Errors
    ///
    /// If the connection is lost.
    pub(crate) fn write(&mut self, frame: &[u8], scratch: &mut Vec<u8>) -> Result<(), Gone> {
        self.blocked = !socket::send_frame(&mut self.socket, frame, scratch)?;
        Ok(())
    }

    /// Says something beside frames.
    ///
    /// # Errors
    ///
    /// If the connection is lost.
    pub(crate) fn say(&mut self, message: &ServerMessage) -> Result<(), Gone> {
        socket::say(&mut self.socket, message)
    }

    /// Sends a ping when one is due.
    ///
    /// # Errors
    ///
    /// [`Gone::Silent`] if too many were not answered, [`Gone::Lost`] if the connection is.
    pub(crate) fn beat(&mut self, now: Duration) -> Result<(), Gone> {
        match self.heartbeat.beat(now, self.blocked) {
            Beat::Wait => Ok(()),
            Beat::Silent => Err(Gone::Silent),
            Beat::Ping(number) => socket::unless_blocked(self.socket.send(socket::ping(number))).map(|_| ()),
        }
    }

    /// The least round trip of the last 30 s, at most 1 s.
    pub(crate) fn round_trip(&self) -> Duration {
        self.heartbeat.round_trip()
    }

    /// The bytes received and sent since this was last called.
    pub(crate) fn take_traffic(&mut self) -> (u64, u64) {
        self.socket.line_mut().take_traffic()
    }
}
