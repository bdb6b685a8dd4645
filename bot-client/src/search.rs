//! A search for a match, on a connection of its own: see "Matchmaking" in PROTOCOL.md.
//!
//! Ask [`Searching::next`] what it is like. At [`SearchState::Joining`] open a [`Client`](crate::Client) with the
//! [`Target::Pass`](tiltyard_shared::protocol::Target::Pass) there, and keep this until it says `Matched`: if the match comes
//! to nothing, the search goes on with all its waiting time.

use std::{collections::VecDeque, time::Duration};

use tiltyard_shared::protocol::{
    ClientMessage, ServerMessage, codec,
    search::{Search, SearchState},
};
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    client::Options,
    error::{Error, Violation},
    handshake,
    socket::{Incoming, Socket},
};

/// The way from the URL to the first state may take so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that searches pings every 2 s: who hears nothing for so long has lost it.
const SILENCE: Duration = Duration::from_secs(15);

/// A search that goes on.
#[derive(Debug)]
pub struct Searching {
    socket: Socket,
    outgoing: VecDeque<Vec<u8>>,
    url: String,
    first: Option<SearchState>,
}

impl Searching {
    /// Connects, says hello and begins to search.
    ///
    /// # Errors
    ///
    /// Every [`Error`] but [`Error::Over`]. [`Error::Redirected`]: the party meets there.
    pub async fn start(options: &Options, search: Search) -> Result<Self, Error> {
        let begin = async {
            let mut socket = handshake::hello(&options.url).await?;
            let first = match handshake::read(&socket.ask(&ClientMessage::Search { request: 1, search }).await?)? {
                ServerMessage::Search(state) => state,
                other => return Err(handshake::no(other)),
            };
            Ok(Self { socket, outgoing: VecDeque::new(), url: options.url.clone(), first: Some(first) })
        };
        timeout(PATIENCE, begin).await.unwrap_or(Err(Error::Timeout))
    }

    /// The next state. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Line`] if the server is gone: search elsewhere. [`Error::Refused`], [`Error::Violation`].
    pub async fn next(&mut self) -> Result<SearchState, Error> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        loop {
            let next = timeout(SILENCE, self.socket.next(&mut self.outgoing)).await.map_err(|_| Error::Timeout)?;
            match next? {
                Incoming::Message(bytes) => match handshake::read(&bytes)? {
                    ServerMessage::Search(state) => return Ok(state),
                    other @ (ServerMessage::Refused { .. } | ServerMessage::Goodbye { .. }) => {
                        return Err(handshake::no(other));
                    }
                    _ => return Err(Violation::Unexpected("anything but the state of the search").into()),
                },
                Incoming::Closed(Some(code)) => return Err(Error::Refused { code, message: code.to_string() }),
                Incoming::Closed(None) => return Err(Error::Line("closed by the server".to_owned())),
                Incoming::Sign => {}
            }
        }
    }

    /// The URL at which to take the seat of [`SearchState::Joining`].
    pub fn url_of<'a>(&'a self, url: &'a str) -> &'a str {
        if url.is_empty() { &self.url } else { url }
    }

    /// The seat of this match could not be taken and will not be tried again. Said with the next call of [`Self::next`].
    pub fn again(&mut self, id: Uuid) {
        self.outgoing.push_back(codec::encode(&ClientMessage::SearchAgain { request: 2, id }));
    }

    /// Searches no longer: [`SearchState::Ended`] follows. Said with the next call of [`Self::next`].
    pub fn cancel(&mut self) {
        self.outgoing.push_back(codec::encode(&ClientMessage::CancelSearch { request: 3 }));
    }
}
