//! What a [`Session`](super::Session) tells its caller.

use std::time::Duration;

use tiltyard_shared::{game::Tick, protocol::Code, replica::ReplicaError};

/// What happens to a client of a game with events `E`.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<E> {
    /// A frame was applied; the replica shows its tick.
    Frame(Frame),
    /// Something happened in the game. Delivered once, in order.
    Game {
        /// Its number in the room.
        number: u64,
        /// What.
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
        /// Why.
        code: Code,
    },
    /// The server refused something else.
    Refused {
        /// Why.
        code: Code,
        /// The same in words.
        message: String,
    },
    /// The client asked to be brought up to date in one frame.
    Resyncing(Reason),
    /// The line broke; the next attempt comes after the wait.
    Reconnecting {
        /// The first is 1.
        attempt: u32,
        /// How long from now.
        wait: Duration,
        /// Why, if the server has said so.
        code: Option<Code>,
    },
    /// The seat was taken over again.
    Reconnected,
    /// The room goes on elsewhere from an earlier tick than was seen: later ones have not happened. What was sent since
    /// then was sent again.
    Rewound {
        /// The newest tick that was seen.
        from: Tick,
        /// The last one that still holds.
        to: Tick,
    },
    /// Words of the server's operator to everybody.
    Announcement(String),
    /// The match is over; its result as JSON text, empty if it was too large to be told. A goodbye follows.
    Result(String),
    /// The session is over.
    Goodbye {
        /// Why.
        code: Code,
        /// The same in words.
        message: String,
        /// How many frames were handed over to this seat on all its connections.
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
    /// Whether it carried a hash; the replica then agrees with it.
    pub verified: bool,
    /// Its size.
    pub bytes: usize,
    /// How much later than on the best line it came.
    pub age: Duration,
}

/// Why a client resyncs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The frames that it reads have been too old for too long.
    Lag,
    /// A frame could not be applied, or led elsewhere; all is asked for anew.
    Failed(ReplicaError),
}
