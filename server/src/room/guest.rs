//! How a connection comes from the gateway into a room, and back if the room has no seat for it.
//!
//! The socket itself travels, taken off one thread's runtime and put onto the other's. A guest that is not seated is given
//! back with the reason, so that its client may wish for something else.

use std::time::Duration;

use tiltyard_core::room::Entered;
use tiltyard_shared::{
    game::Game,
    protocol::{Code, Enter, ServerMessage, Target},
};
use tokio::sync::{mpsc, oneshot};
use tracing::debug;
use uuid::Uuid;

use super::{Connection, End, RoomTask};
use crate::socket::{Gone, Socket};

/// A connection that wants a seat.
#[derive(Debug)]
pub(crate) struct Guest {
    /// Its socket, on no runtime.
    pub(crate) socket: Socket,
    /// What it asked for; the target has led here.
    pub(crate) wish: Enter,
    /// Where the answer goes.
    pub(crate) reply: oneshot::Sender<Reply>,
}

/// Whether a guest was seated; if not, here it is again.
pub(crate) type Reply = Result<(), Box<Refused>>;

/// A guest that got no seat.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Its socket, on no runtime.
    pub(crate) socket: Socket,
    /// Why.
    pub(crate) code: Code,
}

impl Guest {
    fn refuse(self, code: Code) {
        // A gateway that does not listen any more is stopping.
        let _ = self.reply.send(Err(Box::new(Refused { socket: self.socket, code })));
    }
}

/// Sends everybody back who waits at a closed room.
pub(crate) fn refuse_all(guests: &mut mpsc::Receiver<Guest>, code: Code) {
    guests.close();
    while let Ok(guest) = guests.try_recv() {
        guest.refuse(code);
    }
}

impl<G: Game> RoomTask<G> {
    /// Gives a guest a seat, or sends it back.
    pub(super) fn admit(&mut self, guest: Guest) -> Result<(), End> {
        let now = self.now();
        match self.guarded(|task| task.take_seat(&guest.wish, now)) {
            Ok(Ok((entered, token))) => self.connect(guest, entered, token, now),
            Ok(Err(code)) => guest.refuse(code),
            Err(end) => {
                guest.refuse(end.code());
                return Err(end);
            }
        }
        self.tell_occupancy();
        Ok(())
    }

    fn take_seat(&mut self, wish: &Enter, now: Duration) -> Result<(Entered, Uuid), Code> {
        if let Target::Resume { token, jump, .. } = wish.target {
            return Ok((self.room.resume(token, jump, wish.verify, now)?, token));
        }
        let token = Uuid::new_v4();
        Ok((self.room.enter(wish.name.clone(), token, wish.verify, now)?, token))
    }

    /// Puts a guest's socket onto its seat. Whoever has the same session on another connection is told there.
    fn connect(&mut self, mut guest: Guest, entered: Entered, token: Uuid, now: Duration) {
        let seat = entered.seat;
        self.dismiss(seat, Gone::Closing(Code::TakenOver));
        let attached = guest.socket.get_mut().attach();
        let mut connection = Connection::new(guest.socket, &self.setup.timing, now);
        let said =
            attached.map_err(|_| Gone::Lost).and_then(|()| connection.say(&self.entered(&guest.wish, entered, token)));
        debug!(room = %self.setup.id, seat = seat.0, player = entered.player.0, peer = %connection.peer(), "player entered");
        let place = seat.0 as usize;
        if place >= self.connections.len() {
            self.connections.resize_with(place + 1, || None);
        }
        self.connections[place] = Some(connection);
        let _ = guest.reply.send(Ok(()));
        if let Err(gone) = said {
            self.close(seat, gone, now);
        }
    }

    fn entered(&self, wish: &Enter, entered: Entered, token: Uuid) -> ServerMessage {
        let known = wish.schema == Some(self.schema.hash);
        ServerMessage::Entered {
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
        }
    }
}
