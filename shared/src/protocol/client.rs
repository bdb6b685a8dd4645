//! Messages from clients.

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

/// A message from a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// The first message.
    Hello(Hello),
    /// Asks for a seat.
    Enter(Enter),
    /// Sends inputs to the room.
    Inputs {
        /// The number of the first input: rises by one with each input of a session, from 1.
        number: u32,
        /// The client's progress.
        report: Report,
        /// 1 to [`limits::EARLY_INPUTS`] inputs.
        inputs: Vec<Input>,
    },
    /// Reports the client's progress without inputs, within [`limits::REPORT`] of applying a frame.
    Report(Report),
    /// Asks to be brought up to date from here in one frame.
    Resync(Resync),
    /// Gives up the seat.
    Leave,
    /// Before entering: subscribes to a page of the lobby's list, changes the page, or (`None`) ends the subscription.
    /// The answer is [`ServerMessage::Rooms`], then [`ServerMessage::RoomsChanged`] whenever the page changes.
    Browse {
        /// The client's number of this request.
        request: u32,
        /// The page to see.
        browse: Option<Browse>,
    },
    /// Before entering: searches for a match, until it is found or [`Self::CancelSearch`]. The answers are
    /// [`ServerMessage::Search`], or a [`ServerMessage::Redirect`] without a pass: the party meets there, search again
    /// there.
    Search {
        /// The client's number of this request.
        request: u32,
        /// The match to search for.
        search: Search,
    },
    /// Cancels the search. The answer is [`SearchState::Ended`](super::search::SearchState::Ended) with
    /// [`Code::Cancelled`](super::Code::Cancelled).
    CancelSearch {
        /// The client's number of this request.
        request: u32,
    },
    /// Continues the search: the seat of [`SearchState::Joining`](super::search::SearchState::Joining) could not be
    /// taken and will not be tried again.
    SearchAgain {
        /// The client's number of this request.
        request: u32,
        /// The match that was to be joined.
        id: Uuid,
    },
    /// Before entering: joins a channel, or changes name or visibility in it. The answer is [`ServerMessage::Present`].
    JoinChannel(JoinChannel),
    /// Leaves a channel. No answer.
    LeaveChannel {
        /// The client's number of this request.
        request: u32,
        /// The channel.
        channel: String,
    },
    /// Sends a message to a channel that the client is in. The answer is the one that all members get:
    /// [`ServerMessage::ChannelMessage`].
    SendMessage {
        /// The client's number of this request.
        request: u32,
        /// The channel.
        channel: String,
        /// The message: [plain text](super::text::plain) of 1 to [`limits::SAID_BYTES`].
        text: String,
    },
    /// Asks for a [`ServerMessage::Pong`], in every state after hello.
    Ping {
        /// The number for the answer.
        number: u32,
    },
    /// The answer to a [`ServerMessage::Ping`], at once.
    Pong {
        /// The number of the ping.
        number: u32,
        /// The time that the ping waited at the client before this answer, in milliseconds.
        held_ms: u32,
    },
    /// Presents a new credential on the open connection. Refused as [`Code::Unsupported`](super::Code::Unsupported)
    /// unless the server has announced [`capabilities::RENEW`].
    Renew {
        /// The client's number of this request.
        request: u32,
        /// The credential: at most [`limits::CREDENTIAL_BYTES`].
        credential: Vec<u8>,
    },
    /// Waits on a second connection for a room that is about to move here. Refused as
    /// [`Code::Unsupported`](super::Code::Unsupported) unless the server has announced [`capabilities::STAND_BY`].
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
    /// The number of kinds of messages: a higher index is of a later version.
    pub const KINDS: u32 = 17;

    /// A message with a single input.
    pub fn input(number: u32, report: Report, aim: Tick, payload: Vec<u8>) -> Self {
        Self::Inputs { number, report, inputs: vec![Input { aim, payload }] }
    }
}

/// A client's first message. Its first two fields never change their place, so that every version finds them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`](super::VERSION) of the client.
    pub protocol: u16,
    /// The client's description of itself, for logs: at most [`limits::NAME_BYTES`].
    pub client: String,
    /// Random bytes that the client keeps, so that it is recognized; all zero for none.
    pub client_key: [u8; 16],
    /// The player's identity, attested by somebody whom the server trusts: at most [`limits::CREDENTIAL_BYTES`].
    pub credential: Option<Vec<u8>>,
    /// What the client understands beside the mandatory messages: bits of [`capabilities`].
    pub capabilities: u64,
}

/// An input of a player.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The tick at which it should be executed. Never falls on one connection.
    pub aim: Tick,
    /// The bincode bytes of the game's input: at most [`limits::INPUT_BYTES`].
    pub payload: Vec<u8>,
}

/// A request for a seat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enter {
    /// The client's number of this request, which answers name.
    pub request: u32,
    /// The room or seat wanted.
    pub target: Target,
    /// The player's name, in [plain text](super::text::plain) of at most [`limits::NAME_BYTES`]; may be empty.
    pub name: String,
    /// The hash of the schema that the client knows; it is sent only if it differs.
    pub schema: Option<u64>,
    /// Whether every frame carries the view's hash (for bots), instead of one in 128.
    pub verify: bool,
    /// Whether to watch instead of play. A spectator's inputs are refused. A resume keeps what the seat was.
    pub spectate: bool,
}

/// The room or seat that a client wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Target {
    /// Any open room of a game that is not private; a new one if there is none.
    Game(String),
    /// This room.
    Room(Uuid),
    /// A new room of a game.
    Create {
        /// The game's name.
        game: String,
        /// The bincode bytes of its config; `None` for the default.
        config: Option<Vec<u8>>,
        /// Title and visibility of the room.
        options: RoomOptions,
    },
    /// The seat of a session.
    Resume(Resume),
    /// The room with this [code](super::lobby::RoomCode), in upper or lower case.
    Code(String),
    /// The seat that this pass was given for: at most [`limits::PASS_BYTES`], with a meaning to the server only.
    Pass(Vec<u8>),
}

/// A client's request to resume its seat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// The room.
    pub room: Uuid,
    /// The secret given in [`ServerMessage::Entered`].
    pub token: Uuid,
    /// The state from which the client can continue.
    pub resync: Resync,
    /// The owner number from [`ServerMessage::Entered`].
    pub owner: u32,
    /// The lowest input number that the client still keeps; one above the last if it keeps none.
    pub first_input: u32,
    /// The groups whose tables are current at the applied tick, the own group included, in ascending order; the first
    /// [`limits::RESUME_GROUPS`] of them.
    pub groups: Vec<u32>,
}

/// The progress of a client: what it has applied and consumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The epoch of the frame that was applied last.
    pub epoch: u32,
    /// Its tick: 0 for none yet.
    pub applied: Tick,
    /// The number of the last event consumed: 0 for none yet.
    pub event: u64,
}

/// A client's request to be brought up to date in one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resync {
    /// One more than the client's own. Frames of lower epochs are dropped undecoded.
    pub epoch: u32,
    /// The last tick applied, or `None` to be told everything again.
    pub applied: Option<Tick>,
    /// The number of the last event consumed.
    pub event: u64,
}
