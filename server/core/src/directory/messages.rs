//! Messages between instances about themselves and their rooms. They come from a broker, so they are checked before
//! they are believed.

use serde::{Deserialize, Serialize};
use tiltyard_shared::protocol::{
    limits::{METADATA_BYTES, NAME_BYTES, TITLE_BYTES},
    lobby::{RoomCode, RoomEntry},
};
use uuid::Uuid;

use super::Listing;
use crate::instance::{Incarnation, InstanceId, is_word};

/// Most bytes of an instance's public URL.
pub const URL_BYTES: usize = 200;

/// Bytes of rooms, approximately, after which a page ends. Even with its last room, it stays below the bus's limit.
pub const ROOM_PAGE_BYTES: usize = 16 * 1024;

/// The present state of an instance; sent to all every few seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The instance.
    pub instance: InstanceId,
    /// Its life.
    pub incarnation: Incarnation,
    /// Rises with each heartbeat.
    pub beat: u64,
    /// The number of its last [`RoomEvent`]: 0 before the first.
    pub number: u64,
    /// Its rooms, private ones too.
    pub rooms: u32,
    /// The players in them and on their way to them.
    pub players: u32,
    /// Most players that it takes.
    pub capacity: u32,
    /// Its region: one word.
    pub region: String,
    /// The URL at which players reach it, as in `wss://play.example/eu-1`: without the `/ws`. At most [`URL_BYTES`].
    pub url: String,
    /// Whether it no longer takes new rooms and players.
    pub draining: bool,
}

impl Heartbeat {
    /// Whether everything in it is within its limits.
    pub fn is_bounded(&self) -> bool {
        let is_socket = self.url.starts_with("ws://") || self.url.starts_with("wss://");
        let is_plain = self.url.len() <= URL_BYTES && self.url.bytes().all(|byte| byte.is_ascii_graphic());
        is_word(&self.region) && is_socket && is_plain
    }

    /// The load, from 0 to 1,000.
    pub fn load_per_mille(&self) -> u32 {
        let players = u64::from(self.players) * 1000;
        u32::try_from(players.checked_div(self.capacity.into()).unwrap_or(1000).min(1000)).unwrap_or(1000)
    }
}

/// A change of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomEvent {
    /// The instance.
    pub instance: InstanceId,
    /// The life of that instance.
    pub incarnation: Incarnation,
    /// Rises by one with each event of this life, from 1.
    pub number: u64,
    /// The change.
    pub change: Change,
}

/// The kinds of changes of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// The room is new.
    Opened(Listing),
    /// The room has changed.
    Updated(Listing),
    /// The room is gone.
    Closed {
        /// The room.
        room: Uuid,
        /// Its game.
        game: String,
    },
}

impl Change {
    /// Whether everything in it is within its limits.
    pub fn is_bounded(&self) -> bool {
        match self {
            Self::Opened(listing) | Self::Updated(listing) => listing.is_bounded(),
            Self::Closed { room: _, game } => game.len() <= NAME_BYTES,
        }
    }

    /// The room that has changed.
    pub fn room(&self) -> Uuid {
        match self {
            Self::Opened(listing) | Self::Updated(listing) => listing.entry.room,
            Self::Closed { room, game: _ } => *room,
        }
    }

    /// The room's game.
    pub fn game(&self) -> &str {
        match self {
            Self::Opened(listing) | Self::Updated(listing) => &listing.entry.game,
            Self::Closed { room: _, game } => game,
        }
    }

    /// `opened`, `updated` or `closed`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Opened(_) => "opened",
            Self::Updated(_) => "updated",
            Self::Closed { .. } => "closed",
        }
    }
}

/// Some of an instance's rooms, in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomPage {
    /// The life of the instance.
    pub incarnation: Incarnation,
    /// The number of its last event when the page was made.
    pub number: u64,
    /// The rooms, each with the number of its last event.
    pub rooms: Vec<(u64, Listing)>,
    /// The last room of the page if more follow.
    pub next: Option<Uuid>,
}

impl RoomPage {
    /// Whether everything in it is within its limits.
    pub fn is_bounded(&self) -> bool {
        self.rooms.iter().all(|(_, listing)| listing.is_bounded())
    }
}

impl Listing {
    /// Whether everything in it is within its limits.
    pub fn is_bounded(&self) -> bool {
        let RoomEntry { code, game, title, metadata, .. } = &self.entry;
        code.parse::<RoomCode>().is_ok()
            && is_word(game)
            && game.len() <= NAME_BYTES
            && title.len() <= TITLE_BYTES
            && metadata.len() <= METADATA_BYTES
    }

    /// A close upper bound on its bytes on the bus.
    pub fn bytes(&self) -> usize {
        let RoomEntry { code, game, title, metadata, .. } = &self.entry;
        192 + code.len() + game.len() + title.len() + metadata.len()
    }
}
