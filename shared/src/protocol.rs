//! What server and clients say to each other beside frames: messages, codes, limits.
//!
//! Every WebSocket message is binary. From a client it is one bincode [`ClientMessage`]; from a server its first byte
//! is [`FRAME`] (then see [`crate::frame`]) or [`CONTROL`] (then one bincode [`ServerMessage`]).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::game::{PlayerId, Tick};

mod code;
pub mod chat;
pub mod codec;
pub mod lobby;
pub mod search;
pub mod text;

use chat::Attend;
pub use code::Code;
use lobby::{Browse, RoomEntry, RoomOptions};
use search::{Search, SearchState};

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
    /// Most bytes of a room's title.
    pub const TITLE_BYTES: usize = 48;
    /// Most bytes of what a game says of its room in the lobby.
    pub const METADATA_BYTES: usize = 512;
    /// Most rooms of a page of the lobby's list.
    pub const PAGE_ROOMS: usize = 50;
    /// The highest number of a page; the first is 0.
    pub const LAST_PAGE: u32 = 9_999;
    /// Most bytes of a pass.
    pub const PASS_BYTES: usize = 256;
    /// Ratings are between this and its negative.
    pub const RATING: u32 = 1_000_000;
    /// Most players of a party.
    pub const PARTY: u8 = 16;
    /// Most bytes of a channel's name.
    pub const CHANNEL_BYTES: usize = 32;
    /// Most channels that a connection may be in.
    pub const CHANNELS: usize = 8;
    /// Most bytes of what is said at once in a channel.
    pub const SAID_BYTES: usize = 256;
    /// So much may be said at once after a silence of so many [`SAID_SPACING`]s.
    pub const SAID_BURST: u32 = 5;
    /// So often an [`Attend`](super::chat::Attend) may follow another at once.
    pub const ATTEND_BURST: u32 = 16;
    /// Most names of a list of who is in a channel.
    pub const PRESENT_NAMES: usize = 64;
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
    /// Differences of the lobby's list are sent at most so often.
    pub const LIST_SPACING: Duration = Duration::from_millis(250);
    /// For long, a connection may say something in channels so often, and attend one so often.
    pub const SAID_SPACING: Duration = Duration::from_secs(1);
    /// Changes of who is in a channel are told at most so often.
    pub const PRESENT_SPACING: Duration = Duration::from_secs(1);
    /// A seat is kept so long for whoever has a pass for it.
    pub const PASS_LIFETIME: Duration = Duration::from_secs(10);
    /// A party has so long to come together.
    pub const GATHERING: Duration = Duration::from_secs(60);
    /// A frame with nothing in it is sent at most so often.
    pub const IDLE_FRAME: Duration = Duration::from_millis(250);
    /// A client reports what it has applied at latest so long after it did.
    pub const REPORT: Duration = Duration::from_millis(100);
    /// A jump so soon after the last one waits.
    pub const JUMP_SPACING: Duration = Duration::from_secs(1);
    /// A seat is held once its oldest frame not reported applied is older than this and two round trips.
    pub const LAG: Duration = Duration::from_millis(500);
    /// A seat is also held while one more frame like the last would make more bytes than this not reported applied.
    pub const UNAPPLIED_BYTES: usize = 128 * 1024;
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
        /// The tick at which it should be executed. Never falls on one connection.
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
    /// Before entering: shows a page of the lobby's list from now on, another one, or (`None`) none any more. The answer is
    /// [`ServerMessage::Rooms`], then [`ServerMessage::RoomsChanged`] whenever the page changes.
    Browse(Option<Browse>),
    /// Before entering: looks for a match, until it is found or [`Self::CancelSearch`]. The answers are
    /// [`ServerMessage::Search`], or a [`ServerMessage::Redirect`] without a pass: the party meets there, search again there.
    Search(Search),
    /// Looks for a match no longer. The answer is [`SearchState::Ended`] with [`Code::Cancelled`].
    CancelSearch,
    /// The seat of [`SearchState::Joining`] could not be taken and will not be tried again: the search shall go on.
    SearchAgain {
        /// The match that was to be joined.
        id: Uuid,
    },
    /// Before entering: is in a channel from now on, or is there under another name. The answer is
    /// [`ServerMessage::Present`].
    Attend(Attend),
    /// Is in a channel no longer. No answer.
    Depart {
        /// The channel.
        channel: String,
    },
    /// Says something in a channel that it is in. The answer is the same that all there hear: [`ServerMessage::Said`].
    Say {
        /// The channel.
        channel: String,
        /// What: [plain text](text::plain) of 1 to [`limits::SAID_BYTES`].
        text: String,
    },
}

/// A wish for a seat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enter {
    /// Where.
    pub target: Target,
    /// The player's name, in [plain text](text::plain) of at most [`limits::NAME_BYTES`]; may be empty.
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
    Resume {
        /// The room.
        room: Uuid,
        /// The secret given in [`ServerMessage::Entered`].
        token: Uuid,
        /// From where the client can go on.
        jump: Jump,
    },
    /// The room with this [code](lobby::RoomCode), in upper or lower case.
    Code(String),
    /// The seat that this pass was given for: at most [`limits::PASS_BYTES`], which mean something to the server only.
    Pass(Vec<u8>),
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
        /// Who you are in this room; 0 for a spectator.
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
        /// The room's [code](lobby::RoomCode).
        code: String,
        /// Whether you watch instead of play.
        spectator: bool,
    },
    /// The seat is elsewhere.
    Redirect {
        /// The WebSocket URL to connect to.
        url: String,
        /// What to show there; empty after [`ClientMessage::Search`]: search again there.
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
    Said {
        /// The channel.
        channel: String,
        /// Who: the name that the speaker has chosen, which proves nothing.
        name: String,
        /// What.
        text: String,
    },
    /// Who wants to be seen in a channel that you are in, on all instances. At most one in [`limits::PRESENT_SPACING`] for a
    /// channel, beside the answer to [`ClientMessage::Attend`].
    Present {
        /// The channel.
        channel: String,
        /// How many.
        visible: u32,
        /// Their names, sorted: the first [`limits::PRESENT_NAMES`] of them. Two may have one name.
        names: Vec<String>,
    },
}
