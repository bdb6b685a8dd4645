//! A WebSocket over a [`Transport`]: its settings, reading, control messages, and closing.
//!
//! The same type serves a connection from its handshake until it closes; its current owner drives it. Almost all
//! messages between players and rooms are single frames. Those are read and written here; the rest of WebSocket
//! (control frames, fragments, closing, protocol errors) is left to tungstenite.

use std::{
    fmt,
    io::{self, Read, Write},
};

use tiltyard_shared::protocol::{
    ClientMessage, Code, ServerMessage, VERSION,
    codec::{self, CodecError},
    limits,
};
use tokio_tungstenite::tungstenite::{
    self, Message,
    error::Error,
    protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext},
};

use crate::{metrics, net::transport::Transport};

mod close;
mod inbox;

pub(crate) use close::close_handshake;
use inbox::Arrived;
pub(crate) use inbox::Inbox;

/// A player's connection. The fields that a tick needs are together; tungstenite's part is boxed.
#[derive(Debug)]
pub(crate) struct Socket {
    line: Transport,
    /// Whether tungstenite may have something to write.
    unflushed: bool,
    /// Whether a fragmented message is being received.
    open: bool,
    /// The maximum size of a received message.
    limit: usize,
    /// The beginning of an incomplete frame.
    left: Vec<u8>,
    context: Box<WebSocketContext>,
}

/// Something that was received.
#[derive(Debug)]
pub(crate) enum Incoming<'a> {
    /// The payload of a binary message.
    Binary(&'a [u8]),
    /// Anything else; `None` if it has no meaning by itself.
    Other(Option<Message>),
}

/// The size of tungstenite's read buffer; it gets single frames.
const READ_BUFFER_BYTES: usize = 128;

/// The maximum size of control messages that wait for a blocked line. Frames do not pass through this buffer.
const WRITE_BUFFER_BYTES: usize = limits::CHUNK_BYTES + 64 * 1024 + 64;

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// It broke or was closed by the peer. Nobody is left to be told.
    Lost,
    /// It does not answer pings. Its player may come back on another connection.
    Silent,
    /// It speaks version 1 of the protocol, and gets an answer that this version can read.
    Older,
    /// We close it with this code.
    Closing(Code),
}

impl Gone {
    /// The code for the peer, if it can be told anything.
    pub(crate) fn code(self) -> Option<Code> {
        match self {
            Self::Lost => None,
            Self::Silent => Some(Code::Unresponsive),
            Self::Older => Some(Code::WrongVersion),
            Self::Closing(code) => Some(code),
        }
    }
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code() {
            None => f.write_str("connection lost"),
            Some(code) => code.fmt(f),
        }
    }
}

impl From<Code> for Gone {
    fn from(code: Code) -> Self {
        Self::Closing(code)
    }
}

impl From<Error> for Gone {
    fn from(error: Error) -> Self {
        match error {
            Error::Capacity(_) => Self::Closing(Code::TooLarge),
            Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => Self::Lost,
            Error::Protocol(_) | Error::Utf8(_) | Error::AttackAttempt => Self::Closing(Code::Malformed),
            Error::WriteBufferFull(_) => Self::Closing(Code::Internal),
            _ => Self::Lost,
        }
    }
}

/// The stream that tungstenite reads and writes: the bytes of one frame, and the line.
struct Fed<'a> {
    frame: &'a [u8],
    line: &'a mut Transport,
}

impl Read for Fed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.frame.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { self.frame.read(buffer) }
    }
}

impl Write for Fed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.line.flush()
    }
}

