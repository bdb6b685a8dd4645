//! The protocol of server and clients beside frames: messages, codes, limits.
//!
//! Every WebSocket message is binary. From a client it is one bincode [`ClientMessage`]; from a server its first byte
//! is [`FRAME`] or [`PIECE`] (then see [`crate::frame`]) or [`CONTROL`] (then one bincode [`ServerMessage`]).
//!
//! The protocol grows at its ends: a reader skips bytes after a message's last field and messages that it does not
//! know, and keeps unknown codes as numbers. Messages that a client must understand to play on are only sent to clients
//! that have announced them in their [`capabilities`].

pub mod limits;
pub mod capabilities;
pub mod codec;
pub mod text;
mod code;
pub mod chat;
pub mod lobby;
pub mod search;
mod client;
mod server;

pub use client::{ClientMessage, Enter, Hello, Input, Report, Resume, Resync, Target};
pub use code::Code;
pub use server::{Entered, Identity, ServerMessage};

/// The version of this protocol. Both ends must have the same.
pub const VERSION: u16 = 2;

/// First byte of a server message that is a frame.
pub const FRAME: u8 = 0;

/// First byte of a server message that is a [`ServerMessage`].
pub const CONTROL: u8 = 1;

/// First byte of a server message that is a piece of a frame.
pub const PIECE: u8 = 2;
