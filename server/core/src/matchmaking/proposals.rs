//! How a proposal becomes a match: the messages between matchmaker, homes and hosts, and how long each is valid.
//!
//! ```text
//! home        → matchmaker   Submit, Renew, Cancel, NoShows   (the ticket queue: acknowledged when the pool has taken it in)
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
//! Every home decides for itself. It binds a ticket to one match at a time, sends players off only while its yes holds,
//! and has the ticket wait again when the host says that the seats were not taken, or when the players are back. So a
//! lost, repeated or late message, or another matchmaker, costs time and nothing else. An instance that is not told
//! asks: a home asks the host of a match until it learns what became of the players it has sent. A home ends the search
//! of a player who has not come, and the others' tickets avoid that player (see [`no_shows`](super::no_shows)). A search
//! without a match ends at the mode's [`give_up`](super::mode::Mode::give_up). No message decides
//! where a player is: a player is where the client's connection is, and a client that has given up a host does not
//! claim there again.
//!
//! No message is sent blindly: the [`outbox`] repeats what was not taken, and returns what cannot be delivered in time
//! to its sender. So a lost step is noticed, and nobody waits out a reservation for it.
//!
//! [`matchmaker`], [`home`] and [`host`] are the machines. Each takes events, and the time by its own clock, and
//! returns effects in the order in which they must be carried out.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tiltyard_shared::protocol::limits;

use super::{
    InstanceId, MatchId, PlayerKey, SessionId, TicketId,
    no_shows::NoShow,
    pool::{Offer, Renewal, Venue},
    ticket::{Refused, Ticket},
};

pub mod matchmaker;
pub mod home;
pub mod host;
pub mod outbox;

/// Interval at which homes and hosts state everything that they have open.
pub const STATE_EVERY: Duration = Duration::from_secs(2);

/// How long a host keeps seats for a match.
pub const RESERVED: Duration = Duration::from_secs(10);

/// How long a home's yes binds it.
pub const AGREED: Duration = Duration::from_secs(10);

/// Time after the first yes in which all answers must come; the matchmaker gives the proposal up then.
pub const GO_AFTER: Duration = Duration::from_secs(3);

/// How long a matchmaker waits for a host to reserve, and then for a first yes.
pub const ANSWER: Duration = Duration::from_secs(2);

/// How long a host keeps the seat of a player whose search was cut off after the word to go: a player on the way gets
/// there, and the others do not wait for one who is gone.
pub const CUT_OFF: Duration = limits::CUT_OFF;

/// Time after the word to go in which players must have come to a host, or the match was decided too early to blame them.
pub const COME_WITHIN: Duration = Duration::from_secs(5);

/// Age beyond which a message to one instance is dropped.
pub const MESSAGE: Duration = Duration::from_secs(10);

/// How long a host remembers what became of the tickets of a match that is over.
pub const REMEMBERED: Duration = Duration::from_secs(60);

/// Most no-shows of one request.
pub const MAX_STATED: usize = 256;

/// A request to the present matchmaker, through the ticket queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// A new ticket.
    Submit {
        /// The number of the home's statement; it rises with each.
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
    /// Players who did not come to a match, at most [`MAX_STATED`]. Repeated while their penalties run.
    NoShows(Vec<NoShow>),
}

/// A message to one instance. Each kind is for one of its machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// For a matchmaker.
    Matchmaker(ToMatchmaker),
    /// For a home.
    Home(ToHome),
    /// For a host.
    Host(ToHost),
}

/// Answers from homes and hosts to a matchmaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToMatchmaker {
    /// The seats are kept.
    Reserved {
        /// The match.
        id: MatchId,
        /// The number that players must name to take them.
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
        /// The tickets that cannot be bound, and the reasons.
        tickets: Vec<(TicketId, No)>,
    },
}

/// The reason why a ticket cannot be bound to a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum No {
    /// It is not open.
    NotOpen,
    /// It is bound to another match for this time.
    Bound(Duration),
}

/// Messages from matchmakers and hosts to a home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToHome {
    /// Asks whether these tickets may be matched.
    Agree {
        /// The match.
        id: MatchId,
        /// The matchmaker that asks.
        matchmaker: InstanceId,
        /// Tickets of this home.
        tickets: Vec<TicketId>,
    },
    /// Everybody has agreed: the players must go to the host.
    Go(Go),
    /// The match has failed before anybody was told to go.
    Release {
        /// The match.
        id: MatchId,
    },
    /// A ticket is not taken into the pool.
    NotTaken {
        /// The ticket.
        ticket: TicketId,
        /// The reason.
        why: Refused,
    },
    /// The match is on, and players of this ticket are in it.
    Seated {
        /// The match.
        id: MatchId,
        /// The ticket.
        ticket: TicketId,
    },
    /// The players of this ticket have no seat in this match, and get none.
    Returned {
        /// The match.
        id: MatchId,
        /// The ticket.
        ticket: TicketId,
        /// The players of the match who were not there when that was decided: their time was over, they were declined,
        /// or they have left.
        #[serde(default)]
        absent: Vec<PlayerKey>,
        /// Whether players of this ticket are among them because their time was over, and nobody had declined for them.
        #[serde(default)]
        late: bool,
        /// The time since it was decided: more than zero if the home has asked.
        #[serde(default)]
        ago: Duration,
    },
}

/// Messages from matchmakers and homes to a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToHost {
    /// Keep seats.
    Reserve(Reserve),
    /// The match has failed before anybody was told to go.
    Release {
        /// The match.
        id: MatchId,
    },
    /// The players do not come: the home's yes had run out, or they have changed their minds.
    Decline {
        /// The match.
        id: MatchId,
        /// The ticket.
        ticket: TicketId,
    },
    /// The connection on which this player searched is gone. A player who is not there yet has [`CUT_OFF`] to come.
    CutOff {
        /// The match.
        id: MatchId,
        /// The ticket.
        ticket: TicketId,
        /// The player.
        player: SessionId,
    },
    /// Asks what became of the players of this ticket.
    Ask {
        /// The match.
        id: MatchId,
        /// The ticket.
        ticket: TicketId,
        /// The home that asks.
        home: InstanceId,
    },
}

/// Seats for a host to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// The match.
    pub id: MatchId,
    /// The matchmaker that asks.
    pub matchmaker: InstanceId,
    /// The name of the mode.
    pub mode: String,
    /// A new room, or one that runs here.
    pub place: Venue,
    /// The tickets by team, without what only a matchmaker needs: regions, and whom they avoid.
    pub teams: Vec<Vec<Ticket>>,
}

/// Tells a home where the players of a match must go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Go {
    /// The match.
    pub id: MatchId,
    /// The host of the seats.
    pub host: InstanceId,
    /// The number that players must name to take them.
    pub reservation: Reservation,
    /// The tickets of this home.
    pub tickets: Vec<TicketId>,
}

/// The number that a host gives to the seats it keeps for a match; no instance gives one twice. The pass that players
/// show carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reservation(pub u64);

/// A player at the door of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The match.
    pub id: MatchId,
    /// The number that the player was told to name.
    pub reservation: Reservation,
    /// The ticket.
    pub ticket: TicketId,
    /// The player.
    pub player: SessionId,
}
