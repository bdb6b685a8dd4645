//! The states, events and effects of a connection. As `web/sdk/connection/kinds.js`.

use std::time::{Duration, Instant};

use tiltyard_shared::protocol::{ClientMessage, Code, Entered, ServerMessage};

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not started.
    Idle,
    /// A socket is being opened.
    Connecting,
    /// Waits for the welcome.
    Hello,
    /// Waits for a seat, if it asks for one.
    Entering,
    /// Connected, with its seat if it asked for one.
    Ready,
    /// Waits for the next attempt.
    Waiting,
    /// Ended; no attempt follows.
    Over,
}

/// An event for a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The owner wants a connection to this URL.
    Start(String),
    /// The socket is open.
    Opened,
    /// A message from the server.
    Message(Box<ServerMessage>),
    /// A frame, or any other sign of life.
    Sign,
    /// The socket was closed or could not be opened; with the server's code, if there was one.
    Closed(Option<Code>),
    /// Time has passed.
    Tick,
    /// The network is there again, or another one.
    Online,
    /// The owner wants an attempt at once.
    Retry,
    /// The owner breaks the line; no attempt follows within this time.
    Drop(Duration),
    /// The owner ends it.
    Close,
}

/// News for the owner of a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A message that the connection does not handle itself.
    Message(Box<ServerMessage>),
    /// The server redirected it to another one, where the pass is to be shown if it is not empty.
    Redirect {
        /// The other server.
        url: String,
        /// The pass.
        pass: Vec<u8>,
    },
    /// It is ready, with its seat if it asked for one.
    Ready(Option<Box<Entered>>),
    /// It was ready and has lost its connection.
    Lost,
    /// The next attempt comes after a wait.
    Waiting {
        /// The number of the attempt: 1 is the first after a good connection.
        attempt: u32,
        /// The time from now.
        wait: Duration,
        /// The latest time at which an attempt may begin; `None` if it tries for ever.
        until: Option<Instant>,
        /// The reason, if the server gave one.
        code: Option<Code>,
    },
    /// It has ended.
    Over {
        /// The reason.
        why: Why,
        /// The server's code, if there was one.
        code: Option<Code>,
        /// The reason in words.
        message: String,
    },
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its owner ended it.
    Closed,
    /// It could not be reached in the available time.
    Gone,
    /// The server gave a [final](Code::is_final) code.
    Refused,
    /// It was redirected too often.
    Redirected,
}

/// An effect, to be carried out by the owner's side.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open a socket to the connection's address.
    Open,
    /// Drop the socket without waiting for it to close.
    Shut,
    /// Send the hello.
    Greet,
    /// Send the owner's wish under this request number.
    Wish(u32),
    /// Send the owner's last messages.
    Farewell,
    /// Send this.
    Send(ClientMessage),
    /// Tell the owner.
    Tell(Told),
}
