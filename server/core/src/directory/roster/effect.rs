//! The actions that a roster asks for, and their outcomes.

use uuid::Uuid;

use crate::{
    directory::messages::{Heartbeat, RoomEvent},
    instance::InstanceId,
};

/// An action for the caller, to be done in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask all instances to show themselves.
    Hello,
    /// Send a heartbeat to all.
    Alive(Heartbeat),
    /// Send a heartbeat to one.
    Here(InstanceId, Heartbeat),
    /// Tell all about a change of a room.
    Tell(RoomEvent),
    /// Ask for a list of rooms, then call [`Roster::answer`](super::Roster::answer) with this number, whatever the
    /// outcome.
    Ask {
        /// The instance to ask.
        to: InstanceId,
        /// The number of the question.
        ask: u64,
        /// The room after which the page starts.
        after: Option<Uuid>,
    },
    /// Note that an instance has come, or has come back in another life.
    Joined(InstanceId),
    /// Note that an instance is gone with all its rooms.
    Lost(InstanceId),
    /// Note that another instance has our name.
    Twin,
}

/// The reason why a question was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Nobody takes commands there.
    Gone,
    /// No answer came in time, or none that makes sense.
    Silent,
}
