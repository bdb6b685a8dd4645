//! The end of a drain whose time is over: the players who are still here are sent to other instances.
//!
//! The players of a room stay together: for each room one like it is opened elsewhere, with the same game, config and
//! options, and a seat is reserved in it for everybody who is connected. What was played so far is lost. Whoever gets no
//! seat, because no instance takes players or because it takes too long, is told that the server stops.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt as _, stream};
use parking_lot::Mutex;
use tiltyard_core::directory::{FleetView, messages::Heartbeat};
use tokio::time::timeout;
use tracing::{info, warn};

use super::Placement;
use crate::{
    bus::InstanceId,
    fleet::{messages::Destination, socket_url},
    room::door::{Arrival, NextRoom},
};

/// The maximum time for all rooms together.
const SEND_ON: Duration = Duration::from_secs(5);

/// The number of rooms that are sent on at the same time, and of seats that are reserved at the same time for each: all
/// together fewer than what an instance answers at the same time.
const ROOMS_AT_ONCE: usize = 16;
const SEATS_AT_ONCE: usize = 16;

/// The players sent to each instance, whose heartbeats do not tell of them yet.
#[derive(Debug, Default)]
struct Sent(Mutex<BTreeMap<InstanceId, u32>>);

impl Sent {
    /// Chooses the emptiest of the open instances for so many players. Those who are on the way there count.
    fn choose(&self, fleet: &FleetView, players: u32) -> Option<Heartbeat> {
        let mut sent = self.0.lock();
        let load = |peer: &&Heartbeat| {
            let coming = sent.get(&peer.instance).copied().unwrap_or(0);
            Heartbeat { players: peer.players.saturating_add(coming), ..(*peer).clone() }.load_per_mille()
        };
        let home = fleet.peers().filter(|peer| fleet.is_open(peer.instance)).min_by_key(load)?.clone();
        *sent.entry(home.instance).or_default() += players;
        Some(home)
    }
}

impl Placement {
    /// Sends the players of all rooms to other instances, as far as those take them. Returns at the latest after
    /// [`SEND_ON`].
    pub(crate) async fn send_players_on(&self) {
        let sent = Sent::default();
        let rooms = stream::iter(self.rooms.all());
        let all = rooms.for_each_concurrent(ROOMS_AT_ONCE, |room| self.send_room_on(room, &sent));
        if timeout(SEND_ON, all).await.is_err() {
            warn!("players are not sent to other instances any longer: it takes too long");
        }
    }

    async fn send_room_on(&self, room: Arrival, sent: &Sent) {
        let players = self.rooms.connected(&room).await;
        if players == 0 {
            return;
        }
        let Some(home) = sent.choose(&self.here.fleet(), players) else { return };
        let Ok((next, pass)) = self.reserve(home.instance, room.another()).await else { return };
        let more = stream::iter(1..players).map(|_| self.reserve(home.instance, Destination::Room(next)));
        let more: Vec<_> = more.buffer_unordered(SEATS_AT_ONCE).collect().await;
        let mut passes = vec![pass];
        passes.extend(more.into_iter().filter_map(|seat| seat.ok().map(|(_, pass)| pass)));
        info!(room = %room.room(), at = %home.instance, players = passes.len(), "players are sent on");
        self.rooms.send_on(&room, NextRoom { url: socket_url(&home.url), passes }).await;
    }
}
