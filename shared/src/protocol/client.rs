//! What a client says.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[cfg(doc)]
use super::{ServerMessage, capabilities, limits};
use super::{
    chat::JoinChannel,
    lobby::{Browse, RoomOptions},
    search::Search,
};
use crate::id::Tick;

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// First of all.
    Hello(Hello),
    /// Asks for a seat.
    Enter(Enter),
    /// Does something in the room.
    Inputs {
        /// The number of the first of them: rises by one with each input of a session, from 1.
        number: u32,
        /// What the client has applied.
        report: Report,
        /// 1 to [`limits::EARLY_INPUTS`] inputs.
        inputs: Vec<Input>,
    },
    /// Nothing but what the client has applied: alone within [`limits::REPORT`] of applying a frame.
    Report(Report),
    /// Asks to be brought from here to now in one frame.
    Resync(Resync),
    /// Gives the seat up.
    Leave,
    /// Before entering: shows a page of the lobby's list from now on, another one, or (`None`) none any more. The answer is
    /// [`ServerMessage::Rooms`], then [`ServerMessage::RoomsChanged`] whenever the page changes.
    Browse {
        /// The client's number of this request.
        request: u32,
        /// What to see.
        browse: Option<Browse>,
    },
    /// Before entering: looks for a match, until it is found or [`Self::CancelSearch`]. The answers are
    /// [`ServerMessage::Search`], or a [`ServerMessage::Redirect`] without a pass: the party meets there, search again there.
    Search {
        /// The client's number of this request.
        request: u32,
        /// What to look for.
        search: Search,
    },
    /// Looks for a match no longer. The answer is [`SearchState::Ended`](super::search::SearchState::Ended) with
    /// [`Code::Cancelled`](super::Code::Cancelled).
    CancelSearch {
        /// The client's number of this request.
        request: u32,
    },
    /// The seat of [`SearchState::Joining`](super::search::SearchState::Joining) could not be taken and will not be tried again: the search shall go on.
    SearchAgain {
        /// The client's number of this request.
        request: u32,
        /// The match that was to be joined.
        id: Uuid,
    },
    /// Before entering: is in a channel from now on, or is there under another name. The answer is
    /// [`ServerMessage::Present`].
    JoinChannel(JoinChannel),
    /// Is in a channel no longer. No answer.
    LeaveChannel {
        /// The client's number of this request.
        request: u32,
        /// The channel.
        channel: String,
    },
    /// Says something in a channel that it is in. The answer is the same that all there hear: [`ServerMessage::ChannelMessage`].
    SendMessage {
        /// The client's number of this request.
        request: u32,
        /// The channel.
        channel: String,
        /// What: [plain text](super::text::plain) of 1 to [`limits::SAID_BYTES`].
        text: String,
    },
    /// Asks for a [`ServerMessage::Pong`], in every state after hello.
    Ping {
        /// What the answer shall name.
        number: u32,
    },
    /// The answer to a [`ServerMessage::Ping`], at once.
    Pong {
        /// The number of the ping.
        number: u32,
        /// For how long the ping lay at the client before this answer, in milliseconds.
        held_ms: u32,
    },
    /// Shows a new credential on the open connection. Refused as [`Code::Unsupported`](super::Code::Unsupported) unless the
    /// server has said [`capabilities::RENEW`].
    Renew {
        /// The client's number of this request.
        request: u32,
        /// The credential: at most [`limits::CREDENTIAL_BYTES`].
        credential: Vec<u8>,
    },
    /// Waits on a second connection for a room that is about to move here. Refused as
    /// [`Code::Unsupported`](super::Code::Unsupported) unless the server has said [`capabilities::STAND_BY`].
    StandBy {
        /// The client's number of this request.
        request: u32,
        /// The room.
        room: Uuid,
        /// The secret of the seat.
        token: Uuid,
        /// The ticket of [`ServerMessage::Prepare`].
        ticket: Vec<u8>,
    },
}

impl ClientMessage {
    /// How many kinds of messages there are: a higher index is of a later version.
    pub const KINDS: u32 = 17;

    /// One input alone.
    pub fn input(number: u32, report: Report, aim: Tick, payload: Vec<u8>) -> Self {
        Self::Inputs { number, report, inputs: vec![Input { aim, payload }] }
    }
}

/// What a client says first. The first two fields never change their place, so that every version finds them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`](super::VERSION) of the client.
    pub protocol: u16,
    /// What the client is, for logs: at most [`limits::NAME_BYTES`].
    pub client: String,
    /// Random bytes that the client keeps, so that it is known again; all zero for none.
    pub client_key: [u8; 16],
    /// Who the player is, as somebody whom the server trusts says: at most [`limits::CREDENTIAL_BYTES`].
    pub credential: Option<Vec<u8>>,
    /// What the client understands beside what all must: bits of [`capabilities`].
    pub capabilities: u64,
}

/// Something that a player does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The tick at which it should be executed. Never falls on one connection.
    pub aim: Tick,
    /// The bincode bytes of the game's input: at most [`limits::INPUT_BYTES`].
    pub payload: Vec<u8>,
}

/// A wish for a seat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enter {
    /// The client's number of this request: what answers it names it.
    pub request: u32,
    /// Where.
    pub target: Target,
    /// The player's name, in [plain text](super::text::plain) of at most [`limits::NAME_BYTES`]; may be empty.
    pub name: String,
    /// The hash of the schema that the client knows; it is sent only if it differs.
    pub schema: Option<u64>,
    /// Whether every frame shall carry the view's hash (bots), instead of one in 128.
    pub verify: bool,
    /// Whether to watch instead of to play. What a spectator sends as input is refused. A resume goes on as what it was.
    pub spectate: bool,
}

/// Where a client wants to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Target {
    /// Any open room of a game that is not private; one is made if there is none.
    Game(String),
    /// This room.
    Room(Uuid),
    /// A new room of a game.
    Create {
        /// The game's name.
        game: String,
        /// The bincode bytes of its config; `None` for the default.
        config: Option<Vec<u8>>,
        /// How the room is found.
        options: RoomOptions,
    },
    /// The seat that a session already has.
    Resume(Resume),
    /// The room with this [code](super::lobby::RoomCode), in upper or lower case.
    Code(String),
    /// The seat that this pass was given for: at most [`limits::PASS_BYTES`], which mean something to the server only.
    Pass(Vec<u8>),
}

/// How a client takes its seat over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// The room.
    pub room: Uuid,
    /// The secret given in [`ServerMessage::Entered`].
    pub token: Uuid,
    /// From where the client can go on.
    pub resync: Resync,
    /// The owner number that [`ServerMessage::Entered`] told.
    pub owner: u32,
    /// The lowest input number that the client still keeps; one above the last if it keeps none.
    pub first_input: u32,
    /// The groups whose tables are current at the tick applied, the own group included, rising; the first
    /// [`limits::RESUME_GROUPS`] of them.
    pub groups: Vec<u32>,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resync {
    /// One more than the client's own; frames of lower epochs are dropped by it undecoded.
    pub epoch: u32,
    /// The last tick applied, or `None` to be told everything anew.
    pub applied: Option<Tick>,
    /// The number of the last event consumed.
    pub event: u64,
}
