//! Capabilities, as bits in hello and welcome: messages that one end may only send if the other understands them.

/// A client joins [pieces](super::PIECE) of frames.
pub const PIECES: u64 = 1;
/// A client understands `Pace`.
pub const PACE: u64 = 1 << 1;
/// A client understands `Wait`.
pub const WAIT: u64 = 1 << 2;
/// A client understands `Announcement`.
pub const ANNOUNCEMENT: u64 = 1 << 3;
/// A client understands `Result`.
pub const RESULT: u64 = 1 << 4;
/// A client understands `Prepare` and `Moved`.
pub const MOVE: u64 = 1 << 5;
/// A client reads blobs that are appended to.
pub const APPEND: u64 = 1 << 6;
/// A client reads optional lanes.
pub const OPTIONAL: u64 = 1 << 7;

/// A server understands `Renew`.
pub const RENEW: u64 = 1;
/// A server understands `StandBy`.
pub const STAND_BY: u64 = 1 << 1;
