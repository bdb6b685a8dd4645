//! Reasons for refusals and closed connections: one table of codes for messages, close frames, JSON and metrics.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Whether another try makes sense after a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Another try would end the same way.
    Final,
    /// Another try may succeed.
    Again,
}

/// Generates [`Code`] and its tables from the one list below: number, name, fate, words.
macro_rules! codes {
    ($($(#[$doc:meta])* $number:literal $name:ident, $fate:ident: $words:literal;)*) => {
        /// Every reason for which a server refuses something or closes a connection.
        ///
        /// The close code of the WebSocket is 4000 plus the number. On the wire a code is its number, like the index of
        /// an enum.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
            /// A code of a later version, by its number.
            Unknown(u16),
        }

        impl Code {
            /// Every code, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The number of the code.
            pub const fn number(self) -> u16 {
                match self {
                    $(Self::$name => $number,)*
                    Self::Unknown(number) => number,
                }
            }

            const fn fate(self) -> Fate {
                match self {
                    $(Self::$name => Fate::$fate,)*
                    Self::Unknown(_) => Fate::Again,
                }
            }

            const fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                    Self::Unknown(_) => "a reason of a later version",
                }
            }
        }
    };
}

codes! {
    /// Bytes that are no message, or a message that makes no sense here.
    0 Malformed, Final: "malformed message";
    /// A message, field or payload beyond its limit.
    1 TooLarge, Final: "message too large";
    /// A message that is not yet allowed (before hello or before entering).
    2 TooEarly, Final: "not yet: say hello, then enter";
    /// More messages than [`MESSAGES_PER_SECOND`](super::limits::MESSAGES_PER_SECOND).
    3 TooFast, Again: "too many messages";
    /// No hello or no request in time.
    4 HelloTimeout, Again: "no hello in time";
    /// A different [`VERSION`](super::VERSION).
    5 WrongVersion, Final: "this server speaks another protocol version";
    /// No such game on this server.
    6 UnknownGame, Final: "unknown game";
    /// No such room.
    7 UnknownRoom, Final: "unknown room";
    /// All seats are taken.
    8 RoomFull, Final: "the room is full";
    /// The server takes no more rooms or players.
    9 ServerFull, Again: "the server is full";
    /// The token fits no seat of the room.
    10 UnknownSession, Final: "unknown session";
    /// The config is not one of this game.
    11 BadConfig, Final: "bad config";
    /// A name that is not [plain](super::text::plain), or that looks like another one in the room.
    12 BadName, Final: "bad name";
    /// An input number that is not one above the last, or an aim below the last.
    13 OutOfOrder, Final: "inputs out of order";
    /// More than [`EARLY_INPUTS`](super::limits::EARLY_INPUTS) inputs wait for their tick. Refuses the input only.
    14 TooManyEarly, Again: "too many early inputs";
    /// The input came later than the game takes it. Refuses the input only.
    15 TooLate, Again: "input too late";
    /// The payload is not an input of this game. Refuses the input only.
    16 BadInput, Final: "bad input";
    /// A resync to an epoch that is not above the current one.
    17 StaleEpoch, Again: "stale epoch";
    /// A chunk of the player's view is larger than [`CHUNK_BYTES`](super::limits::CHUNK_BYTES).
    18 ViewTooLarge, Final: "the view is too large to send";
    /// No answer to pings.
    19 Unresponsive, Again: "connection is not responding";
    /// The same session has connected elsewhere.
    20 TakenOver, Final: "taken over by another connection";
    /// The client gave its seat up.
    21 Left, Final: "left";
    /// The match is over.
    22 Finished, Final: "the match is over";
    /// The game panicked; its room is gone.
    23 GameFailed, Final: "the game failed";
    /// The server is stopping.
    24 Stopping, Again: "the server is stopping";
    /// A fault of the server.
    25 Internal, Again: "internal error";
    /// The room has closed because nobody was in it.
    26 RoomClosed, Final: "the room has closed";
    /// The room takes no new players.
    27 Locked, Final: "the room is locked";
    /// A pass that was never given, has been used, or is too old.
    28 BadPass, Final: "the pass is not valid any more";
    /// A spectator's input. Refuses the input only.
    29 NotAllowed, Final: "spectators only watch";
    /// Text that is no [`RoomCode`](super::lobby::RoomCode).
    30 BadCode, Final: "bad room code";
    /// An invalid page of the lobby.
    31 BadFilter, Final: "bad filter";
    /// A title that is not [plain](super::text::plain).
    32 BadTitle, Final: "bad title";
    /// The game has no such mode.
    33 UnknownMode, Final: "unknown mode";
    /// An invalid party: a bad code, more players than a team holds, or not together in time.
    34 BadParty, Final: "bad party";
    /// A rating beyond [`RATING`](super::limits::RATING).
    35 BadRating, Final: "bad rating";
    /// This connection is already searching for a match.
    36 AlreadySearching, Final: "already searching";
    /// The search has ended because a player of the party cancelled it, or was gone.
    37 Cancelled, Final: "the search was cancelled";
    /// Too few of a match's players have come: the others continue to search.
    38 TooFew, Final: "too few players came";
    /// Text that is no name of a [`Channel`](super::chat::Channel).
    39 BadChannel, Final: "bad channel";
    /// A channel that this connection is not in.
    40 NotInChannel, Final: "not in that channel";
    /// More than [`CHANNELS`](super::limits::CHANNELS) of one connection.
    41 TooManyChannels, Final: "in too many channels";
    /// A message that is empty or not [plain](super::text::plain).
    42 BadText, Final: "bad text";
    /// Too many messages from this connection or in this channel, or too many joins.
    43 Flooding, Again: "too much said at once";
    /// A message that this server does not know or does not act on.
    44 Unsupported, Final: "this server does not do that";
    /// A player of the search did not come to a match: its players may search again when the penalty is over.
    45 NoShow, Final: "a player did not come to a match";
    /// The search has found no match in the time that its mode gives.
    46 Expired, Final: "nobody to play with was found in time";
}

