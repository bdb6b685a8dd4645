//! The output of a room's authority at each step: everything that an edge needs.

use std::sync::Arc;

use tiltyard_shared::{
    frame::Settled,
    protocol::Code,
    world::{Committed, GroupId},
};

use crate::{
    seat::SeatId,
    views::{ViewId, Views},
};

/// A step of a room, as its edges see it. On one thread the world is borrowed, so nothing of it is copied.
#[derive(Clone, Copy, Debug)]
pub struct Published<'a> {
    /// Whether the world was committed at this step, so that frames are due.
    pub due: bool,
    /// The world as it was last committed.
    pub world: &'a Committed,
    /// The seats' states, by seat.
    pub seats: &'a [SeatState],
    /// The group lists of the seats' views.
    pub views: &'a Views,
    /// The events of this step, in their order.
    pub events: &'a [Event],
    /// If frames are due: the inputs refused since the previous commit, as seat, number and code.
    pub refused: &'a [(SeatId, u32, Code)],
    /// The number of ticks by which the schedule has been moved.
    pub moved: u32,
    /// Whether this is the last step: the match is over.
    pub last: bool,
}

impl Published<'_> {
    /// The state of a seat.
    pub(crate) fn seat(&self, seat: SeatId) -> SeatState {
        self.seats.get(seat.index()).copied().unwrap_or_default()
    }
}

/// The state of a seat that its frames depend on, beside the world.
#[derive(Clone, Copy, Debug, Default)]
pub struct SeatState {
    /// The view that the game wants; `None` for a seat that is not attached.
    pub view: Option<ViewId>,
    /// The player's own group, if any.
    pub own: Option<GroupId>,
    /// How far inputs are settled.
    pub settled: Settled,
}

/// Something that happened once.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number in the room.
    pub number: u64,
    /// Its listeners.
    pub to: Listener,
    /// Its bincode bytes.
    pub bytes: Arc<[u8]>,
}

/// The listeners of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// Everyone who sees this group.
    Group(GroupId),
    /// The player in this seat.
    Seat(SeatId),
}
