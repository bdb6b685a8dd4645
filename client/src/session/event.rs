//! The events of a [`Session`](super::Session) for its caller.

use std::time::Duration;

use tiltyard_shared::{game::Tick, protocol::Code, replica::ReplicaError};

/// An event for a client of a game with events `E`.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<E> {
    /// A frame was applied; the replica shows its tick.
    Frame(Frame),
    /// An event of the game. Delivered once, in order.
    Game {
        /// Its number in the room.
        number: u64,
        /// The event.
        event: E,
    },
    /// An input was executed or refused.
    Settled {
        /// Its number.
        number: u32,
        /// The time from sending it to this frame.
        after: Duration,
    },
    /// An input was not executed.
    InputRefused {
        /// Its number.
        number: u32,
        /// The reason.
        code: Code,
    },
    /// The server refused another request.
    Refused {
        /// The reason.
        code: Code,
        /// The reason in words.
        message: String,
    },
    /// The client asked to be brought up to date in one frame.
    Resyncing(Reason),
    /// The line broke; another attempt follows after the wait.
    Reconnecting {
        /// The number of the attempt, from 1.
        attempt: u32,
        /// The time from now.
        wait: Duration,
        /// The reason, if the server gave one.
        code: Option<Code>,
    },
    /// The seat was resumed.
    Reconnected,
    /// The server has stopped and sent the client to another room of the game, where everything begins anew: seat,
    /// replica, clock, the numbers of inputs and events. Inputs that were not settled are lost.
    Transferred,
    /// The room goes on elsewhere from a tick earlier than the newest one seen: later ticks have not happened. Inputs
    /// since then were sent again.
    Rewound {
        /// The newest tick that was seen.
        from: Tick,
        /// The last tick that is still valid.
        to: Tick,
    },
    /// A message of the server's operator to everybody.
    Announcement(String),
    /// The match is over. The result as JSON text, empty if it was too large. A goodbye follows.
    Result(String),
    /// The session is over.
    Goodbye {
        /// The reason.
        code: Code,
        /// The reason in words.
        message: String,
        /// The number of frames handed over to this seat on all its connections.
        frames: u64,
    },
}

/// A frame that was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its tick.
    pub tick: Tick,
    /// Whether it began an epoch.
    pub start: bool,
    /// Whether it carried a hash, which the replica matched.
    pub verified: bool,
    /// Its size.
    pub bytes: usize,
    /// How much later it came than on the best line.
    pub age: Duration,
}

/// Why a client resyncs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The frames it reads have been too old for too long.
    Lag,
    /// A frame could not be applied, or led to another state; everything is asked for anew.
    Failed(ReplicaError),
}
