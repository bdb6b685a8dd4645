//! What states a connection has, what happens to it, and what is to be done then. As `web/sdk/connection/kinds.js`.

use std::time::{Duration, Instant};

use tiltyard_shared::protocol::{ClientMessage, Code, Entered, ServerMessage};

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is wanted yet.
    Idle,
    /// The socket opens.
    Connecting,
    /// Waits for the welcome.
    Hello,
    /// Waits for the seat, where one is asked for.
    Entering,
    /// In.
    Ready,
    /// Waits for the next attempt.
    Waiting,
    /// No further attempt.
    Over,
}

/// What happens to a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Its owner wants to be connected to this URL.
    Start(String),
    /// The socket is open.
    Opened,
    /// The server said something.
    Message(Box<ServerMessage>),
    /// A frame arrived, or something else that only says that the other end lives.
    Sign,
    /// The socket has closed or could not be opened; with the code that the server gave, if it did.
    Closed(Option<Code>),
    /// Time has passed.
    Tick,
    /// The network is there again, or another one.
    Online,
    /// The owner wants an attempt now.
    Retry,
    /// The owner breaks the line; no attempt comes for so long.
    Drop(Duration),
    /// The owner ends it.
    Close,
}

/// What the owner of a connection is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A message that is not the connection's own business.
    Message(Box<ServerMessage>),
    /// The server sent it to another one, where this is to be shown, if it is not empty.
    Redirect {
        /// Where.
        url: String,
        /// What to show.
        pass: Vec<u8>,
    },
    /// It is in, with its seat where one was asked for.
    Ready(Option<Box<Entered>>),
    /// It was in, and is not any more.
    Lost,
    /// The next attempt comes after a wait.
    Waiting {
        /// The first after a good connection is 1.
        attempt: u32,
        /// How long from now.
        wait: Duration,
        /// No attempt begins later; `None` if it is tried for ever.
        until: Option<Instant>,
        /// Why, if the server has said so.
        code: Option<Code>,
    },
    /// Nothing follows.
    Over {
        /// Why.
        why: Why,
        /// The code that the server gave, if it did.
        code: Option<Code>,
        /// The same in words.
        message: String,
    },
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its owner ended it.
    Closed,
    /// It was tried in vain for as long as makes sense.
    Gone,
    /// The server gave a [final](Code::is_final) code.
    Refused,
    /// It was sent on too often.
    Redirected,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open a socket to the connection's address.
    Open,
    /// Let go of the socket, without waiting for it.
    Shut,
    /// Say hello.
    Greet,
    /// Say what the owner wants, under this number.
    Wish(u32),
    /// Say the owner's last words.
    Farewell,
    /// Send this.
    Send(ClientMessage),
    /// Tell the owner.
    Tell(Told),
}
