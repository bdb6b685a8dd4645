//! How a proposal becomes a match: what matchmaker, homes and hosts say to each other, and until when it counts.
//!
//! ```text
//! home        → matchmaker   Submit, Renew, Cancel     (the ticket queue: acknowledged when the pool has taken it in)
//! host        → matchmaker   Offer                     (likewise)
//! matchmaker  → host         Reserve                   seats for all players, held for RESERVED
//! host        → matchmaker   Reserved | Refused
//! matchmaker  → each home    Agree
//! home        → matchmaker   Yes | No                  a yes binds each ticket to this match, for AGREED by the home's clock
//! matchmaker  → each home    Go                        at most GO_AFTER after the first yes; then it is done with it
//! home        → players      go there, with this reservation
//! home        → host         Decline | CutOff          a player does not come, or may not
//! players     → host         claim their seats
//! host        → each home    Seated | Returned         when all have come or the reservations run out
//! ```
//!
//! Every home decides for itself: it binds a ticket to one match at a time, sends players off only while its yes holds, and
//! has the ticket wait again when the host says that the seats were not taken, or when the players are back. So a lost,
//! doubled or late message, or another matchmaker, costs time and nothing else. Whoever is not told asks: a home asks the
//! host of a match it has sent players to until it hears what became of them. The one thing that no message decides is
//! where a player is: that is where the client's connection is, and who has given a host up does not claim there again.
//!
//! Nothing is said into the blue: [`outbox`] says again what was not taken, and what cannot be delivered in its time is given
//! back to who said it. So a step that is lost is noticed, and nobody waits out a reservation for it.
//!
//! [`matchmaker`], [`home`] and [`host`] are the machines. Each takes events and the time by its own clock and returns
//! effects in the order in which they must be carried out.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tiltyard_shared::protocol::limits;

use super::{
    InstanceId, MatchId, SessionId, TicketId,
    pool::{Offer, Renewal, Venue},
    ticket::{Refused, Ticket},
};

pub mod matchmaker;
pub mod home;
pub mod host;
pub mod outbox;

/// Homes and hosts state all that they have open so often.
pub const STATE_EVERY: Duration = Duration::from_secs(2);

/// A host keeps seats for a match so long.
pub const RESERVED: Duration = Duration::from_secs(10);

/// A home's yes binds it so long.
pub const AGREED: Duration = Duration::from_secs(10);

/// A matchmaker that has not all answers so long after the first yes gives the proposal up.
pub const GO_AFTER: Duration = Duration::from_secs(3);

/// A matchmaker waits so long for a host to reserve, and then for a first yes.
pub const ANSWER: Duration = Duration::from_secs(2);

/// A host keeps the seat of a player so long whose search was cut off after the word to go: who is on the way gets there,
/// and the others do not wait for who is gone.
pub const CUT_OFF: Duration = limits::CUT_OFF;

/// A message to one instance that is older than this is dropped.
pub const MESSAGE: Duration = Duration::from_secs(10);

/// A host remembers so long what became of the tickets of a match that is over.
pub const REMEMBERED: Duration = Duration::from_secs(60);

/// What is said to whoever is the matchmaker, through the ticket queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// A new ticket.
    Submit {
        /// The number of the home's statement: it rises with each.
        number: u64,
        /// The ticket.
        ticket: Ticket,
    },
    /// All open tickets of a home.
    Renew(Renewal),
    /// A ticket is no longer open.
    Cancel {
        /// Its home.
        home: InstanceId,
        /// The ticket.
        ticket: TicketId,
    },
    /// All free seats of a host's rooms.
    Offer(Offer),
}

/// What is said to one instance. Each kind is for one of its machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// For a matchmaker.
    Matchmaker(ToMatchmaker),
    /// For a home.
    Home(ToHome),
    /// For a host.
    Host(ToHost),
}

/// What homes and hosts answer to a matchmaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToMatchmaker {
    /// The seats are kept.
    Reserved {
        /// The match.
        id: MatchId,
        /// What players must name to take them.
        reservation: Reservation,
    },
    /// The seats cannot be kept.
    Refused {
        /// The match.
        id: MatchId,
    },
    /// All tickets of this home are bound to the match.
    Yes {
        /// The match.
        id: MatchId,
        /// The home.
        home: InstanceId,
    },
    /// Some ticket cannot be bound, so none is.
    No {
        /// The match.
        id: MatchId,
        /// The home.
        home: InstanceId,
        /// Those that cannot be, and why.
        tickets: Vec<(TicketId, No)>,
    },
}

/// Why a ticket cannot be bound to a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum No {
    /// It is not open.
    NotOpen,
    /// It is bound to another match for so long.
    Bound(Duration),
}

/// What matchmakers and hosts say to a home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToHome {
    /// May these tickets be matched?
    Agree {
        /// The match.
        id: MatchId,
        /// Who asks.
        matchmaker: InstanceId,
        /// Tickets of this home.
        tickets: Vec<TicketId>,
    },
    /// Everybody has agreed: the players shall go to the host.
    Go(Go),
    /// The match has come to nothing before anybody was told to go.
    Release {
        /// The match.
        id: MatchId,
    },
    /// A ticket is not taken into the pool.
    NotTaken {
        /// The ticket.
        ticket: TicketId,
        /// Why.
        why: Refused,
    },
    /// The match is on, and players of this ticket are in it.
    Seated {
        /// The match.
        id: MatchId,
        /// The ticket.
        ticket: TicketId,
    },
    /// No seat of this match is or will be taken by the players of this ticket.
    Returned {
        /// The match.
        id: MatchId,
        /// The ticket.
        ticket: TicketId,
    },
}

/// What matchmakers and homes say to a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToHost {
    /// Keep seats.
    Reserve(Reserve),
    /// The match has come to nothing before anybody was told to go.
    Release {
        /// The match.
        id: MatchId,
    },
    /// The home's yes had run out, or the players have changed their minds: they do not come.
    Decline {
        /// The match.
        id: MatchId,
        /// The ticket.
        ticket: TicketId,
    },
    /// The connection on which this player searched is gone: who is not there by then has [`CUT_OFF`] to come.
    CutOff {
        /// The match.
        id: MatchId,
        /// The ticket.
        ticket: TicketId,
        /// Who.
        player: SessionId,
    },
    /// What became of the players of this ticket?
    Ask {
        /// The match.
        id: MatchId,
        /// The ticket.
        ticket: TicketId,
        /// Who asks.
        home: InstanceId,
    },
}

/// Seats that a host shall keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// The match.
    pub id: MatchId,
    /// Who asks.
    pub matchmaker: InstanceId,
    /// The name of the mode.
    pub mode: String,
    /// A new room, or one that runs here.
    pub place: Venue,
    /// The tickets by team.
    pub teams: Vec<Vec<Ticket>>,
}

/// Where the players of a match shall go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Go {
    /// The match.
    pub id: MatchId,
    /// Where the seats are.
    pub host: InstanceId,
    /// What players must name to take them.
    pub reservation: Reservation,
    /// Tickets of the home that is told.
    pub tickets: Vec<TicketId>,
}

/// A number that a host gives to the seats that it keeps for a match; never given twice by an instance. The pass that
/// players show carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reservation(pub u64);

/// A player at the door of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The match.
    pub id: MatchId,
    /// What the player was told to name.
    pub reservation: Reservation,
    /// The ticket.
    pub ticket: TicketId,
    /// Who.
    pub player: SessionId,
}
