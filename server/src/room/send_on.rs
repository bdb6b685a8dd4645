//! The last thing that a room does for its players when its server stops: it sends them to another instance.

use tiltyard_core::room::{SPECTATOR, SeatId};
use tiltyard_shared::{
    game::Game,
    protocol::{Code, ServerMessage},
};

use super::{Connection, End, RoomTask, door::NextRoom};
use crate::{metrics, net::socket::Gone};

impl<G: Game> RoomTask<G> {
    /// The number of players who are connected.
    pub(super) fn connected(&self) -> u32 {
        self.connections.iter().flatten().filter(|connection| plays(connection)).count() as u32
    }

    /// Redirects as many players as there are passes, and closes their connections. Spectators stay: there is nothing
    /// to see yet.
    ///
    /// # Errors
    ///
    /// [`End::Failed`] if the game panics.
    pub(super) fn send_on(&mut self, next: NextRoom) -> Result<(), End> {
        let now = self.now();
        let NextRoom { url, passes } = next;
        let players = self.connections.iter().enumerate();
        let players = players.filter(|(_, connection)| connection.as_ref().is_some_and(plays)).map(|(index, _)| index);
        let players: Vec<_> = players.zip(passes).collect();
        for (index, pass) in players {
            let Some(Some(connection)) = self.connections.get_mut(index) else { continue };
            metrics::redirect();
            let said = connection.say(&ServerMessage::Redirect { request: 0, url: url.clone(), pass });
            // Whoever does not know a redirect in a room is told that it ends.
            let gone = said.err().unwrap_or(Gone::Closing(Code::Stopping));
            self.guarded(|task| task.close(SeatId(index as u32), gone, now))?;
        }
        Ok(())
    }
}

fn plays(connection: &Connection) -> bool {
    connection.owner().player != SPECTATOR
}
