//! What the authority of a room publishes at each step: all that an edge needs to know.

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

/// A step of a room, as its edges see it. On one thread the world is borrowed: nothing of it is copied.
#[derive(Clone, Copy, Debug)]
pub struct Published<'a> {
    /// Whether the world was committed at this step, so that frames are due.
    pub due: bool,
    /// The world as it was last committed.
    pub world: &'a Committed,
    /// By seat: what its frames need to know.
    pub seats: &'a [SeatState],
    /// The lists of the views that seats have.
    pub views: &'a Views,
    /// The events of this step, in their order.
    pub events: &'a [Event],
    /// If frames are due: the inputs that have been refused since the commit before: whose, which, why.
    pub refused: &'a [(SeatId, u32, Code)],
    /// By how many ticks the schedule has been moved.
    pub moved: u32,
    /// No other step follows: the match is over.
    pub last: bool,
}

impl Published<'_> {
    /// What the frames of a seat need to know.
    pub(crate) fn seat(&self, seat: SeatId) -> SeatState {
        self.seats.get(seat.index()).copied().unwrap_or_default()
    }
}

/// What the frames of a seat need to know beside the world.
#[derive(Clone, Copy, Debug, Default)]
pub struct SeatState {
    /// The view that the game wants; none for a seat that is not attached.
    pub view: Option<ViewId>,
    /// The player's own group, if there is one.
    pub own: Option<GroupId>,
    /// Up to where inputs are settled.
    pub settled: Settled,
}

/// Something that happened once.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number in the room.
    pub number: u64,
    /// Who is told.
    pub to: Listener,
    /// Its bincode bytes.
    pub bytes: Arc<[u8]>,
}

/// Who is told of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// Everyone who sees this group.
    Group(GroupId),
    /// Who has this seat.
    Seat(SeatId),
}
