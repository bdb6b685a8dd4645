//! The lobby's types: how rooms are listed, filtered and named.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Code, ServerMessage, limits};
use crate::rng::Rng;

/// The part of the list of rooms that a client wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Browse {
    /// Only rooms of this game.
    pub game: Option<String>,
    /// Only rooms that take one more player.
    pub open: bool,
    /// The page: 0 for the newest [`limits::PAGE_ROOMS`] rooms.
    pub page: u32,
}

impl Browse {
    /// Checks what a client sent.
    ///
    /// # Errors
    ///
    /// [`Code::BadFilter`] if the name fits no game, or the page is beyond [`limits::LAST_PAGE`].
    pub fn check(&self) -> Result<(), Code> {
        let named = self.game.as_ref().is_none_or(|game| (1..=limits::NAME_BYTES).contains(&game.len()));
        if named && self.page <= limits::LAST_PAGE { Ok(()) } else { Err(Code::BadFilter) }
    }
}

/// A room as the lobby shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomEntry {
    /// Its id: rises with the time at which the room was opened.
    pub room: Uuid,
    /// Its [`RoomCode`].
    pub code: String,
    /// Its game.
    pub game: String,
    /// The title that its creator gave it; may be empty. At most [`limits::TITLE_BYTES`].
    pub title: String,
    /// Seats that are taken.
    pub players: u32,
    /// Seats in all.
    pub seats: u32,
    /// The number of spectators.
    pub spectators: u32,
    /// Whether it takes no new players even if it has free seats.
    pub locked: bool,
    /// The game's text for the lobby: JSON of at most [`limits::METADATA_BYTES`], or empty.
    pub metadata: String,
    /// Bits: 1 for a room that would survive the end of its process. Others are of later versions.
    pub flags: u32,
}

impl RoomEntry {
    /// Whether the room takes one more player.
    pub fn is_open(&self) -> bool {
        !self.locked && self.players < self.seats
    }
}

/// The title and visibility of a new room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomOptions {
    /// Its title in the lobby, in [plain text](super::text::plain) of at most [`limits::TITLE_BYTES`]; may be empty.
    pub title: String,
    /// Whether the room is only found by its id or code: it is not listed, and the name of its game leads nobody there.
    pub private: bool,
}

/// A client's copy of a page: told whole once, and by differences since then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomList {
    /// The revision of the last message.
    pub revision: u64,
    /// Rooms on all pages.
    pub total: u32,
    rooms: BTreeMap<Uuid, RoomEntry>,
}

impl RoomList {
    /// Applies a message of the server; false if it is not about the list.
    pub fn apply(&mut self, message: ServerMessage) -> bool {
        let (revision, total, entries) = match message {
            ServerMessage::Rooms { revision, total, rooms, .. } => {
                self.rooms.clear();
                (revision, total, rooms)
            }
            ServerMessage::RoomsChanged { revision, total, changed, removed } => {
                removed.iter().for_each(|room| drop(self.rooms.remove(room)));
                (revision, total, changed)
            }
            _ => return false,
        };
        self.rooms.extend(entries.into_iter().map(|entry| (entry.room, entry)));
        (self.revision, self.total) = (revision, total);
        true
    }

    /// The rooms of the page, newest first.
    pub fn rooms(&self) -> impl Iterator<Item = &RoomEntry> {
        self.rooms.values().rev()
    }
}

/// The code by which people meet in a room: six characters that are not mistaken for one another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomCode([u8; RoomCode::LENGTH]);

impl RoomCode {
    /// Characters of a code.
    pub const LENGTH: usize = 6;

    /// The characters in use: no 0 and O, no 1, I and L, no U, which is heard as V.
    pub const ALPHABET: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// A random code: one of 729 million.
    pub fn random(rng: &mut Rng) -> Self {
        Self(std::array::from_fn(|_| Self::ALPHABET[rng.below(Self::ALPHABET.len() as u32) as usize]))
    }
}

impl FromStr for RoomCode {
    type Err = Code;

    /// Parses a code in upper or lower case, with or without space at its ends.
    fn from_str(text: &str) -> Result<Self, Code> {
        let text = text.trim().to_ascii_uppercase();
        let code = <[u8; Self::LENGTH]>::try_from(text.as_bytes()).map_err(|_| Code::BadCode)?;
        if code.iter().all(|character| Self::ALPHABET.contains(character)) {
            Ok(Self(code))
        } else {
            Err(Code::BadCode)
        }
    }
}

impl fmt::Display for RoomCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|character| write!(f, "{}", char::from(*character)))
    }
}

impl fmt::Debug for RoomCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoomCode({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_either_case() {
        let mut rng = Rng::new(1);
        for _ in 0..100 {
            let code = RoomCode::random(&mut rng);
            assert_eq!(code.to_string().parse(), Ok(code));
            assert_eq!(format!(" {} ", code.to_string().to_lowercase()).parse(), Ok(code));
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in ["", "ABCDE", "ABCDEFG", "ABCDE0", "ABCDEI", "ABC EF", "ÄBCDE", "ABCDEÄ"] {
            assert_eq!(text.parse::<RoomCode>(), Err(Code::BadCode), "{text:?}");
        }
    }

    #[test]
    fn pages_and_games_have_bounds() {
        let browse = |game: &str, page| Browse { game: Some(game.to_owned()), open: false, page };
        assert_eq!(Browse::default().check(), Ok(()));
        assert_eq!(browse("arena", limits::LAST_PAGE).check(), Ok(()));
        for bad in [browse("", 0), browse(&"a".repeat(33), 0), browse("arena", limits::LAST_PAGE + 1)] {
            assert_eq!(bad.check(), Err(Code::BadFilter));
        }
    }
}
