//! The reports of a room: its occupancy to gateways, its state to the lobby, its counters to the metrics.

use std::time::Duration;

use tiltyard_core::room::SeatId;
use tiltyard_shared::game::Game;

use super::{Connection, End, RoomTask, door::Status};
use crate::metrics;

/// The interval at which counters are exported.
pub(super) const EXPORT: Duration = Duration::from_secs(1);

/// The minimum time between two notices to the lobby.
const NOTICE_SPACING: Duration = Duration::from_secs(1);

impl<G: Game> RoomTask<G> {
    /// Updates the occupancy that gateways see.
    pub(super) fn tell_occupancy(&mut self) {
        let (players, spectators) = (self.room.authority().players(), self.room.authority().spectators());
        self.matched.retain(|seat, _| self.room.authority().has_seat(SeatId(*seat)));
        self.setup.listed.set_occupancy(players + spectators, self.room.authority().free_seats());
        self.counts.people(players, spectators);
    }

    /// Updates the room's entry in the lobby: at once if the last notice is old enough, otherwise at most once a
    /// second.
    pub(super) fn tell_lobby(&mut self, now: Duration) {
        let locked = self.room.authority().is_locked();
        self.setup.listed.set_locked(locked);
        if now < self.next_notice {
            return;
        }
        let (players, spectators) = (self.room.authority().players(), self.room.authority().spectators());
        if self.setup.listed.tell(&Status { players, spectators, locked, metadata: self.room.authority().metadata() }) {
            self.next_notice = now + NOTICE_SPACING;
        }
    }

    pub(super) fn export(&mut self, now: Duration) -> Result<(), End> {
        if now < self.next_export {
            return Ok(());
        }
        self.next_export = now + EXPORT;
        while self.closing.try_join_next().is_some() {}
        let traffic = self.connections.iter_mut().flatten().map(Connection::take_traffic);
        let (received, sent) = traffic.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        metrics::traffic(received, sent);
        let stats = self.guarded(|task| task.room.stats())?;
        self.counts.export(&stats);
        Ok(())
    }
}
