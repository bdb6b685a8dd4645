//! Sizes and rates that both ends know. Beyond them the server closes with [`Code::TooLarge`](super::Code::TooLarge) or
//! [`Code::TooFast`](super::Code::TooFast).

use std::time::Duration;

/// Most bytes of a client's message before it is in a room.
pub const HELLO_BYTES: usize = 12 * 1024;
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
/// Most bytes of a room's metadata in the lobby.
pub const METADATA_BYTES: usize = 512;
/// Most rooms of a page of the lobby's list.
pub const PAGE_ROOMS: usize = 50;
/// The highest number of a page; the first is 0.
pub const LAST_PAGE: u32 = 9_999;
/// Most bytes of a pass.
pub const PASS_BYTES: usize = 2 * 1024;
/// Most bytes of a credential.
pub const CREDENTIAL_BYTES: usize = 8 * 1024;
/// Most groups that a resume names as current.
pub const RESUME_GROUPS: usize = 1024;
/// Most bytes of a result that players get.
pub const RESULT_BYTES: usize = 16 * 1024;
/// Bound on the absolute value of ratings.
pub const RATING: u32 = 1_000_000;
/// Most players of a party.
pub const PARTY: u8 = 16;
/// Most bytes of a channel's name.
pub const CHANNEL_BYTES: usize = 32;
/// Most channels that a connection may be in.
pub const CHANNELS: usize = 8;
/// Most bytes of a message in a channel.
pub const SAID_BYTES: usize = 256;
/// Most messages to channels in a burst, after a silence of as many [`SAID_SPACING`]s.
pub const SAID_BURST: u32 = 5;
/// Most [`JoinChannel`](super::chat::JoinChannel)s in a burst.
pub const ATTEND_BURST: u32 = 16;
/// Most names in a list of a channel's members.
pub const PRESENT_NAMES: usize = 64;
/// Most inputs of one seat that wait for their tick.
pub const EARLY_INPUTS: usize = 64;
/// Most bytes of a frame, unless a single chunk is larger.
pub const FRAME_BYTES: usize = 64 * 1024;
/// Most bytes of events in a frame.
pub const FRAME_EVENT_BYTES: usize = 16 * 1024;
/// Most bytes of a chunk.
pub const CHUNK_BYTES: usize = 1024 * 1024;
/// Most messages a second that a client may sustain; bursts may be twice as large.
pub const MESSAGES_PER_SECOND: u32 = 200;
/// Most inputs a second that a client may sustain; bursts may be twice as large.
pub const INPUTS_PER_SECOND: u32 = 500;
/// Number of inputs that a client keeps after they are settled, to send them again if a room loses them.
pub const KEPT_INPUTS: usize = 256;
/// How long it keeps them.
pub const KEPT_FOR: Duration = Duration::from_secs(10);
/// Time from the accepted connection to a hello, and from a hello to the request to enter.
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// Time after which a request that was refused for a passing reason may be repeated.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Clients that are told that the server stops come back at a random time within this.
pub const RETURN_WITHIN: Duration = Duration::from_secs(4);
/// Least time between two differences of the lobby's list.
pub const LIST_SPACING: Duration = Duration::from_millis(250);
/// Sustained time between two messages of a connection to channels, and between two joins.
pub const SAID_SPACING: Duration = Duration::from_secs(1);
/// Least time between two lists of a channel's members.
pub const PRESENT_SPACING: Duration = Duration::from_secs(1);
/// How long a seat is kept for a pass.
pub const PASS_LIFETIME: Duration = Duration::from_secs(10);
/// How long the seat of a match is kept for a player whose search was cut off before the seat was taken.
pub const CUT_OFF: Duration = Duration::from_secs(3);
/// Time in which a party must come together.
pub const GATHERING: Duration = Duration::from_secs(60);
/// Least time between two frames without content.
pub const IDLE_FRAME: Duration = Duration::from_millis(250);
/// Longest time from applying a frame to reporting it.
pub const REPORT: Duration = Duration::from_millis(100);
/// A resync that follows the last one sooner than this waits.
pub const RESYNC_SPACING: Duration = Duration::from_secs(1);
/// A seat is throttled when the age of its frames, from handing over to report, exceeds the least recent age by more
/// than this and keeps growing.
pub const LAG: Duration = Duration::from_millis(500);
/// A seat is also throttled while one more frame like the last would make the bytes not reported applied exceed this.
pub const UNAPPLIED_BYTES: usize = 128 * 1024;
