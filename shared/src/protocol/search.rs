//! Searching for a match: what a client asks for, and what it is told until the match is on.
//!
//! A search belongs to the connection on which it was asked for. Seats are taken on another one, so that a match that comes
//! to nothing costs no waiting time: the search goes on where it was.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Code, limits};

/// A wish for a match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// The game's name.
    pub game: String,
    /// The name of one of its [modes](crate::game::Game::modes).
    pub mode: String,
    /// How strong the player is, in the game's own measure: what the client claims. At most [`limits::RATING`] from 0.
    pub rating: i32,
    /// With whom; `None` alone.
    pub party: Option<Party>,
}

/// Players who want to be in one team.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Party {
    /// What they have agreed on: 1 to [`limits::NAME_BYTES`] letters, digits, `-` or `_`.
    pub code: String,
    /// How many they are: the search begins when so many have come. At most [`limits::PARTY`] and the mode's team size.
    pub size: u8,
}

impl Search {
    /// Checks what a client sent. Whether there is such a game and mode is not known here.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownGame`], [`Code::UnknownMode`] for what cannot be a name, [`Code::BadRating`], [`Code::BadParty`].
    pub fn check(&self) -> Result<(), Code> {
        let is_name = |text: &str| (1..=limits::NAME_BYTES).contains(&text.len());
        let is_code = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        match &self.party {
            _ if !is_name(&self.game) => Err(Code::UnknownGame),
            _ if !is_name(&self.mode) => Err(Code::UnknownMode),
            _ if self.rating.unsigned_abs() > limits::RATING => Err(Code::BadRating),
            Some(Party { code, size }) if !is_name(code) || !is_code(code) || !(1..=limits::PARTY).contains(size) => {
                Err(Code::BadParty)
            }
            _ => Ok(()),
        }
    }
}

/// How a search is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SearchState {
    /// Others of the party have yet to come.
    Gathering {
        /// How many have come.
        here: u8,
        /// How many there will be.
        size: u8,
    },
    /// Nobody found yet, or a match came to nothing.
    Searching {
        /// For how many milliseconds by now, at most a `u32`'s; the client counts on by itself.
        waited_ms: u32,
    },
    /// A match was found; others have yet to agree. Nothing to be done.
    Agreed,
    /// Enter there with this pass, on another connection. It is good for [`limits::PASS_LIFETIME`].
    Joining {
        /// The match: what [`ClientMessage::SearchAgain`](super::ClientMessage::SearchAgain) names.
        id: Uuid,
        /// The WebSocket URL; empty if it is the one of this connection.
        url: String,
        /// What to show there.
        pass: Vec<u8>,
    },
    /// The match is on, with somebody of the party in it. The search is over.
    Matched {
        /// The match.
        id: Uuid,
    },
    /// The search is over without a match.
    Ended {
        /// Why.
        code: Code,
        /// Searching again makes sense after so many milliseconds.
        retry_after_ms: Option<u32>,
    },
}

impl SearchState {
    /// The end of a search, with nothing said of another.
    pub fn ended(code: Code) -> Self {
        Self::Ended { code, retry_after_ms: None }
    }

    /// Whether nothing follows.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Matched { .. } | Self::Ended { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search() -> Search {
        let party = Some(Party { code: "the-3".to_owned(), size: 3 });
        Search { game: "arena".to_owned(), mode: "teams".to_owned(), rating: -5, party }
    }

    #[test]
    fn a_search_is_checked_before_anybody_looks_at_it() {
        assert_eq!(search().check(), Ok(()));
        assert_eq!(Search { game: "x".repeat(33), ..search() }.check(), Err(Code::UnknownGame));
        assert_eq!(Search { mode: String::new(), ..search() }.check(), Err(Code::UnknownMode));
        assert_eq!(Search { rating: i32::MIN, ..search() }.check(), Err(Code::BadRating));
        for (code, size) in [("", 2), ("a b", 2), ("ä", 2), ("ok", 0), ("ok", 17)] {
            let party = Some(Party { code: code.to_owned(), size });
            assert_eq!(Search { party, ..search() }.check(), Err(Code::BadParty), "{code} {size}");
        }
    }
}
