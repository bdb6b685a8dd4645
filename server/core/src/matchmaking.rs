//! Matchmaking: tickets wait in a pool, a round proposes matches, and a match counts when every home has agreed.
//!
//! A game declares its [`mode`]s, and a [`ticket`] is what players ask for. The [`pool`] decides who should play
//! together. The [`proposals`] are three machines (matchmaker, home, host) that turn a proposal into a match, although
//! messages are lost, doubled and late and any of the three may die. Who does not come to a match waits for the next
//! one, by the rules of [`no_shows`]. Nothing here knows the broker: the server's matchmaking service carries the
//! messages, keeps the clocks and opens the rooms.

use std::fmt;

use serde::{Deserialize, Serialize};
pub use tiltyard_shared::game::mode;
use uuid::Uuid;

pub mod no_shows;
pub mod ticket;
pub mod pool;
pub mod proposals;
pub mod bounds;

pub use crate::instance::InstanceId;

/// A player's session: the same over reconnects, and on every instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(pub Uuid);

/// The player key: what a player is known by over sessions and searches, the key that the client keeps, or the id of the session
/// if the client shows none. Whoever knows it can pass for the player, so it is not printed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlayerKey(pub Uuid);

impl fmt::Debug for PlayerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlayerKey({:02x}…)", self.0.as_bytes()[0])
    }
}

/// The id of a ticket. Never given twice; a v7 uuid, so of two tickets the younger has the greater id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TicketId(pub Uuid);

/// The id of a match, from its proposal on: a v7 uuid. A proposal that fills seats of a running room has its own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MatchId(pub Uuid);