impl Socket {
    /// The server's end of a WebSocket after the handshake; `early` are the bytes that came with it.
    pub(crate) fn open(line: Transport, early: Vec<u8>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BUFFER_BYTES)
            .max_message_size(Some(limits::HELLO_BYTES))
            .max_frame_size(Some(limits::HELLO_BYTES));
        let context = Box::new(WebSocketContext::new(Role::Server, Some(config)));
        Self { line, unflushed: false, open: false, limit: limits::HELLO_BYTES, left: early, context }
    }

    /// Raises the message limit to that of rooms.
    pub(crate) fn widen(&mut self) {
        self.limit = limits::MESSAGE_BYTES;
        self.context.set_config(|config| {
            config.max_message_size = Some(limits::MESSAGE_BYTES);
            config.max_frame_size = Some(limits::MESSAGE_BYTES);
        });
    }

    /// The underlying line.
    pub(crate) fn line(&self) -> &Transport {
        &self.line
    }

    /// The underlying line.
    pub(crate) fn line_mut(&mut self) -> &mut Transport {
        &mut self.line
    }

    /// Reads available bytes once, behind those left over. Call [`Self::next`] then until it returns `None`, and
    /// [`Self::keep`]. Returns the number of bytes if there may be more.
    ///
    /// # Errors
    ///
    /// [`Gone::Lost`] if the peer has closed or the connection is broken.
    pub(crate) fn fetch(&mut self, inbox: &mut Inbox) -> Result<Option<usize>, Gone> {
        let free = inbox.begin(&self.left);
        let room = free.len();
        match self.line.read(free) {
            Ok(0) if room > 0 => Err(Gone::Lost),
            Ok(read) => {
                inbox.fill(read);
                Ok((read == room).then_some(read))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(_) => Err(Gone::Lost),
        }
    }

    /// Returns the next received item; `None` if there is no more.
    ///
    /// # Errors
    ///
    /// Those of tungstenite, for violations of the WebSocket protocol and messages that are too large.
    pub(crate) fn next<'a>(&mut self, inbox: &'a mut Inbox) -> Result<Option<Incoming<'a>>, Error> {
        match inbox.next(self.open, self.limit)? {
            None => Ok(None),
            Some(Arrived::Message(payload)) => Ok(Some(Incoming::Binary(inbox.get(payload)))),
            Some(Arrived::Other { frame, open }) => {
                self.open = open;
                self.feed(inbox.get(frame)).map(Incoming::Other).map(Some)
            }
        }
    }

    /// Keeps the bytes that were not taken for the next time. Bytes taken before an error are lost with the connection.
    pub(crate) fn keep(&mut self, inbox: &Inbox) {
        self.left.clear();
        self.left.extend_from_slice(inbox.left());
    }

    fn feed(&mut self, frame: &[u8]) -> Result<Option<Message>, Error> {
        self.unflushed = true;
        let mut fed = Fed { frame, line: &mut self.line };
        match self.context.read(&mut fed) {
            Ok(message) => {
                if message.is_ping() {
                    self.answer()?;
                }
                Ok(Some(message))
            }
            Err(error) if would_block(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the answer to a ping, now or with the next flush.
    fn answer(&mut self) -> Result<(), Error> {
        match self.flush() {
            Err(error) if would_block(&error) => Ok(()),
            flushed => flushed,
        }
    }

    /// Flushes. `Ok` means that the kernel has everything written before.
    ///
    /// # Errors
    ///
    /// Those of the connection; `WouldBlock` if some of it waits for the kernel.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        if self.unflushed || self.line.is_blocked() {
            self.context.flush(&mut Fed { frame: &[], line: &mut self.line })?;
            self.unflushed = false;
        }
        Ok(())
    }

    /// Writes a message with tungstenite, and flushes.
    ///
    /// # Errors
    ///
    /// Those of the connection; `WouldBlock` if some of it waits for the kernel.
    pub(crate) fn send(&mut self, message: Message) -> Result<(), Error> {
        self.unflushed = true;
        self.context.write(&mut Fed { frame: &[], line: &mut self.line }, message)?;
        self.flush()
    }

    /// Sends a close frame.
    fn close(&mut self, frame: CloseFrame) -> Result<(), Error> {
        self.unflushed = true;
        self.context.close(&mut Fed { frame: &[], line: &mut self.line }, Some(frame))
    }
}

/// Decodes the client's message in a received item; `None` for those that WebSocket itself handles, and for those
/// answered here: a ping, and a message of a later version.
///
/// # Errors
///
/// [`Gone::Lost`] for a close, [`Code::Malformed`] for anything that is not a client's message, [`Code::WrongVersion`]
/// or [`Gone::Older`] for the hello of another version.
pub(crate) fn hear(socket: &mut Socket, incoming: &Incoming<'_>) -> Result<Option<ClientMessage>, Gone> {
    let bytes = match incoming {
        Incoming::Binary(bytes) => bytes,
        Incoming::Other(Some(Message::Binary(bytes))) => bytes.as_ref(),
        Incoming::Other(None | Some(Message::Ping(_) | Message::Pong(_))) => return Ok(None),
        Incoming::Other(Some(Message::Close(_))) => return Err(Gone::Lost),
        Incoming::Other(Some(Message::Text(_) | Message::Frame(_))) => return Err(Gone::Closing(Code::Malformed)),
    };
    match codec::decode_client(bytes) {
        Ok(ClientMessage::Ping { number }) => {
            say(socket, &ServerMessage::Pong { number, held_ms: 0 })?;
            Ok(None)
        }
        Ok(message) => Ok(Some(message)),
        Err(CodecError::Unknown(_)) => {
            metrics::refusal(Code::Unsupported);
            say(socket, &ServerMessage::refused(0, Code::Unsupported))?;
            Ok(None)
        }
        Err(_) => Err(match codec::decode_version(bytes) {
            Ok(1) => Gone::Older,
            Ok(version) if version != VERSION => Code::WrongVersion.into(),
            _ => Code::Malformed.into(),
        }),
    }
}

/// Whether an error only says that the socket is not ready.
pub(crate) fn would_block(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// Turns an error that only says that the socket is not ready into `Ok(false)`.
pub(crate) fn unless_blocked(result: Result<(), Error>) -> Result<bool, Gone> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if would_block(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Writes a binary message without waiting and without a copy in the socket's own buffer. Call it after a clean flush.
/// If the kernel does not take all of it now, the rest stays in the line and the result is `Ok(false)`. `scratch` lends
/// the memory for framing the message.
///
/// # Errors
///
/// If the connection is broken.
pub(crate) fn send_frame(socket: &mut Socket, payload: &[u8], scratch: &mut Vec<u8>) -> Result<bool, Gone> {
    scratch.clear();
    write_header(scratch, payload.len());
    scratch.extend_from_slice(payload);
    unless_blocked(socket.line.write_whole(scratch).map_err(Error::Io))
}

/// Writes the header of a server's binary message of one frame.
fn write_header(out: &mut Vec<u8>, len: usize) {
    const FINAL_BINARY: u8 = 0x82;
    out.push(FINAL_BINARY);
    match len {
        0..126 => out.push(len as u8),
        126..=0xFFFF => {
            out.push(126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

/// Writes a control message without waiting: what the kernel does not take now stays in the socket's buffer.
///
/// # Errors
///
/// If the connection is broken or closing, or its buffer is full.
pub(crate) fn say(socket: &mut Socket, message: &ServerMessage) -> Result<(), Gone> {
    unless_blocked(socket.send(Message::Binary(codec::encode_control(message).into()))).map(|_| ())
}

#[cfg(test)]
mod tests;
