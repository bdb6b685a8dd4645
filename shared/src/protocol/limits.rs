//! Sizes and rates that both ends know. The server closes with [`Code::TooLarge`](super::Code::TooLarge) or
//! [`Code::TooFast`](super::Code::TooFast) beyond them.

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
/// Most bytes of what a game says of its room in the lobby.
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
/// Most bytes of a result that players are told.
pub const RESULT_BYTES: usize = 16 * 1024;
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
/// So often an [`JoinChannel`](super::chat::JoinChannel) may follow another at once.
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
/// Most inputs a second that a client may send for long; a burst of twice as many is taken.
pub const INPUTS_PER_SECOND: u32 = 500;
/// A client keeps so many inputs after they are settled, to send them again if a room loses them.
pub const KEPT_INPUTS: usize = 256;
/// And keeps them for so long.
pub const KEPT_FOR: Duration = Duration::from_secs(10);
/// Time from the accepted connection to a hello, and from a hello to the wish to enter.
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// Who was refused for a passing reason may ask again after so long.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Who is told that the server stops comes back at a random time within so long.
pub const RETURN_WITHIN: Duration = Duration::from_secs(4);
/// Differences of the lobby's list are sent at most so often.
pub const LIST_SPACING: Duration = Duration::from_millis(250);
/// For long, a connection may say something in channels so often, and attend one so often.
pub const SAID_SPACING: Duration = Duration::from_secs(1);
/// Changes of who is in a channel are told at most so often.
pub const PRESENT_SPACING: Duration = Duration::from_secs(1);
/// A seat is kept so long for whoever has a pass for it.
pub const PASS_LIFETIME: Duration = Duration::from_secs(10);
/// The seat of a match is kept so long for a player whose search was cut off before the seat was taken.
pub const CUT_OFF: Duration = Duration::from_secs(3);
/// A party has so long to come together.
pub const GATHERING: Duration = Duration::from_secs(60);
/// A frame with nothing in it is sent at most so often.
pub const IDLE_FRAME: Duration = Duration::from_millis(250);
/// A client reports what it has applied at latest so long after it did.
pub const REPORT: Duration = Duration::from_millis(100);
/// A resync so soon after the last one waits.
pub const RESYNC_SPACING: Duration = Duration::from_secs(1);
/// A seat is throttled once its oldest frame not reported applied is older than this and two round trips.
pub const LAG: Duration = Duration::from_millis(500);
/// A seat is also throttled while one more frame like the last would make more bytes than this not reported applied.
pub const UNAPPLIED_BYTES: usize = 128 * 1024;
