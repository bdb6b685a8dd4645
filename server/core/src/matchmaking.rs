//! Matchmaking: tickets wait in a pool, a round proposes matches, and a match counts when every home has agreed.
//!
//! [`mode`] is what a game declares and [`ticket`] what players ask for. [`pool`] decides who should play whom.
//! [`proposals`] are the three machines (matchmaker, home, host) that make a proposal a match although messages are lost,
//! doubled and late and although any of the three may die. Nothing here knows the broker: the server's lobby carries the
//! messages, keeps the clocks and opens the rooms.

use serde::{Deserialize, Serialize};
pub use tiltyard_shared::game::mode;
use uuid::Uuid;

pub mod ticket;
pub mod pool;
pub mod proposals;
pub mod bounds;

pub use crate::instance::InstanceId;

/// A player's session: the same over reconnects, and on every instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(pub Uuid);

/// A ticket. Never given twice; a v7 uuid, so that of two the younger is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TicketId(pub Uuid);

/// A match, from its proposal on: a v7 uuid. A proposal that fills seats of a running room has an id of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MatchId(pub Uuid);
