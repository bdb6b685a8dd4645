//! A seat, and the counts of its session.

use std::{ops::AddAssign, time::Duration};

use tiltyard_shared::{
    game::{PlayerId, Tick},
    protocol::Entered,
};
use uuid::Uuid;

/// A seat as the server gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The room.
    pub room: Uuid,
    /// The client's player in this room.
    pub player: PlayerId,
    /// The secret to resume the seat.
    pub token: Uuid,
    /// Ticks per second.
    pub tick_hz: u32,
    /// The number of ticks from one frame to the next.
    pub send_every: u32,
    /// The last tick computed when the seat was given.
    pub tick: Tick,
    /// The highest input number that the server has taken in.
    pub input: u32,
    /// The epoch of the first frame.
    pub epoch: u32,
    /// How long the seat is kept without a connection.
    pub grace: Duration,
    /// The number of the room's owner.
    pub owner: u32,
    /// After a take-over of the room: the last tick that is still valid.
    pub cut: Option<Tick>,
}

impl Seat {
    /// Whether it is the same seat, on a new connection.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.room, self.token) == (other.room, other.token)
    }
}

impl From<Entered> for Seat {
    fn from(entered: Entered) -> Self {
        Self {
            room: entered.room,
            player: entered.player,
            token: entered.token,
            tick_hz: entered.tick_hz,
            send_every: entered.send_every,
            tick: entered.tick,
            input: entered.input,
            epoch: entered.epoch,
            grace: Duration::from_millis(entered.grace_ms.into()),
            owner: entered.owner,
            cut: entered.cut,
        }
    }
}

/// The counts of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that arrived, stale ones too.
    pub frames: u64,
    /// Frames dropped because their epoch was over.
    pub stale: u64,
    /// Bytes of all frames.
    pub bytes: u64,
    /// Frames after which the hash differed from the server's.
    pub mismatches: u64,
    /// Frames that could not be applied for another reason.
    pub bad_frames: u64,
    /// Resyncs sent, for any reason.
    pub resyncs: u64,
    /// Resumes that succeeded.
    pub reconnects: u64,
    /// Other rooms to which a server that stopped has sent the client.
    pub transfers: u64,
    /// Inputs refused.
    pub inputs_refused: u64,
    /// Messages of a later version, passed over.
    pub unknown: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self {
            frames,
            stale,
            bytes,
            mismatches,
            bad_frames,
            resyncs,
            reconnects,
            transfers,
            inputs_refused,
            unknown,
        } = other;
        self.frames += frames;
        self.stale += stale;
        self.bytes += bytes;
        self.mismatches += mismatches;
        self.bad_frames += bad_frames;
        self.resyncs += resyncs;
        self.reconnects += reconnects;
        self.transfers += transfers;
        self.inputs_refused += inputs_refused;
        self.unknown += unknown;
    }
}
