//! The errors between a client and its server, by what a caller can do about them.

use thiserror::Error;
use tiltyard_shared::{
    protocol::{Code, codec::CodecError},
    schema::BadSchema,
};

/// Why a client could not enter or had to stop.
#[derive(Debug, Error)]
pub enum Error {
    /// The URL is invalid, or not that of a WebSocket that can be opened. Correct it.
    #[error("bad address: {0}")]
    Address(String),
    /// The line could not be opened, or broke and could not be opened again. Try later.
    #[error("no connection: {0}")]
    Line(String),
    /// The server did not answer in time. Try later.
    #[error("no answer in time")]
    Timeout,
    /// The server refuses, with a reason.
    #[error("refused: {message}")]
    Refused {
        /// The reason.
        code: Code,
        /// The reason in the server's words.
        message: String,
    },
    /// The seat is on another server, but there were too many redirects already.
    #[error("the seat is at {url}")]
    Redirected {
        /// The other server.
        url: String,
        /// The pass to show there.
        pass: Vec<u8>,
    },
    /// The server's game has other types than the client's game of the same name. Update the client.
    #[error("the server's schema {theirs:016x} is not this client's {ours:016x}")]
    OtherSchema {
        /// The hash of the schema this client was built with.
        ours: u64,
        /// The hash of the server's schema.
        theirs: u64,
    },
    /// The server's schema is invalid. A bug of the server, or another version of it.
    #[error("the server's schema: {0}")]
    BadSchema(#[from] BadSchema),
    /// The server broke the protocol. A bug, at one end or the other.
    #[error("protocol violation: {0}")]
    Violation(#[from] Violation),
    /// The session is over: its goodbye has been delivered.
    #[error("the session is over")]
    Over,
}

/// How a server broke the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// An invalid control message.
    #[error("control message: {0}")]
    Control(CodecError),
    /// An event with bytes that are no event of the game.
    #[error("event {number}: {reason}")]
    Event {
        /// Its number.
        number: u64,
        /// The error in its bytes.
        reason: CodecError,
    },
    /// A message with an unknown first byte, or an empty one.
    #[error("a message of no kind")]
    UnknownKind,
    /// A text message.
    #[error("a text message")]
    Text,
    /// A message that is not allowed at this point.
    #[error("{0} makes no sense here")]
    Unexpected(&'static str),
    /// The answer to a resume names an input that was never sent, or requires inputs that are not kept any more.
    #[error("the server has taken in input {taken} of {sent}")]
    Inputs {
        /// The highest number that the server has taken in.
        taken: u32,
        /// The highest number sent.
        sent: u32,
    },
}
