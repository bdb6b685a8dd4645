//! After the end of a match: who is just away is awaited for as long as the seat is kept, and told how it ended.
//!
//! The game is not stepped any more. Who comes back gets the last state in one frame, the result, and the goodbye that the
//! others had; who comes for a seat is refused. Nobody finds the room in the lobby, and it counts among the rooms of its
//! instance until the last seat is told or given up.

use tiltyard_core::room::SeatId;
use tiltyard_shared::{
    game::{Game, Leave},
    protocol::{Code, ServerMessage, Target, capabilities, limits},
};
use tokio::time::sleep_until;

use super::{End, RoomTask, door::RoomRequest};
use crate::net::socket::Gone;

impl<G: Game> RoomTask<G> {
    /// Tells everybody who is there that the match is over, then waits for who is not.
    ///
    /// # Errors
    ///
    /// [`End::Failed`] if the game panics when it is asked for a view, [`End::Stopping`] if the server stops first.
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

    /// Lets in who has a seat, for the last frame.
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
            RoomRequest::Close => Ok(()),
        }
    }

    /// The result and a goodbye for a seat that has a connection; the seat is then done with.
    fn tell_end(&mut self, seat: SeatId) {
        let Some(Some(connection)) = self.connections.get_mut(seat.0 as usize) else { return };
        if connection.takes(capabilities::RESULT) {
            let result = self.room.authority().finished().map(ToString::to_string).unwrap_or_default();
            let result = if result.len() > limits::RESULT_BYTES { String::new() } else { result };
            // Who cannot be told is gone in any case.
            let _ = connection.say(&ServerMessage::Result { result });
        }
        self.dismiss(seat, Gone::Closing(Code::Finished));
        self.room.remove(seat, Leave::Quit);
    }
}
