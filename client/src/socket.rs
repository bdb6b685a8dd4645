//! A client's WebSocket; only this file names tungstenite. It is polled by hand, so that one task reads and writes
//! without a lock or a second task, and nothing is lost when a caller stops waiting.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use futures_util::{Sink, Stream};
use tiltyard_shared::protocol::{Code, limits};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{self, Message, protocol::WebSocketConfig},
};

use crate::error::{Error, Violation};

pub use tokio_tungstenite::tungstenite::Bytes;

/// An item received on a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A binary message.
    Message(Bytes),
    /// A sign of life.
    Sign,
    /// The server has closed the connection, with this code if it is one of ours.
    Closed(Option<Code>),
}

/// An open WebSocket.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    unflushed: bool,
}

/// A small read buffer (every read zero-fills it), no write buffer, and the largest frame as the limit of messages.
fn config() -> WebSocketConfig {
    let most = limits::CHUNK_BYTES + limits::FRAME_BYTES;
    WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0)
        .max_write_buffer_size(1024 * 1024)
        .max_message_size(Some(most))
        .max_frame_size(Some(most))
}

impl Socket {
    /// Opens a WebSocket, with TCP_NODELAY.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] for a URL that can never be opened, [`Error::Line`] if it may be opened later.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let (stream, _) = connect_async_with_config(url, Some(config()), true).await.map_err(refine)?;
        Ok(Self { stream, unflushed: false })
    }

    /// The addresses of this end and of the other.
    ///
    /// # Errors
    ///
    /// If the line is broken already.
    pub fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        match self.stream.get_ref() {
            MaybeTlsStream::Plain(stream) => Ok((stream.local_addr()?, stream.peer_addr()?)),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Sends messages as far as the line takes them, those in `first` before all others, and waits for the next item. A
    /// received item is returned before an error in sending: a proxy that closes after a server's last message may
    /// reset the line behind it.
    ///
    /// # Errors
    ///
    /// [`Error::Line`] if the line is broken, [`Error::Violation`] if a text message came.
    pub fn poll(
        &mut self,
        first: &mut VecDeque<Vec<u8>>,
        outgoing: &mut VecDeque<Vec<u8>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Incoming, Error>> {
        let mut sent = self.poll_write(first, cx);
        if sent.is_ok() && first.is_empty() {
            sent = self.poll_write(outgoing, cx);
        }
        let message = match Pin::new(&mut self.stream).poll_next(cx) {
            Poll::Pending => {
                sent?;
                return Poll::Pending;
            }
            Poll::Ready(None) => return Poll::Ready(Ok(Incoming::Closed(None))),
            Poll::Ready(Some(message)) => message.map_err(refine)?,
        };
        Poll::Ready(Ok(match message {
            Message::Binary(bytes) => Incoming::Message(bytes),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Incoming::Sign,
            Message::Close(frame) => {
                let number = frame.and_then(|frame| u16::from(frame.code).checked_sub(4000));
                Incoming::Closed(number.map(Code::from_number))
            }
            Message::Text(_) => return Poll::Ready(Err(Violation::Text.into())),
        }))
    }

    /// Sends waiting messages as far as the system takes them at once, without waiting.
    pub fn say(&mut self, outgoing: &mut VecDeque<Vec<u8>>) {
        // It is unknown whether they arrive: the line is about to be dropped.
        let _ = self.poll_write(outgoing, &mut Context::from_waker(Waker::noop()));
    }

    fn poll_write(&mut self, outgoing: &mut VecDeque<Vec<u8>>, cx: &mut Context<'_>) -> Result<(), Error> {
        let mut stream = Pin::new(&mut self.stream);
        while !outgoing.is_empty() {
            match stream.as_mut().poll_ready(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(ready) => ready.map_err(refine)?,
            }
            let Some(next) = outgoing.pop_front() else { break };
            stream.as_mut().start_send(Message::Binary(next.into())).map_err(refine)?;
            self.unflushed = true;
        }
        if self.unflushed
            && let Poll::Ready(flushed) = stream.poll_flush(cx)
        {
            flushed.map_err(refine)?;
            self.unflushed = false;
        }
        Ok(())
    }
}

/// Classifies an error as the URL's, the server's, or the line's.
fn refine(error: tungstenite::Error) -> Error {
    match error {
        tungstenite::Error::Url(error) => Error::Address(error.to_string()),
        tungstenite::Error::HttpFormat(error) => Error::Address(error.to_string()),
        tungstenite::Error::Capacity(_) => Violation::Unexpected("a message beyond all limits").into(),
        other => Error::Line(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::SinkExt as _;
    use tokio::{io::Interest, net::TcpListener};

    use super::*;

    #[tokio::test]
    async fn last_words_before_a_reset_are_heard_by_who_has_something_to_say() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/ws", listener.local_addr().unwrap());
        let accept = async { tokio_tungstenite::accept_async(listener.accept().await.unwrap().0).await.unwrap() };
        let (client, mut server) = tokio::join!(Socket::open(&url), accept);
        let mut client = client.unwrap();
        let said = |word: &[u8]| VecDeque::from([word.to_vec()]);
        let mut first = VecDeque::new();

        let mut outgoing = said(b"not read");
        let silent = poll_fn(|cx| Poll::Ready(client.poll(&mut first, &mut outgoing, cx).is_pending())).await;
        assert!(silent && outgoing.is_empty());
        server.send(Message::Binary(Bytes::from_static(b"last words"))).await.unwrap();
        drop(server); // with something unread: the kernel resets the line
        let MaybeTlsStream::Plain(line) = client.stream.get_ref() else { panic!("no TLS here") };
        line.ready(Interest::ERROR).await.unwrap();

        let mut too_late = said(b"too late");
        let heard = poll_fn(|cx| client.poll(&mut first, &mut too_late, cx)).await;
        assert_eq!(heard.unwrap(), Incoming::Message(Bytes::from_static(b"last words")));
        let broken = poll_fn(|cx| client.poll(&mut first, &mut VecDeque::new(), cx)).await;
        assert!(matches!(broken, Err(Error::Line(_))), "{broken:?}");
    }
}
