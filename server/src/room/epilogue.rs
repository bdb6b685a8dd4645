//! The end of a match: players who are only away can come back as long as their seats are kept, and are told the
//! result.
//!
//! The game is not stepped any more. A player who comes back gets the last state in one frame, the result, and the same
//! goodbye as the others; wishes for a new seat are refused. The room is not in the lobby any more, but counts among
//! the rooms of its instance until the last seat is told or given up.

use tiltyard_core::room::SeatId;
use tiltyard_shared::{
    game::{Game, Leave},
    protocol::{Code, ServerMessage, Target, capabilities, limits},
};
use tokio::time::sleep_until;

use super::{End, RoomTask, door::RoomRequest};
use crate::net::socket::Gone;

impl<G: Game> RoomTask<G> {
    /// Tells all connected players that the match is over, then waits for the others.
    ///
    /// # Errors
    ///
    /// [`End::Failed`] if the game panics while it computes a view, [`End::Stopping`] if the server stops first.
    pub(super) async fn conclude(&mut self) -> Result<(), End> {
        for index in 0..self.connections.len() {
            self.guarded(|task| task.tell_end(SeatId(index as u32)))?;
        }
        self.setup.listed.conclude();
        while let Some(until) = self.room.authority().kept_until() {
            tokio::select! {
                biased;
                () = self.setup.outside.stop.requested() => return Err(End::Stopping),
                () = sleep_until(self.setup.outside.clock.at(until)) => return Ok(()),
                Some(request) = self.setup.requests.recv() => self.handle_late(request)?,
            }
        }
        Ok(())
    }

    /// Lets owners of seats in for the last frame, and refuses others.
    fn handle_late(&mut self, request: RoomRequest) -> Result<(), End> {
        match request {
            RoomRequest::Join(join) if matches!(join.wish.target, Target::Resume(_)) || join.seat.is_some() => {
                let Some(seat) = self.admit(*join)? else { return Ok(()) };
                let now = self.now();
                self.guarded(|task| {
                    // No tick follows that could bring the rest: all of it goes now, as fast as the line takes it.
                    task.room.set_rate(seat, u32::MAX);
                    task.send_one(seat.0 as usize, now);
                    task.tell_end(seat);
                })
            }
            RoomRequest::Join(join) => {
                join.refuse(Code::Finished);
                Ok(())
            }
            RoomRequest::Reserve(reply) => {
                let _ = reply.send(Err(Code::Finished));
                Ok(())
            }
            // Those who are connected have been told the result.
            RoomRequest::Count(_) | RoomRequest::SendOn(..) | RoomRequest::Close => Ok(()),
        }
    }

    /// Sends the result and a goodbye to a seat's connection, if it has one, and removes the seat.
    fn tell_end(&mut self, seat: SeatId) {
        let Some(Some(connection)) = self.connections.get_mut(seat.0 as usize) else { return };
        if connection.takes(capabilities::RESULT) {
            let result = self.room.authority().finished().map(ToString::to_string).unwrap_or_default();
            let result = if result.len() > limits::RESULT_BYTES { String::new() } else { result };
            // A connection that cannot be told is lost anyway.
            let _ = connection.say(&ServerMessage::Result { result });
        }
        self.dismiss(seat, Gone::Closing(Code::Finished));
        self.room.remove(seat, Leave::Quit);
    }
}
