//! Moves a connection from the gateway into a room, and back if the room has no seat for it.
//!
//! The socket itself moves: it is detached from one thread's runtime and attached to the other's. A connection without
//! a seat is returned with the reason, so that its client may make another wish.

use std::time::Duration;

use tiltyard_core::room::{Entered, JoinRequest, Returning, SPECTATOR, SeatId};
use tiltyard_shared::{
    game::Game,
    protocol::{self, Code, Enter, ServerMessage, Target},
};
use tracing::debug;
use uuid::Uuid;

use super::{
    Connection, End, RoomTask,
    connection::Owner,
    door::{PendingJoin, RoomRequest},
    matched::MatchSeat,
};
use crate::{log::SessionName, net::socket::Gone};

impl<G: Game> RoomTask<G> {
    /// Answers a request at the door.
    pub(super) fn handle(&mut self, request: RoomRequest) -> Result<(), End> {
        match request {
            RoomRequest::Join(join) => self.admit(*join).map(|_| ()),
            RoomRequest::Reserve(reply) => {
                let reserved = self.setup.listed.reserved();
                let open = if self.setup.matched.is_some() {
                    Err(Code::Locked)
                } else {
                    self.room.authority().check_open(reserved, false)
                };
                let _ = reply.send(open.map(|()| self.setup.listed.reserve()));
                Ok(())
            }
            RoomRequest::Count(reply) => {
                let _ = reply.send(self.connected());
                Ok(())
            }
            RoomRequest::SendOn(next, told) => {
                self.send_on(next)?;
                let _ = told.send(());
                Ok(())
            }
            RoomRequest::Close => Err(End::TooFew),
        }
    }

    /// Gives a connection a seat, or returns it.
    pub(super) fn admit(&mut self, mut join: PendingJoin) -> Result<Option<SeatId>, End> {
        let now = self.now();
        // No other request is handled between here and the seat.
        let expected = join.reservation.take().is_some();
        let seat = join.seat.take();
        let seated = match self.guarded(|task| task.take_seat(&join.wish, expected, seat.as_ref(), now)) {
            Ok(Ok((entered, token))) => {
                if let Some(before) = seat.and_then(|seat| self.matched.insert(entered.seat.0, seat.guard)) {
                    before.release();
                }
                self.connect(join, entered, token, now);
                Some(entered.seat)
            }
            Ok(Err(code)) => {
                join.refuse(code);
                None
            }
            Err(end) => {
                join.refuse(end.code());
                return Err(end);
            }
        };
        self.tell_occupancy();
        Ok(seated)
    }

    fn take_seat(
        &mut self,
        wish: &Enter,
        expected: bool,
        seat: Option<&MatchSeat>,
        now: Duration,
    ) -> Result<(Entered, Uuid), Code> {
        let verify = wish.verify;
        if let Target::Resume(resume) = &wish.target {
            return Ok((self.room.resume(Returning::new(resume, verify), now)?, resume.token));
        }
        let (name, reserved) = (wish.name.clone(), self.setup.listed.reserved());
        let (token, entered) = match seat {
            // A client that shows the pass of a match again has lost the first answer.
            Some(MatchSeat { session, team, .. }) => match self.room.anew(*session, verify) {
                Some(back) => (*session, self.room.resume(back, now)?),
                None => {
                    let request = JoinRequest { name, token: *session, verify, expected: true, team: Some(*team) };
                    (*session, self.room.enter(request, reserved)?)
                }
            },
            None if wish.spectate => {
                let token = Uuid::new_v4();
                (token, self.room.spectate(token, verify)?)
            }
            None if self.setup.matched.is_some() => return Err(Code::Locked),
            None => {
                let token = Uuid::new_v4();
                (token, self.room.enter(JoinRequest { name, token, verify, expected, team: None }, reserved)?)
            }
        };
        Ok((entered, token))
    }

    /// Connects a socket to its seat. Another connection with the same session gets a goodbye.
    fn connect(&mut self, join: PendingJoin, entered: Entered, token: Uuid, now: Duration) {
        let seat = entered.seat;
        self.dismiss(seat, Gone::Closing(Code::TakenOver));
        let index = seat.0 as usize;
        let (capabilities, grace) = (join.capabilities, self.room.settings().grace);
        let (player, session) = (entered.player, SessionName::of(token));
        let owner = Owner { player, session, capabilities };
        let mut connection = Connection::new(join.socket, owner, &self.setup.outside.timing, grace, now);
        self.room.understands(seat, capabilities);
        let said = connection.say(&self.entered(&join.wish, entered, token));
        debug!(room = %self.setup.id, seat = seat.0, player = player.0, %session, client = %connection.peer(), "player entered");
        if index >= self.connections.len() {
            self.connections.resize_with(index + 1, || None);
        }
        self.connections[index] = Some(connection);
        let _ = join.reply.send(Ok(()));
        if let Err(gone) = said {
            self.close(seat, gone, now);
        }
    }

    fn entered(&self, wish: &Enter, entered: Entered, token: Uuid) -> ServerMessage {
        let known = wish.schema == Some(self.schema.hash);
        ServerMessage::Entered(Box::new(protocol::Entered {
            request: wish.request,
            room: self.setup.id,
            game: G::NAME.to_owned(),
            player: entered.player,
            token,
            tick_hz: self.room.settings().tick_hz,
            send_every: self.room.settings().send_every,
            tick: entered.tick,
            input: entered.input,
            epoch: entered.epoch,
            schema_hash: self.schema.hash,
            schema: (!known).then(|| self.schema.json.clone()),
            code: self.setup.listed.code().to_string(),
            spectator: entered.player == SPECTATOR,
            grace_ms: u32::try_from(self.room.settings().grace.as_millis()).unwrap_or(u32::MAX),
            owner: 1,
            cut: None,
            protected: false,
        }))
    }
}
