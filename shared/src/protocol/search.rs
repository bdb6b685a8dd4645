//! The search for a match: a client's request, and what it is told until the match is on.
//!
//! A search belongs to the connection that asked for it. Seats are taken on another connection, so a match that fails
//! costs no waiting time: the search continues where it was.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Code, limits};

/// A request for a match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// The game's name.
    pub game: String,
    /// The name of one of its [modes](crate::game::Game::modes).
    pub mode: String,
    /// The player's strength in the game's own measure, as the client claims. At most [`limits::RATING`] from 0.
    pub rating: i32,
    /// The player's party; `None` for a single player.
    pub party: Option<Party>,
}

/// Players who want to be in one team.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Party {
    /// The code that they have agreed on: 1 to [`limits::NAME_BYTES`] letters, digits, `-` or `_`.
    pub code: String,
    /// Their number: the search begins when all have come. At most [`limits::PARTY`] and the mode's team size.
    pub size: u8,
}

impl Search {
    /// Checks what a client sent, but not whether the game and mode exist.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownGame`] and [`Code::UnknownMode`] for texts that are no names, [`Code::BadRating`],
    /// [`Code::BadParty`].
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

/// The state of a search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SearchState {
    /// Other players of the party have yet to come.
    Gathering {
        /// The number of players who have come.
        here: u8,
        /// The number of players in the party.
        size: u8,
    },
    /// No match was found yet, or a match failed.
    Searching {
        /// The waiting time so far in milliseconds, at most a `u32`'s. The client counts on by itself.
        waited_ms: u32,
    },
    /// A match was found; others have yet to agree. The client need not act.
    Agreed,
    /// Enter with this pass, on another connection. It is valid for [`limits::PASS_LIFETIME`].
    Joining {
        /// The match, for [`ClientMessage::SearchAgain`](super::ClientMessage::SearchAgain).
        id: Uuid,
        /// The WebSocket URL; empty if it is that of this connection.
        url: String,
        /// The pass to show there.
        pass: Vec<u8>,
    },
    /// The match is on, with a player of the party in it. The search is over.
    Matched {
        /// The match.
        id: Uuid,
    },
    /// The search is over without a match.
    Ended {
        /// The reason.
        code: Code,
        /// Milliseconds after which another search makes sense.
        retry_after_ms: Option<u32>,
    },
}

impl SearchState {
    /// The end of a search, without a hint at another one.
    pub fn ended(code: Code) -> Self {
        Self::Ended { code, retry_after_ms: None }
    }

    /// Whether no other state follows.
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
