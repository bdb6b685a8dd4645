//! Messages from the server beside frames.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[cfg(doc)]
use super::{ClientMessage, Target, capabilities};
use super::{Code, limits, lobby::RoomEntry, search::SearchState};
use crate::id::{PlayerId, Tick};

/// A message from the server beside frames.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ServerMessage {
    /// The answer to hello.
    Welcome {
        /// [`VERSION`](super::VERSION) of the server.
        protocol: u16,
        /// The server's version, for people.
        server: String,
        /// The games that can be played here.
        games: Vec<String>,
        /// What the server understands beside the mandatory messages: bits of [`capabilities`].
        capabilities: u64,
        /// The identity that the server gives the client; `None` for none in particular.
        identity: Option<Identity>,
        /// A credential to keep and to present next time: at most [`limits::CREDENTIAL_BYTES`].
        credential: Option<Vec<u8>>,
    },
    /// The client has a seat. Frames follow.
    Entered(Box<Entered>),
    /// The seat is elsewhere.
    Redirect {
        /// The request that this answers; 0 for none.
        request: u32,
        /// The WebSocket URL to connect to.
        url: String,
        /// The pass to show there; empty after [`ClientMessage::Search`]: search again there.
        pass: Vec<u8>,
    },
    /// A request is refused. Before entering a room, another one may follow.
    Refused {
        /// The request that this answers; 0 for none.
        request: u32,
        /// The reason.
        code: Code,
        /// The reason in words.
        message: String,
        /// Milliseconds after which another request makes sense.
        retry_after_ms: Option<u32>,
    },
    /// The last message before the connection closes. Its code, message and frames never change their place.
    Goodbye {
        /// The reason.
        code: Code,
        /// The reason in words.
        message: String,
        /// The number of frames handed over to this seat on all its connections.
        frames: u64,
        /// A client that comes back must do so at a random time within this many milliseconds; 0 for at once.
        retry_within_ms: u32,
    },
    /// The page that [`ClientMessage::Browse`] asked for, whole.
    Rooms {
        /// The revision of the list: rises with every change of any room.
        revision: u64,
        /// Rooms on all pages.
        total: u32,
        /// The rooms of the page, newest first, so in descending order of ids.
        rooms: Vec<RoomEntry>,
    },
    /// The changes of the page since the last message about it. At most one in [`limits::LIST_SPACING`].
    RoomsChanged {
        /// The revision of the list.
        revision: u64,
        /// Rooms on all pages.
        total: u32,
        /// Rooms that are new on the page or have changed. The page stays sorted by descending ids.
        changed: Vec<RoomEntry>,
        /// Rooms that are no longer on the page.
        removed: Vec<Uuid>,
    },
    /// The state of the search that [`ClientMessage::Search`] began. Of states in quick succession only the last may be
    /// told.
    Search(SearchState),
    /// A message in a channel that the client is in; it may be the client's own.
    ChannelMessage {
        /// The channel.
        channel: String,
        /// The name that the speaker has chosen, which proves nothing.
        name: String,
        /// The message.
        text: String,
    },
    /// The visible members of a channel that the client is in, on all instances. At most one in
    /// [`limits::PRESENT_SPACING`] for a channel, beside the answer to [`ClientMessage::JoinChannel`].
    Present {
        /// The channel.
        channel: String,
        /// Their number.
        visible: u32,
        /// Their names, sorted: the first [`limits::PRESENT_NAMES`] of them. Two may have one name.
        names: Vec<String>,
    },
    /// Asks for a [`ClientMessage::Pong`].
    Ping {
        /// The number for the answer.
        number: u32,
    },
    /// The answer to a [`ClientMessage::Ping`].
    Pong {
        /// The number of the ping.
        number: u32,
        /// The time that the ping waited at the server before this answer, in milliseconds.
        held_ms: u32,
    },
    /// From now on frames come at most at every `every`-th send tick. Only for clients with [`capabilities::PACE`].
    Pace {
        /// The pace: 1 for every send tick.
        every: u32,
    },
    /// The seat's room is being moved: wait here. Only for clients with [`capabilities::WAIT`].
    Wait {
        /// The request that this answers.
        request: u32,
        /// The longest wait in milliseconds.
        for_ms: u32,
    },
    /// The operator's message to everybody. Only for clients with [`capabilities::ANNOUNCEMENT`].
    Announcement {
        /// The message.
        text: String,
    },
    /// The result of the match, before [`Self::Goodbye`] with [`Code::Finished`]. Only for clients with
    /// [`capabilities::RESULT`].
    Result {
        /// JSON text of at most [`limits::RESULT_BYTES`]; empty for one that is longer.
        result: String,
    },
    /// The answer to [`ClientMessage::Renew`].
    Renewed {
        /// The request that this answers.
        request: u32,
        /// The identity that the server gives the client from now on.
        identity: Identity,
        /// A credential to keep.
        credential: Option<Vec<u8>>,
    },
    /// The room is about to move: open a second connection there and stand by. Only for clients with
    /// [`capabilities::MOVE`].
    Prepare {
        /// The WebSocket URL to connect to.
        url: String,
        /// The ticket for [`ClientMessage::StandBy`].
        ticket: Vec<u8>,
        /// The time for that in milliseconds.
        within_ms: u32,
    },
    /// The room has moved; no more frames come here. Only for clients with [`capabilities::MOVE`].
    Moved {
        /// The number of its new owner.
        owner: u32,
        /// The last tick of this owner.
        tick: Tick,
        /// The WebSocket URL of the room.
        url: String,
    },
}

