//! A WebSocket over a [`Line`]: its settings, how control messages are said, how it is closed.
//!
//! The same type serves a connection from its handshake until it closes; who owns it at the moment drives it.

use std::{
    fmt,
    io::{self, Read as _},
    time::Duration,
};

use tiltyard_shared::protocol::{ClientMessage, Code, ServerMessage, codec, limits};
use tokio::{task::yield_now, time::timeout};
use tokio_tungstenite::tungstenite::{
    self, Message,
    error::Error,
    protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
};

use crate::{line::Line, ops::metrics};

/// A player's connection.
pub(crate) type Socket = tungstenite::WebSocket<Line>;

/// tungstenite clears so much before each attempt to read, and holds it for each connection. Inputs are small; what is larger
/// takes more reads.
const READ_BUFFER_BYTES: usize = 512;

/// Most bytes of control messages that wait for a blocked line. Frames do not pass through this buffer.
const WRITE_BUFFER_BYTES: usize = limits::CHUNK_BYTES + 64 * 1024 + 64;

/// Why a connection cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// It broke or was closed by the peer. Nobody is there to be told.
    Lost,
    /// It does not answer pings. Its player may come back on another.
    Silent,
    /// We close it and say why.
    Closing(Code),
}

impl Gone {
    /// What the peer is told, if it can be told anything.
    pub(crate) fn code(self) -> Option<Code> {
        match self {
            Self::Lost => None,
            Self::Silent => Some(Code::Unresponsive),
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

/// The server's end of a WebSocket after the handshake; `early` are the bytes that came with it.
pub(crate) fn open(line: Line, early: Vec<u8>) -> Socket {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(Some(limits::HELLO_BYTES))
        .max_frame_size(Some(limits::HELLO_BYTES));
    Socket::from_partially_read(line, early, Role::Server, Some(config))
}

/// Lets messages be as large as they may be inside a room.
pub(crate) fn widen(socket: &mut Socket) {
    socket.set_config(|config| {
        config.max_message_size = Some(limits::MESSAGE_BYTES);
        config.max_frame_size = Some(limits::MESSAGE_BYTES);
    });
}

/// The client's message in a WebSocket message; `None` for one that WebSocket itself deals with.
///
/// # Errors
///
/// [`Gone::Lost`] for a close, [`Code::Malformed`] for what is not a client's message.
pub(crate) fn decode(message: &Message) -> Result<Option<ClientMessage>, Gone> {
    match message {
        Message::Binary(bytes) => codec::decode(bytes).map(Some).map_err(|_| Gone::Closing(Code::Malformed)),
        Message::Ping(_) | Message::Pong(_) => Ok(None),
        Message::Close(_) => Err(Gone::Lost),
        Message::Text(_) | Message::Frame(_) => Err(Gone::Closing(Code::Malformed)),
    }
}

/// Whether an error only says that the socket is not ready.
pub(crate) fn would_block(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// `Ok(false)` instead of an error that only says that the socket is not ready.
pub(crate) fn unless_blocked(result: Result<(), Error>) -> Result<bool, Gone> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if would_block(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Writes a binary message without waiting and without a copy in the socket's own buffer. To be called after a clean flush:
/// what the kernel does not take now stays in the line. `scratch` lends the memory in which the message is framed.
///
/// # Errors
///
/// If the connection is broken; `Ok(false)` if it is blocked now.
pub(crate) fn send_frame(socket: &mut Socket, payload: &[u8], scratch: &mut Vec<u8>) -> Result<bool, Gone> {
    scratch.clear();
    write_header(scratch, payload.len());
    scratch.extend_from_slice(payload);
    unless_blocked(socket.get_mut().write_whole(scratch).map_err(Error::Io))
}

/// The header of a server's binary message that is one frame.
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

/// The last words of a connection and its end, within `patience`: goodbye (unless `code` is `None`: the peer has closed)
/// and a close frame; then whatever still comes is read and dropped until the peer has closed as well, because closing
/// over unread bytes would reset the connection and lose the last words.
pub(crate) async fn farewell(mut socket: Socket, code: Option<Code>, frames: u64, patience: Duration) {
    if let Some(code) = code {
        metrics::goodbye(code);
        // The answer to a ping that waits for a blocked line would be written behind the close frame otherwise.
        let _ = socket.flush();
        let _ = say(&mut socket, &ServerMessage::Goodbye { code, message: code.to_string(), frames });
        let close = CloseFrame { code: CloseCode::from(code.close_code()), reason: code.to_string().into() };
        let _ = socket.close(Some(close));
    }
    let orderly = !matches!(code, Some(Code::Malformed | Code::TooLarge));
    let _ = timeout(patience, finish(&mut socket, orderly)).await;
}

/// Flushes, and reads until the peer has closed: by a close frame while it is `orderly`. After a breach of WebSocket's own
/// rules tungstenite must not be asked again, and the end of the peer's bytes counts.
async fn finish(socket: &mut Socket, orderly: bool) -> io::Result<()> {
    loop {
        match socket.flush() {
            Err(error) if would_block(&error) => socket.get_ref().writable().await?,
            Err(Error::ConnectionClosed) => return Ok(()),
            Ok(()) | Err(_) => break,
        }
    }
    socket.get_ref().finish_writing()?;
    if orderly && closed(socket).await? {
        return Ok(());
    }
    ended(socket.get_mut()).await
}

/// Reads until the peer's close frame; false if it breaks the rules instead.
async fn closed(socket: &mut Socket) -> io::Result<bool> {
    loop {
        socket.get_mut().allow(READ_BUFFER_BYTES);
        match socket.read() {
            // A peer that never stops must not keep this thread.
            Ok(_) => yield_now().await,
            Err(error) if would_block(&error) => {
                if socket.get_ref().is_exhausted() {
                    yield_now().await;
                }
                socket.get_ref().readable().await?;
            }
            Err(error) => return Ok(matches!(error, Error::ConnectionClosed)),
        }
    }
}

/// Reads until the end of the peer's bytes.
async fn ended(line: &mut Line) -> io::Result<()> {
    let mut scratch = [0; READ_BUFFER_BYTES];
    loop {
        line.allow(scratch.len());
        match line.read(&mut scratch) {
            Ok(0) => return Ok(()),
            Ok(_) => yield_now().await,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => line.readable().await?,
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    };

    use super::*;

    #[test]
    fn a_framed_message_has_the_header_that_tungstenite_writes() {
        for len in [0, 1, 125, 126, 0xFFFF, 0x1_0000] {
            let mut ours = Vec::new();
            write_header(&mut ours, len);
            ours.resize(ours.len() + len, 7);
            let mut theirs = Vec::new();
            let frame = Frame::message(vec![7; len], OpCode::Data(Data::Binary), true);
            frame.format(&mut theirs).unwrap();
            assert_eq!(ours, theirs);
        }
    }
}
