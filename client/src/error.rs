//! What can go wrong between a client and its server, by what a caller can do about it.

use thiserror::Error;
use tiltyard_shared::{
    protocol::{Code, codec::CodecError},
    schema::BadSchema,
};

/// Why a client could not enter, or had to stop.
#[derive(Debug, Error)]
pub enum Error {
    /// The URL is none, or not one of a WebSocket that can be opened. Correct it.
    #[error("bad address: {0}")]
    Address(String),
    /// The line could not be opened, or broke and could not be opened again. Try later.
    #[error("no connection: {0}")]
    Line(String),
    /// The server did not answer in time. Try later.
    #[error("no answer in time")]
    Timeout,
    /// The server will not: the code says why.
    #[error("refused: {message}")]
    Refused {
        /// Why.
        code: Code,
        /// The same in the server's words.
        message: String,
    },
    /// The seat is at another server, after too many redirects already.
    #[error("the seat is at {url}")]
    Redirected {
        /// Where.
        url: String,
        /// What to show there.
        pass: Vec<u8>,
    },
    /// The server's game has other types than the client's of the same name. Update the client.
    #[error("the server's schema {theirs:016x} is not this client's {ours:016x}")]
    OtherSchema {
        /// The hash of the schema this client was built with.
        ours: u64,
        /// The server's.
        theirs: u64,
    },
    /// The server's schema is none that a client could go by. A bug of the server, or another version of it.
    #[error("the server's schema: {0}")]
    BadSchema(#[from] BadSchema),
    /// The server said what it must not say. A bug, at one end or the other.
    #[error("protocol violation: {0}")]
    Violation(#[from] Violation),
    /// The session is over: its goodbye has been delivered.
    #[error("the session is over")]
    Over,
}

/// How a server broke the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// A control message that is none.
    #[error("control message: {0}")]
    Control(CodecError),
    /// An event that is none of the game.
    #[error("event {number}: {reason}")]
    Event {
        /// Its number.
        number: u64,
        /// What is wrong with its bytes.
        reason: CodecError,
    },
    /// A message with neither first byte, or an empty one.
    #[error("a message of no kind")]
    UnknownKind,
    /// A text message.
    #[error("a text message")]
    Text,
    /// A message that makes no sense at this point.
    #[error("{0} makes no sense here")]
    Unexpected(&'static str),
    /// The answer to a resume names an input that was never sent, or one behind which some are not kept any more.
    #[error("the server has taken in input {taken} of {sent}")]
    Inputs {
        /// What it says it has.
        taken: u32,
        /// The highest number sent.
        sent: u32,
    },
}
