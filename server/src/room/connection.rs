//! One player's socket inside a room: incoming messages are counted and limited, writes never wait.

use std::{net::SocketAddr, time::Duration};

use tiltyard_core::admission::Bucket;
use tiltyard_shared::{
    game::PlayerId,
    protocol::{ClientMessage, Code, ServerMessage, limits},
};

use super::drain::Drain;
use crate::{
    config::Timing,
    log::SessionName,
    net::{
        keepalive::{Beat, Keepalive},
        socket::{self, Gone, Inbox, Socket},
    },
};

/// The maximum number of messages that one scan takes from a connection, so that nobody is served at the cost of
/// others; and the maximum number of bytes, because recent messages must not wait behind an upload.
const SCAN_MESSAGES: usize = 32;
const SCAN_BYTES: usize = 64 * 1024;

/// A connection that has a seat.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: Socket,
    messages: Bucket,
    inputs: Bucket,
    keepalive: Keepalive,
    blocked: bool,
    drain: Drain,
    owner: Owner,
}

/// Who a connection belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    /// The player in the room, or [`SPECTATOR`](tiltyard_core::room::SPECTATOR).
    pub(crate) player: PlayerId,
    /// The session's name in the log.
    pub(crate) session: SessionName,
    /// The capabilities of the client, as bits.
    pub(crate) capabilities: u64,
}

/// The state of a connection's line after a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flushed {
    /// The kernel has everything written before.
    pub(crate) clean: bool,
    /// Some of the blocked bytes have gone.
    pub(crate) moved: bool,
    /// The measured rate of the line in bytes per second.
    pub(crate) rate: Option<u32>,
}

impl Connection {
    /// Takes over a socket after its hello phase, in a room that keeps seats for `grace`.
    pub(crate) fn new(mut socket: Socket, owner: Owner, timing: &Timing, grace: Duration, now: Duration) -> Self {
        socket.widen();
        // Not before the pings would have found it dead. If this fails, only the pings do.
        let _ = socket.line().give_up_after(grace.max(timing.ping * timing.missed_pings));
        Self {
            socket,
            messages: Bucket::per_second(limits::MESSAGES_PER_SECOND, now),
            inputs: Bucket::per_second(limits::INPUTS_PER_SECOND, now),
            keepalive: Keepalive::new(timing.ping, timing.missed_pings, now),
            blocked: false,
            drain: Drain::default(),
            owner,
        }
    }

    /// Returns the socket, attached to this thread's runtime; `None` if it is lost.
    pub(crate) fn into_socket(mut self) -> Option<Socket> {
        self.socket.line_mut().attach().ok().map(|()| self.socket)
    }

    /// Whether the client has a capability.
    pub(crate) fn takes(&self, capability: u64) -> bool {
        self.owner.capabilities & capability != 0
    }

    /// Who it belongs to.
    pub(crate) fn owner(&self) -> Owner {
        self.owner
    }

    /// The address of the other end.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.socket.line().peer()
    }

    /// Hands received messages to `take`, within limits; further ones wait for the next scan. `inbox` lends memory.
    ///
    /// # Errors
    ///
    /// If the connection has to end: it is lost, broke a rule, or `take` says so.
    pub(crate) fn scan(
        &mut self,
        inbox: &mut Inbox,
        now: Duration,
        mut take: impl FnMut(ClientMessage) -> Result<(), Code>,
    ) -> Result<(), Gone> {
        let (mut bytes, mut messages) = (0, 0);
        loop {
            let more = self.socket.fetch(inbox)?;
            while messages < SCAN_MESSAGES
                && let Some(incoming) = self.socket.next(inbox)?
            {
                messages += 1;
                self.keepalive.note_life();
                if !self.messages.take(now) {
                    return Err(Code::TooFast.into());
                }
                match socket::hear(&mut self.socket, &incoming)? {
                    None => {}
                    Some(ClientMessage::Pong { number, held_ms }) => {
                        self.keepalive.answer(number, Duration::from_millis(held_ms.into()), now);
                    }
                    Some(message) => {
                        if let ClientMessage::Inputs { inputs, .. } = &message
                            && !self.inputs.take_all(inputs.len(), now)
                        {
                            return Err(Code::TooFast.into());
                        }
                        take(message)?;
                    }
                }
            }
            self.socket.keep(inbox);
            bytes += more.unwrap_or(SCAN_BYTES);
            if bytes >= SCAN_BYTES || messages >= SCAN_MESSAGES {
                return Ok(());
            }
        }
    }

    /// Hands earlier writes to the kernel.
    ///
    /// # Errors
    ///
    /// If the connection is lost.
    pub(crate) fn flush(&mut self, now: Duration) -> Result<Flushed, Gone> {
        let was_blocked = self.blocked;
        let clean = socket::unless_blocked(self.socket.flush())?;
        self.blocked = !clean;
        let (moved, rate) = self.drain.note(now, self.socket.line().sent(), was_blocked);
        if moved {
            self.keepalive.note_life();
        }
        Ok(Flushed { clean, moved, rate })
    }

    /// Whether written bytes wait for the kernel.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Writes a frame. Call it after a clean [`Self::flush`]. What the kernel does not take now stays in the line.
    /// `scratch` lends memory, so that nothing is allocated.
    ///
    /// # Errors
    ///
    /// If the connection is lost.
    pub(crate) fn write(&mut self, frame: &[u8], scratch: &mut Vec<u8>) -> Result<(), Gone> {
        self.blocked = !socket::send_frame(&mut self.socket, frame, scratch)?;
        Ok(())
    }

    /// Sends a control message.
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
    /// [`Gone::Silent`] if there was no sign of life for too long, [`Gone::Lost`] if the connection is.
    pub(crate) fn beat(&mut self, now: Duration) -> Result<(), Gone> {
        match self.keepalive.beat(now, self.blocked) {
            Beat::Wait => Ok(()),
            Beat::Silent => Err(Gone::Silent),
            Beat::Ping(number) => self.say(&ServerMessage::Ping { number }),
        }
    }

    /// The typical round trip.
    pub(crate) fn round_trip(&self) -> Duration {
        self.keepalive.round_trip()
    }

    /// Returns the bytes received and sent since the last call.
    pub(crate) fn take_traffic(&mut self) -> (u64, u64) {
        self.socket.line_mut().take_traffic()
    }
}
