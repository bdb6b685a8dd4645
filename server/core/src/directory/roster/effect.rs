//! What a roster wants done, and what may come of it.

use uuid::Uuid;

use crate::{
    directory::messages::{Heartbeat, RoomEvent},
    instance::InstanceId,
};

/// What has to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask all who is there.
    Hello,
    /// Tell all that we are.
    Alive(Heartbeat),
    /// Tell one that we are.
    Here(InstanceId, Heartbeat),
    /// Tell all what became of a room.
    Tell(RoomEvent),
    /// Ask for a list of rooms, then call [`Roster::answer`](super::Roster::answer) with this number, whatever comes of it.
    Ask {
        /// Whom.
        to: InstanceId,
        /// Which question it is.
        ask: u64,
        /// The rooms after this one.
        after: Option<Uuid>,
    },
    /// An instance has come, or has come back as another.
    Joined(InstanceId),
    /// An instance is gone with all its rooms.
    Lost(InstanceId),
    /// Another instance has our name.
    Twin,
}

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Nobody takes commands there.
    Gone,
    /// Nothing came in time, or nothing that makes sense.
    Silent,
}
