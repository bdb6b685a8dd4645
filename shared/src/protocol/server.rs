//! What a server says beside frames.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[cfg(doc)]
use super::{ClientMessage, Target, capabilities};
use super::{Code, limits, lobby::RoomEntry, search::SearchState};
use crate::id::{PlayerId, Tick};

/// What a server says beside frames.
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
        /// What the server takes beside what all must: bits of [`capabilities`].
        capabilities: u64,
        /// Whom the server takes the client for; `None` for nobody in particular.
        identity: Option<Identity>,
        /// A credential to keep and to show next time: at most [`limits::CREDENTIAL_BYTES`].
        credential: Option<Vec<u8>>,
    },
    /// You are in. Frames follow.
    Entered(Box<Entered>),
    /// The seat is elsewhere.
    Redirect {
        /// The request that this answers; 0 for none.
        request: u32,
        /// The WebSocket URL to connect to.
        url: String,
        /// What to show there; empty after [`ClientMessage::Search`]: search again there.
        pass: Vec<u8>,
    },
    /// It cannot be done. Before the room this may be answered with another wish.
    Refused {
        /// The request that this answers; 0 for none.
        request: u32,
        /// Why.
        code: Code,
        /// The same in words.
        message: String,
        /// Asking again makes sense after so many milliseconds.
        retry_after_ms: Option<u32>,
    },
    /// The last message before the connection closes. Its code, message and frames never change their place.
    Goodbye {
        /// Why.
        code: Code,
        /// The same in words.
        message: String,
        /// How many frames were handed over to this seat on all its connections.
        frames: u64,
        /// Who comes back shall do so at a random time within so many milliseconds; 0 for at once.
        retry_within_ms: u32,
    },
    /// The page that [`ClientMessage::Browse`] asked for, whole.
    Rooms {
        /// The list's revision: rises with every change of any room.
        revision: u64,
        /// Rooms on all pages.
        total: u32,
        /// The rooms of the page, newest first: ids fall.
        rooms: Vec<RoomEntry>,
    },
    /// What has changed on the page since the last message about it. At most one in [`limits::LIST_SPACING`].
    RoomsChanged {
        /// The list's revision.
        revision: u64,
        /// Rooms on all pages.
        total: u32,
        /// Rooms that are new on the page, or not as they were. The page stays sorted by falling ids.
        changed: Vec<RoomEntry>,
        /// Rooms that are not on the page any more.
        removed: Vec<Uuid>,
    },
    /// How the search is that [`ClientMessage::Search`] began. Of states that follow quickly only the last may be told.
    Search(SearchState),
    /// Somebody has said something in a channel that you are in; maybe you.
    ChannelMessage {
        /// The channel.
        channel: String,
        /// Who: the name that the speaker has chosen, which proves nothing.
        name: String,
        /// What.
        text: String,
    },
    /// Who wants to be seen in a channel that you are in, on all instances. At most one in [`limits::PRESENT_SPACING`] for a
    /// channel, beside the answer to [`ClientMessage::JoinChannel`].
    Present {
        /// The channel.
        channel: String,
        /// How many.
        visible: u32,
        /// Their names, sorted: the first [`limits::PRESENT_NAMES`] of them. Two may have one name.
        names: Vec<String>,
    },
    /// Asks for a [`ClientMessage::Pong`].
    Ping {
        /// What the answer shall name.
        number: u32,
    },
    /// The answer to a [`ClientMessage::Ping`].
    Pong {
        /// The number of the ping.
        number: u32,
        /// For how long the ping lay at the server before this answer, in milliseconds.
        held_ms: u32,
    },
    /// From now on a frame comes at every so many-th send tick at most. To who has said [`capabilities::PACE`].
    Pace {
        /// 1 for all of them.
        every: u32,
    },
    /// The room of the seat is being moved: wait here. To who has said [`capabilities::WAIT`].
    Wait {
        /// The request that this answers.
        request: u32,
        /// For at most so many milliseconds.
        for_ms: u32,
    },
    /// Words of the operator to everybody. To who has said [`capabilities::ANNOUNCEMENT`].
    Announcement {
        /// What.
        text: String,
    },
    /// The result of the match, before [`Self::Goodbye`] with [`Code::Finished`]. To who has said [`capabilities::RESULT`].
    Result {
        /// JSON text of at most [`limits::RESULT_BYTES`]; empty for one that is longer.
        result: String,
    },
    /// The answer to [`ClientMessage::Renew`].
    Renewed {
        /// The request that this answers.
        request: u32,
        /// Whom the server takes the client for from now on.
        identity: Identity,
        /// A credential to keep.
        credential: Option<Vec<u8>>,
    },
    /// The room is about to move: open a second connection there and stand by. To who has said [`capabilities::MOVE`].
    Prepare {
        /// The WebSocket URL to connect to.
        url: String,
        /// What to show in [`ClientMessage::StandBy`].
        ticket: Vec<u8>,
        /// Within so many milliseconds.
        within_ms: u32,
    },
    /// The room has moved; no more frames come here. To who has said [`capabilities::MOVE`].
    Moved {
        /// The number of its new owner.
        owner: u32,
        /// The last tick of this owner.
        tick: Tick,
        /// The WebSocket URL where it is.
        url: String,
    },
}

impl ServerMessage {
    /// How many kinds of messages there are: a higher index is of a later version.
    pub const KINDS: u32 = 19;

    /// A refusal, with the code's own words; unless it is final, one may ask again after [`limits::RETRY_AFTER`].
    pub fn refused(request: u32, code: Code) -> Self {
        Self::refused_because(request, code, code.to_string())
    }

    /// The same in other words.
    pub fn refused_because(request: u32, code: Code, message: String) -> Self {
        let retry_after_ms = (!code.is_final()).then_some(limits::RETRY_AFTER.as_millis() as u32);
        Self::Refused { request, code, message, retry_after_ms }
    }
}

/// The seat that a client has got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// The request that this answers.
    pub request: u32,
    /// The room.
    pub room: Uuid,
    /// The game's name.
    pub game: String,
    /// Who you are in this room; 0 for a spectator.
    pub player: PlayerId,
    /// The secret with which [`Target::Resume`] takes the seat over.
    pub token: Uuid,
    /// Ticks a second.
    pub tick_hz: u32,
    /// Frames come every so many ticks.
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
    /// Whether you watch instead of play.
    pub spectator: bool,
    /// The seat is kept for so many milliseconds without a connection: try to resume for so long.
    pub grace_ms: u32,
    /// The number of the room's owner, which rises when another instance takes it over.
    pub owner: u32,
    /// After a take-over the last tick that still holds; later ones may have been taken back.
    pub cut: Option<Tick>,
    /// Whether the room would survive the end of its process.
    pub protected: bool,
}

/// Whom a server takes a client for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The same for the same player at all times.
    pub key: String,
    /// The name that the credential gives.
    pub name: String,
    /// Whether the server made it up.
    pub guest: bool,
    /// What the player may.
    pub roles: Vec<String>,
    /// The credential must be renewed within so many milliseconds.
    pub expires_in_ms: Option<u32>,
}
