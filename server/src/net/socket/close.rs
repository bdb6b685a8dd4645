//! The close handshake that ends a connection: a goodbye, a close frame, and a limited wait until the peer has closed
//! too.

use std::{
    io::{self, Read as _},
    time::Duration,
};

use tiltyard_shared::protocol::{Code, ServerMessage, codec, limits};
use tokio::{task::yield_now, time::timeout};
use tokio_tungstenite::tungstenite::{
    Message,
    error::Error,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::{Gone, Inbox, Incoming, Socket, would_block};
use crate::{metrics, net::transport::Transport};

/// The size of reads from a connection that is closing.
const LAST_BYTES: usize = 512;

/// Ends a connection within `patience`: sends a goodbye (unless the peer has closed) and a close frame, then reads and
/// drops everything until the peer has closed too, because closing with unread bytes would reset the connection and
/// lose the goodbye.
pub(crate) async fn close_handshake(mut socket: Socket, gone: Gone, frames: u64, patience: Duration) {
    if let Some(code) = gone.code() {
        metrics::goodbye(code);
        // Otherwise the answer to a ping that waits for a blocked line would be written after the close frame.
        let _ = socket.flush();
        let goodbye = match gone {
            Gone::Older => codec::encode_first_goodbye(code, frames),
            _ => codec::encode_control(&ServerMessage::Goodbye {
                code,
                message: code.to_string(),
                frames,
                retry_within_ms: return_within(code).as_millis() as u32,
            }),
        };
        let _ = socket.send(Message::Binary(goodbye.into()));
        let close = CloseFrame { code: CloseCode::from(code.close_code()), reason: code.to_string().into() };
        let _ = socket.close(close);
    }
    let orderly = !matches!(gone.code(), Some(Code::Malformed | Code::TooLarge));
    let _ = timeout(patience, finish(&mut socket, orderly)).await;
}

/// The time over which clients spread their return after this goodbye, so that a server's end does not overload its
/// neighbours.
fn return_within(code: Code) -> Duration {
    match code {
        Code::Stopping => limits::RETURN_WITHIN,
        Code::TooFast => limits::RETRY_AFTER,
        _ => Duration::ZERO,
    }
}

/// Flushes, and reads until the peer has closed; while it is `orderly`, until its close frame. After a violation of the
/// WebSocket protocol tungstenite must not be used again, and the end of the peer's bytes counts.
async fn finish(socket: &mut Socket, orderly: bool) -> io::Result<()> {
    loop {
        match socket.flush() {
            Err(error) if would_block(&error) => socket.line.writable().await?,
            Err(Error::ConnectionClosed) => return Ok(()),
            Ok(()) | Err(_) => break,
        }
    }
    socket.line.finish_writing()?;
    if orderly && closed(socket).await? {
        return Ok(());
    }
    ended(&mut socket.line).await
}

/// Reads until the peer's close frame. Returns false if the peer violates the protocol instead.
async fn closed(socket: &mut Socket) -> io::Result<bool> {
    let mut inbox = Inbox::new();
    while socket.fetch(&mut inbox).is_ok() {
        loop {
            match socket.next(&mut inbox) {
                Ok(Some(Incoming::Other(Some(Message::Close(_))))) | Err(Error::ConnectionClosed) => return Ok(true),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return Ok(false),
            }
        }
        socket.keep(&inbox);
        // A peer that never stops sending must not block this thread.
        yield_now().await;
        socket.line.readable().await?;
    }
    Ok(true)
}

/// Reads until the end of the peer's bytes.
async fn ended(line: &mut Transport) -> io::Result<()> {
    let mut scratch = [0; LAST_BYTES];
    loop {
        match line.read(&mut scratch) {
            Ok(0) => return Ok(()),
            Ok(_) => yield_now().await,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => line.readable().await?,
            Err(error) => return Err(error),
        }
    }
}
