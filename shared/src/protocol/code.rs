//! Why a server refuses something or closes a connection: one table of codes for messages, close frames, JSON and metrics.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Every reason for which a server refuses something or closes a connection.
///
/// The close code of the WebSocket is 4000 plus the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Error)]
pub enum Code {
    /// Bytes that are no message, or one that makes no sense here.
    #[error("malformed message")]
    Malformed,
    /// A message, field or payload beyond its limit.
    #[error("message too large")]
    TooLarge,
    /// A message that is not yet allowed (before hello or before entering).
    #[error("not yet: say hello, then enter")]
    TooEarly,
    /// More messages than [`MESSAGES_PER_SECOND`](super::limits::MESSAGES_PER_SECOND).
    #[error("too many messages")]
    TooFast,
    /// No hello or no wish in time.
    #[error("no hello in time")]
    HelloTimeout,
    /// Another [`VERSION`](super::VERSION).
    #[error("this server speaks another protocol version")]
    WrongVersion,
    /// No such game here.
    #[error("unknown game")]
    UnknownGame,
    /// No such room.
    #[error("unknown room")]
    UnknownRoom,
    /// All seats are taken.
    #[error("the room is full")]
    RoomFull,
    /// The server takes no more rooms or players.
    #[error("the server is full")]
    ServerFull,
    /// The token fits no seat of the room.
    #[error("unknown session")]
    UnknownSession,
    /// The config is not one of this game.
    #[error("bad config")]
    BadConfig,
    /// A name that is too long or has control characters.
    #[error("bad name")]
    BadName,
    /// An input number that is not one above the last, or an aim below the last.
    #[error("inputs out of order")]
    OutOfOrder,
    /// More than [`EARLY_INPUTS`](super::limits::EARLY_INPUTS) inputs wait for their tick. Refuses the input only.
    #[error("too many early inputs")]
    TooManyEarly,
    /// The input came later than the game takes it. Refuses the input only.
    #[error("input too late")]
    TooLate,
    /// The payload is not an input of this game. Refuses the input only.
    #[error("bad input")]
    BadInput,
    /// A jump to an epoch that is not above the current one.
    #[error("stale epoch")]
    StaleEpoch,
    /// A chunk of the player's view is larger than [`CHUNK_BYTES`](super::limits::CHUNK_BYTES).
    #[error("the view is too large to send")]
    ViewTooLarge,
    /// No answer to pings.
    #[error("connection is not responding")]
    Unresponsive,
    /// The same session has connected elsewhere.
    #[error("taken over by another connection")]
    TakenOver,
    /// The client gave its seat up.
    #[error("left")]
    Left,
    /// The match is over.
    #[error("the match is over")]
    Finished,
    /// The game panicked; its room is gone.
    #[error("the game failed")]
    GameFailed,
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// A fault of the server.
    #[error("internal error")]
    Internal,
    /// The room has closed because nobody was in it.
    #[error("the room has closed")]
    RoomClosed,
    /// The room takes no new players.
    #[error("the room is locked")]
    Locked,
    /// A pass that was never given, has been used, or is too old.
    #[error("the pass is not valid any more")]
    BadPass,
    /// A spectator's input. Refuses the input only.
    #[error("spectators only watch")]
    NotAllowed,
    /// Text that is no [`RoomCode`](super::lobby::RoomCode).
    #[error("bad room code")]
    BadCode,
    /// A page of the lobby that cannot be.
    #[error("bad filter")]
    BadFilter,
    /// A title that is too long or has control characters.
    #[error("bad title")]
    BadTitle,
    /// The game has no such mode.
    #[error("unknown mode")]
    UnknownMode,
    /// A party that cannot be: a bad code, more players than a team holds, or not together in time.
    #[error("bad party")]
    BadParty,
    /// A rating beyond [`RATING`](super::limits::RATING).
    #[error("bad rating")]
    BadRating,
    /// This connection looks for a match already.
    #[error("already searching")]
    AlreadySearching,
    /// The search has ended because somebody of the party wanted so, or was gone.
    #[error("the search was cancelled")]
    Cancelled,
    /// Too few of a match's players have come: the others search on.
    #[error("too few players came")]
    TooFew,
    /// Text that cannot be the name of a [`Channel`](super::chat::Channel).
    #[error("bad channel")]
    BadChannel,
    /// A channel that this connection is not in.
    #[error("not in that channel")]
    NotInChannel,
    /// More than [`CHANNELS`](super::limits::CHANNELS) of one connection.
    #[error("in too many channels")]
    TooManyChannels,
    /// Words that are empty, too long or have control characters.
    #[error("bad text")]
    BadText,
    /// Said too often, by this connection or in this channel; or attended too often.
    #[error("too much said at once")]
    Flooding,
}

impl Code {
    /// Every code, in the order of their numbers.
    pub const ALL: [Self; 44] = [
        Self::Malformed,
        Self::TooLarge,
        Self::TooEarly,
        Self::TooFast,
        Self::HelloTimeout,
        Self::WrongVersion,
        Self::UnknownGame,
        Self::UnknownRoom,
        Self::RoomFull,
        Self::ServerFull,
        Self::UnknownSession,
        Self::BadConfig,
        Self::BadName,
        Self::OutOfOrder,
        Self::TooManyEarly,
        Self::TooLate,
        Self::BadInput,
        Self::StaleEpoch,
        Self::ViewTooLarge,
        Self::Unresponsive,
        Self::TakenOver,
        Self::Left,
        Self::Finished,
        Self::GameFailed,
        Self::Stopping,
        Self::Internal,
        Self::RoomClosed,
        Self::Locked,
        Self::BadPass,
        Self::NotAllowed,
        Self::BadCode,
        Self::BadFilter,
        Self::BadTitle,
        Self::UnknownMode,
        Self::BadParty,
        Self::BadRating,
        Self::AlreadySearching,
        Self::Cancelled,
        Self::TooFew,
        Self::BadChannel,
        Self::NotInChannel,
        Self::TooManyChannels,
        Self::BadText,
        Self::Flooding,
    ];

    /// The code with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(number as usize).copied()
    }

    /// The code as JSON and metrics name it: `room_full`.
    pub fn label(self) -> String {
        let mut label = String::new();
        for character in format!("{self:?}").chars() {
            if character.is_uppercase() && !label.is_empty() {
                label.push('_');
            }
            label.push(character.to_ascii_lowercase());
        }
        label
    }

    /// The close code that goes with this reason.
    pub fn close_code(self) -> u16 {
        4000 + self as u16
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn codes_are_found_by_their_numbers() {
        for (number, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, number);
            assert_eq!(Code::from_number(number as u8), Some(code));
        }
        assert_eq!(Code::from_number(Code::ALL.len() as u8), None);
    }

    #[test]
    fn labels_are_in_snake_case() {
        assert_eq!(Code::TooLarge.label(), "too_large");
        assert_eq!(Code::Malformed.label(), "malformed");
    }
}
