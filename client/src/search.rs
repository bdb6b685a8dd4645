//! A search for a match, on a connection of its own: see "Matchmaking" in PROTOCOL.md. As `web/sdk/search.js`.
//!
//! [`Searching::next`] tells its progress. At [`SearchState::Joining`] open a [`Client`](crate::Client) with the
//! [`Target::Pass`](tiltyard_shared::protocol::Target::Pass) there, and keep this search until it says `Matched`: if
//! the match fails, the search goes on with all its waiting time. When the line breaks, the search starts anew
//! automatically and says so, unless a seat is being taken: then [`Searching::again`] starts it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use tiltyard_shared::protocol::{
    ClientMessage, Code, ServerMessage,
    search::{Search, SearchState},
};
use uuid::Uuid;

use crate::{
    client::Options,
    connection::{State, Told},
    error::Error,
    handshake,
    link::{Heard, Link},
};

#[cfg(test)]
mod tests;

/// The progress of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Its state.
    State(SearchState),
    /// The line broke, or the server cannot search now; another attempt follows after the wait.
    Reconnecting {
        /// The number of the attempt, from 1.
        attempt: u32,
        /// The time from now.
        wait: Duration,
        /// The reason, if the server gave one.
        code: Option<Code>,
    },
}

/// A running search.
#[derive(Debug)]
pub struct Searching {
    link: Link,
    search: Search,
    /// The number of our search on the server; 0 for none.
    request: u32,
    /// Whether a seat is being taken: meanwhile no search is started.
    joining: bool,
    cancelled: bool,
    over: bool,
    /// The server's reason for not searching now.
    why: Option<Code>,
}

impl Searching {
    /// Starts to connect, and then to search. [`Options::patience`] counts until the server is reached for the first
    /// time.
    pub fn start(options: &Options, search: Search) -> Self {
        let link = Link::start(handshake::plan(options, false), options.url.clone());
        Self { link, search, request: 0, joining: false, cancelled: false, over: false, why: None }
    }

    /// Waits for the next progress. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Line`] if the server could not be reached the first time: search elsewhere. [`Error::Refused`],
    /// [`Error::Redirected`], [`Error::Violation`]; [`Error::Over`] after `Matched` and `Ended`.
    pub async fn next(&mut self) -> Result<Progress, Error> {
        while !self.over && (self.link.connection().state() != State::Over || self.link.has_news()) {
            let far = Instant::now() + Duration::from_secs(3600);
            let progress = match self.link.next(&mut VecDeque::new(), far).await {
                Heard::Wish(request) => {
                    self.wish(request);
                    None
                }
                Heard::Farewell => {
                    self.give_up();
                    None
                }
                Heard::Told(told) => self.hear(told)?,
                Heard::Frame(_) | Heard::Unknown | Heard::Time => None,
            };
            if let Some(progress) = progress {
                return Ok(progress);
            }
        }
        Err(Error::Over)
    }

    /// The URL of the seat of [`SearchState::Joining`].
    pub fn url_of<'a>(&'a self, url: &'a str) -> &'a str {
        if url.is_empty() { self.link.connection().address() } else { url }
    }

    /// Reports that the seat of this match could not be taken and will not be tried again: the search goes on. Sent
    /// with the next call of [`Self::next`].
    pub fn again(&mut self, id: Uuid) {
        self.joining = false;
        if !self.link.is_ready() {
            return;
        }
        let request = self.link.request();
        if self.request > 0 {
            self.link.send(&ClientMessage::SearchAgain { request, id });
        } else {
            self.wish(request);
        }
    }

    /// Ends the search: [`SearchState::Ended`] follows if the server knows of it. Sent with the next call of
    /// [`Self::next`].
    pub fn cancel(&mut self) {
        self.cancelled = true;
        if self.link.is_ready() && self.request > 0 {
            let request = self.link.request();
            self.link.send(&ClientMessage::CancelSearch { request });
        } else {
            self.link.close();
        }
    }

    /// Tries at once instead of waiting.
    pub fn retry(&mut self) {
        self.link.retry();
    }

    fn wish(&mut self, request: u32) {
        self.request = if self.joining { 0 } else { request };
        if !self.joining {
            self.link.send(&ClientMessage::Search { request, search: self.search.clone() });
        }
    }

    /// Tells the server that the search is over, so that nobody waits for this player.
    fn give_up(&mut self) {
        if self.request > 0 && !self.over {
            let request = self.link.request();
            self.link.send(&ClientMessage::CancelSearch { request });
        }
    }

    fn hear(&mut self, told: Told) -> Result<Option<Progress>, Error> {
        match told {
            Told::Message(message) => return Ok(self.hear_message(*message)),
            Told::Lost => {
                self.request = 0;
                if self.cancelled {
                    self.link.close();
                }
            }
            Told::Waiting { .. } if self.cancelled => {}
            Told::Waiting { attempt, wait, code, .. } => {
                let code = self.why.take().or(code);
                return Ok(Some(Progress::Reconnecting { attempt, wait, code }));
            }
            Told::Over { why, code, message } => return Err(self.link.error(why, code, message)),
            Told::Redirect { .. } | Told::Ready(_) => {}
        }
        Ok(None)
    }

    fn hear_message(&mut self, message: ServerMessage) -> Option<Progress> {
        match message {
            ServerMessage::Search(SearchState::Ended { code, retry_after_ms }) => self.ended(code, retry_after_ms),
            ServerMessage::Search(state) => {
                self.joining = matches!(state, SearchState::Joining { .. });
                self.over = state.is_over();
                Some(Progress::State(state))
            }
            ServerMessage::Refused { request, code, retry_after_ms, .. } if request == self.request => {
                self.ended(code, retry_after_ms)
            }
            _ => None,
        }
    }

    /// Handles the end of a search: one that ended for a passing reason starts anew.
    fn ended(&mut self, code: Code, retry_after_ms: Option<u32>) -> Option<Progress> {
        if code.is_final() {
            self.over = true;
            return Some(Progress::State(SearchState::Ended { code, retry_after_ms }));
        }
        self.why = Some(code);
        self.link.drop_line(Duration::from_millis(retry_after_ms.unwrap_or(0).into()));
        None
    }
}

/// Cancels the search. If the line only broke, the others in a match would wait for this player.
impl Drop for Searching {
    fn drop(&mut self) {
        if self.link.is_ready() {
            self.give_up();
            self.link.shut();
        }
    }
}