impl Code {
    /// The code with this number: [`Code::Unknown`] if there is none yet.
    pub fn from_number(number: u16) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Unknown(number))
    }

    /// Whether no further try makes sense: a refused request would be refused again, and the seat of a connection
    /// closed with this code is gone, or another connection has it. After all other codes, those of later versions
    /// included, clients try again, and the server keeps the seat.
    pub fn is_final(self) -> bool {
        self.fate() == Fate::Final
    }

    /// The code's name in JSON and metrics: `room_full`.
    pub fn label(self) -> String {
        let mut label = String::new();
        for character in self.name().chars() {
            if character.is_uppercase() && !label.is_empty() {
                label.push('_');
            }
            label.push(character.to_ascii_lowercase());
        }
        label
    }

    /// The close code that goes with this reason.
    pub fn close_code(self) -> u16 {
        4000u16.saturating_add(self.number())
    }

    /// Its name; `Unknown` for a code of a later version.
    fn name(self) -> String {
        match self {
            Self::Unknown(_) => "Unknown".to_owned(),
            known => format!("{known:?}"),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())?;
        if let Self::Unknown(number) = self { write!(f, " ({number})") } else { Ok(()) }
    }
}

impl std::error::Error for Code {}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unknown(number) => serializer.serialize_u32(u32::from(*number)),
            known if serializer.is_human_readable() => serializer.serialize_str(&known.name()),
            known => serializer.serialize_u32(u32::from(known.number())),
        }
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_any(Readable);
        }
        let number = u16::try_from(u32::deserialize(deserializer)?).map_err(de::Error::custom)?;
        Ok(Self::from_number(number))
    }
}

/// A code in JSON: its name, or the number of one without a name.
struct Readable;

impl de::Visitor<'_> for Readable {
    type Value = Code;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a code")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Code, E> {
        let code = Code::ALL.iter().find(|code| code.name() == name);
        code.copied().ok_or_else(|| E::invalid_value(de::Unexpected::Str(name), &self))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Code, E> {
        u16::try_from(number).map(Code::from_number).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Code;
    use crate::protocol::codec;

    #[test]
    fn codes_are_found_by_their_numbers() {
        for (number, &code) in Code::ALL.iter().enumerate() {
            assert_eq!(usize::from(code.number()), number);
            assert_eq!(Code::from_number(number as u16), code);
        }
        let next = Code::ALL.len() as u16;
        assert_eq!(Code::from_number(next), Code::Unknown(next));
    }

    #[test]
    fn a_code_of_a_later_version_is_kept_as_a_number_and_is_not_final() {
        for number in [Code::ALL.len() as u16, 250, 251, u16::MAX] {
            let code = Code::Unknown(number);
            let bytes = codec::encode(&u32::from(number));
            assert_eq!(codec::encode(&code), bytes);
            assert_eq!(codec::decode(&bytes), Ok(code));
            assert!(!code.is_final());
            assert!(code.to_string().contains(&number.to_string()));
        }
        assert!(codec::decode::<Code>(&codec::encode(&65_536u32)).is_err());
    }

    #[test]
    fn who_was_thrown_out_for_a_passing_reason_may_come_back() {
        for code in [Code::TooFast, Code::ServerFull, Code::Unresponsive, Code::Stopping, Code::Internal] {
            assert!(!code.is_final(), "{code:?}");
        }
        for code in [Code::WrongVersion, Code::TakenOver, Code::Left, Code::UnknownSession, Code::Finished] {
            assert!(code.is_final(), "{code:?}");
        }
    }

    #[test]
    fn labels_are_in_snake_case() {
        assert_eq!(Code::TooLarge.label(), "too_large");
        assert_eq!(Code::Malformed.label(), "malformed");
        assert_eq!(Code::Unknown(77).label(), "unknown");
    }
}
