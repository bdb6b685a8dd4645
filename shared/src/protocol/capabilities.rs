//! What one end may say to the other only if that has said that it understands it: bits, in hello and welcome.

/// A client joins [pieces](super::PIECE) of frames.
pub const PIECES: u64 = 1;
/// A client takes `Pace`.
pub const PACE: u64 = 1 << 1;
/// A client takes `Wait`.
pub const WAIT: u64 = 1 << 2;
/// A client takes `Announcement`.
pub const ANNOUNCEMENT: u64 = 1 << 3;
/// A client takes `Result`.
pub const RESULT: u64 = 1 << 4;
/// A client takes `Prepare` and `Moved`.
pub const MOVE: u64 = 1 << 5;
/// A client reads blobs to which is appended.
pub const APPEND: u64 = 1 << 6;
/// A client reads optional lanes.
pub const OPTIONAL: u64 = 1 << 7;

/// A server takes `Renew`.
pub const RENEW: u64 = 1;
/// A server takes `StandBy`.
pub const STAND_BY: u64 = 1 << 1;
