//! Writes everybody's frame at a tick: in slices, each tick starting at another seat. The content of a frame is made by
//! `tiltyard-core`'s edge; [`Connection`](super::Connection) writes it.

use std::time::Duration;

use tiltyard_core::room::SeatId;
use tiltyard_shared::{game::Game, protocol::ServerMessage};
use tokio::task::yield_now;

use super::{End, RoomTask, slices};
use crate::net::socket::Gone;

/// The number of seats by which the first one moves on at each tick, for frames and scans, so that nobody is always
/// last.
const STRIDE: usize = 7;

/// The maximum number of pieces of a frame that are written to a line at a tick.
const PIECES: u32 = 4;

impl<G: Game> RoomTask<G> {
    /// Writes all frames. Returns the time it took, without the turns of other rooms.
    pub(super) async fn send(&mut self, now: Duration) -> Result<Duration, End> {
        let seats = self.connections.len();
        self.first = (self.first + STRIDE) % seats.max(1);
        let mut spent = Duration::ZERO;
        for slice in slices(seats) {
            if slice.start > 0 {
                yield_now().await;
            }
            let started = self.now();
            self.guarded(|task| slice.for_each(|index| task.send_one((task.first + index) % seats, now)))?;
            spent += self.now().saturating_sub(started);
        }
        Ok(spent)
    }

    /// Serves one seat, and closes its connection if that fails.
    pub(super) fn send_one(&mut self, index: usize, now: Duration) {
        let served = self.serve(index, now);
        let Some(connection) = &mut self.connections[index] else { return };
        if let Err(gone) = served.and_then(|()| connection.beat(now)) {
            self.close(SeatId(index as u32), gone, now);
        }
    }

    /// Writes a seat's frame. Of a frame in pieces it writes as many as the line takes now.
    fn serve(&mut self, index: usize, now: Duration) -> Result<(), Gone> {
        let Some(connection) = &mut self.connections[index] else { return Ok(()) };
        let seat = SeatId(index as u32);
        let line = connection.flush(now)?;
        if let Some(rate) = line.rate {
            self.room.set_rate(seat, rate);
        }
        if line.moved {
            self.room.drained(seat, now);
        }
        if !line.clean {
            self.room.throttle(seat, now);
            return Ok(());
        }
        let mut more = self.room.frame(seat, now, connection.round_trip(), &mut self.frame)?;
        for piece in 1..=PIECES {
            if !more {
                break;
            }
            self.counts.frame(self.frame.len());
            connection.write(&self.frame, &mut self.scratch)?;
            more = piece < PIECES && !connection.is_blocked() && self.room.piece(seat, now, &mut self.frame);
        }
        match self.room.take_pace(seat) {
            Some(every) => connection.say(&ServerMessage::Pace { every }),
            None => Ok(()),
        }
    }
}
