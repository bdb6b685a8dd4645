//! What server and clients say to each other beside frames: messages, codes, limits.
//!
//! Every WebSocket message is binary. From a client it is one bincode [`ClientMessage`]; from a server its first byte
//! is [`FRAME`] (then see [`crate::frame`]) or [`CONTROL`] (then one bincode [`ServerMessage`]).

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::game::{PlayerId, Tick};

pub mod codec;

/// The version of this protocol. Both ends must have the same.
pub const VERSION: u16 = 1;

/// First byte of a server message that is a frame.
pub const FRAME: u8 = 0;

/// First byte of a server message that is a [`ServerMessage`].
pub const CONTROL: u8 = 1;

/// Sizes and rates that both ends know. The server closes with [`Code::TooLarge`] or [`Code::TooFast`] beyond them.
pub mod limits {
    use std::time::Duration;

    /// Most bytes of a client's message before it is in a room.
    pub const HELLO_BYTES: usize = 4 * 1024;
    /// Most bytes of any client message.
    pub const MESSAGE_BYTES: usize = 16 * 1024;
    /// Most bytes of an input's payload.
    pub const INPUT_BYTES: usize = 4 * 1024;
    /// Most bytes of a config.
    pub const CONFIG_BYTES: usize = 2 * 1024;
    /// Most bytes of a player's name, and of a client's description of itself.
    pub const NAME_BYTES: usize = 32;
    /// Most inputs of one seat that wait for their tick.
    pub const EARLY_INPUTS: usize = 64;
    /// Most bytes of a frame, unless a single chunk is larger.
    pub const FRAME_BYTES: usize = 64 * 1024;
    /// Most bytes of events in a frame.
    pub const FRAME_EVENT_BYTES: usize = 16 * 1024;
    /// Most bytes of a chunk.
    pub const CHUNK_BYTES: usize = 1024 * 1024;
    /// Most messages a second that a client may send for long; a burst of twice as many is taken.
    pub const MESSAGES_PER_SECOND: u32 = 200;
    /// Time from the accepted connection to a hello, and from a hello to the wish to enter.
    pub const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
    /// A frame with nothing in it is sent at most so often.
    pub const IDLE_FRAME: Duration = Duration::from_millis(250);
    /// A client reports what it has applied at latest so long after it did.
    pub const REPORT: Duration = Duration::from_millis(100);
    /// A jump so soon after the last one waits.
    pub const JUMP_SPACING: Duration = Duration::from_secs(1);
    /// A seat is held once its oldest frame not reported applied is older than this and two round trips.
    pub const LAG: Duration = Duration::from_millis(500);
}

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// First of all.
    Hello {
        /// [`VERSION`] of the client.
        protocol: u16,
        /// What the client is, for logs: at most [`limits::NAME_BYTES`].
        client: String,
    },
    /// Asks for a seat.
    Enter(Enter),
    /// Does something in the room.
    Input {
        /// Rises by one with each input of a session, from 1.
        number: u32,
        /// The tick at which it should be executed. Never falls.
        aim: Tick,
        /// What the client has applied.
        report: Report,
        /// The bincode bytes of the game's input.
        payload: Vec<u8>,
    },
    /// Nothing but what the client has applied: alone within [`limits::REPORT`] of applying a frame.
    Report(Report),
    /// Asks to be brought from here to now in one frame.
    Jump(Jump),
    /// Gives the seat up.
    Leave,
}

/// A wish for a seat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enter {
    /// Where.
    pub target: Target,
    /// The player's name: at most [`limits::NAME_BYTES`], trimmed, no control characters; may be empty.
    pub name: String,
    /// The hash of the schema that the client knows; it is sent only if it differs.
    pub schema: Option<u64>,
    /// Whether every frame shall carry the view's hash (bots), instead of one in 128.
    pub verify: bool,
}

/// Where a client wants to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Target {
    /// Any open room of a game; one is made if there is none.
    Game(String),
    /// This room.
    Room(Uuid),
    /// A new room of a game.
    Create {
        /// The game's name.
        game: String,
        /// The bincode bytes of its config; `None` for the default.
        config: Option<Vec<u8>>,
    },
    /// The seat that a session already has.
    Resume {
        /// The room.
        room: Uuid,
        /// The secret given in [`ServerMessage::Entered`].
        token: Uuid,
        /// From where the client can go on.
        jump: Jump,
    },
}

/// How far a client is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The epoch of the frame that was applied last.
    pub epoch: u32,
    /// Its tick: 0 for none yet.
    pub applied: Tick,
    /// The number of the last event consumed: 0 for none yet.
    pub event: u64,
}

/// A client's wish to be brought up to date in one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jump {
    /// One more than the client's own; frames of lower epochs are dropped by it undecoded.
    pub epoch: u32,
    /// The last tick applied, or `None` to be told everything anew.
    pub applied: Option<Tick>,
    /// The number of the last event consumed.
    pub event: u64,
}

/// What a server says beside frames.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ServerMessage {
    /// The answer to hello.
    Welcome {
        /// [`VERSION`] of the server.
        protocol: u16,
        /// The server's version, for people.
        server: String,
        /// The games that can be played here.
        games: Vec<String>,
    },
    /// You are in. Frames follow.
    Entered {
        /// The room.
        room: Uuid,
        /// The game's name.
        game: String,
        /// Who you are in this room.
        player: PlayerId,
        /// The secret with which [`Target::Resume`] takes the seat over.
        token: Uuid,
        /// Ticks a second.
        tick_hz: u32,
        /// Frames come every so many ticks.
        send_every: u32,
        /// The last tick that was computed.
        tick: Tick,
        /// The highest input number taken in so far: 0, unless this is a resume.
        input: u32,
        /// The epoch of the first frame: 1, or that of the resume.
        epoch: u32,
        /// The hash of the schema.
        schema_hash: u64,
        /// The schema document as JSON text; `None` if the client knows it.
        schema: Option<String>,
    },
    /// The seat is elsewhere.
    Redirect {
        /// The WebSocket URL to connect to.
        url: String,
        /// What to show there.
        pass: Vec<u8>,
    },
    /// It cannot be done. Before the room this may be answered with another wish.
    Refused {
        /// Why.
        code: Code,
        /// The same in words.
        message: String,
    },
    /// The last message before the connection closes.
    Goodbye {
        /// Why.
        code: Code,
        /// The same in words.
        message: String,
        /// How many frames were handed over to this seat on all its connections.
        frames: u64,
    },
}

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
    /// More messages than [`limits::MESSAGES_PER_SECOND`].
    #[error("too many messages")]
    TooFast,
    /// No hello or no wish in time.
    #[error("no hello in time")]
    HelloTimeout,
    /// Another [`VERSION`].
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
    /// More than [`limits::EARLY_INPUTS`] inputs wait for their tick. Refuses the input only.
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
    /// A chunk of the player's view is larger than [`limits::CHUNK_BYTES`].
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
}

impl Code {
    /// Every code, in the order of their numbers.
    pub const ALL: [Self; 27] = [
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
    ];

    /// The code with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(number as usize).copied()
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
}