impl ServerMessage {
    /// The number of kinds of messages: a higher index is of a later version.
    pub const KINDS: u32 = 19;

    /// A refusal in the code's own words. Unless it is final, the request may be repeated after
    /// [`limits::RETRY_AFTER`].
    pub fn refused(request: u32, code: Code) -> Self {
        Self::refused_because(request, code, code.to_string())
    }

    /// A refusal in other words.
    pub fn refused_because(request: u32, code: Code, message: String) -> Self {
        let retry_after_ms = (!code.is_final()).then_some(limits::RETRY_AFTER.as_millis() as u32);
        Self::Refused { request, code, message, retry_after_ms }
    }
}

/// The seat that a client got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// The request that this answers.
    pub request: u32,
    /// The room.
    pub room: Uuid,
    /// The game's name.
    pub game: String,
    /// The client's player in this room; 0 for a spectator.
    pub player: PlayerId,
    /// The secret with which [`Target::Resume`] resumes the seat.
    pub token: Uuid,
    /// Ticks a second.
    pub tick_hz: u32,
    /// Ticks from one frame to the next.
    pub send_every: u32,
    /// The last tick that was computed.
    pub tick: Tick,
    /// The highest input number taken in so far: 0, unless this is a resume.
    pub input: u32,
    /// The epoch of the first frame: 1, or that of the resume.
    pub epoch: u32,
    /// The hash of the schema.
    pub schema_hash: u64,
    /// The schema document as JSON text; `None` if the client knows it.
    pub schema: Option<String>,
    /// The room's [code](super::lobby::RoomCode).
    pub code: String,
    /// Whether the client watches instead of playing.
    pub spectator: bool,
    /// Milliseconds that the seat is kept without a connection, in which resuming makes sense.
    pub grace_ms: u32,
    /// The number of the room's owner, which rises when another instance takes it over.
    pub owner: u32,
    /// After a take-over, the last tick that is still valid; later ones may have been taken back.
    pub cut: Option<Tick>,
    /// Whether the room would survive the end of its process.
    pub protected: bool,
}

/// The identity that a server gives a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The key of the player, which stays the same at all times.
    pub key: String,
    /// The name in the credential.
    pub name: String,
    /// Whether the server made up the identity.
    pub guest: bool,
    /// The player's permissions.
    pub roles: Vec<String>,
    /// Milliseconds within which the credential must be renewed.
    pub expires_in_ms: Option<u32>,
}
