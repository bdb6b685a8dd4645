//! A ticket: a party's request for a match, as its home states it.
//!
//! It is complete: a matchmaker that has never heard of it needs nothing else. What becomes of it is the home's to decide.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{InstanceId, MatchId, SessionId, TicketId, mode::Mode};

/// A request for a match, by one player or by a party that stays together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// The instance that holds the players' connections, and that answers for the ticket.
    pub home: InstanceId,
    /// The name of a [`Mode`].
    pub mode: String,
    /// The players: at least 1, at most the mode's team size, nobody twice.
    pub party: Vec<Member>,
    /// How far the regions are, measured by servers; at most [`MAX_REGIONS`]. A region that is not named is out of reach;
    /// a ticket that names none can go anywhere.
    pub regions: Vec<Distance>,
    /// How long it had waited when this was stated, earlier searches that came to nothing included.
    pub waited: Duration,
}

/// A player of a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub player: SessionId,
    /// How strong, in the game's own measure; at most [`MAX_RATING`] from 0.
    pub rating: i32,
}

/// How far a region is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distance {
    /// The region's name.
    pub region: String,
    /// Round trip in milliseconds: the worst of the party.
    pub ms: u32,
}

/// Free seats of a running room, as its host states them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vacancy {
    /// The room.
    pub room: MatchId,
    /// The instance it runs on.
    pub host: InstanceId,
    /// The name of its [`Mode`].
    pub mode: String,
    /// Where it runs.
    pub region: String,
    /// The team that has free seats, from 0.
    pub team: usize,
    /// How many.
    pub seats: usize,
    /// The mean rating of those who play there.
    pub rating: i32,
    /// How long seats had been free when this was stated: the room's window widens with it like a ticket's.
    pub waited: Duration,
}

/// Why a ticket is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    /// The game has no such mode.
    UnknownMode,
    /// Nobody is in it, more than a team holds, or somebody twice.
    BadParty,
    /// More than [`MAX_REGIONS`], or a rating beyond [`MAX_RATING`].
    OutOfRange,
    /// It is stated by an instance that is not its home.
    NotItsHome,
    /// A ticket of this id waits that is another: tickets do not change but for their waiting.
    Changed,
    /// One of its players waits by another ticket, which is younger.
    Superseded,
    /// One of its players has a ticket at this home already.
    AlreadySearching,
    /// As many tickets wait as may.
    Full,
    /// The home is draining.
    Draining,
}

/// Most regions that a ticket names.
pub const MAX_REGIONS: usize = 32;

/// Ratings are between this and its negative.
pub const MAX_RATING: i32 = 1_000_000;

impl Ticket {
    /// The mean of its players' ratings, rounded down: what windows are measured by.
    pub fn rating(&self) -> i32 {
        let players = i64::try_from(self.party.len()).expect("a party is small").max(1);
        i32::try_from(self.strength().div_euclid(players)).expect("a mean of ratings")
    }

    /// The sum of its players' ratings: what teams are balanced by.
    pub fn strength(&self) -> i64 {
        self.party.iter().map(|member| i64::from(member.rating)).sum()
    }

    /// Its players.
    pub fn players(&self) -> impl Iterator<Item = SessionId> {
        self.party.iter().map(|member| member.player)
    }

    /// How far a region is: `None` if it is out of reach.
    pub fn distance(&self, region: &str) -> Option<u32> {
        if self.regions.is_empty() {
            return Some(0);
        }
        self.regions.iter().find(|distance| distance.region == region).map(|distance| distance.ms)
    }

    /// Whether this is the same ticket, stated at another time.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let Self { id, home, mode, party, regions, waited: _ } = self;
        (id, home, mode, party, regions) == (&other.id, &other.home, &other.mode, &other.party, &other.regions)
    }

    /// Whether this can wait for a match of this mode.
    ///
    /// # Errors
    ///
    /// [`Refused::BadParty`] or [`Refused::OutOfRange`].
    pub fn check(&self, mode: &Mode) -> Result<(), Refused> {
        if self.party.is_empty() || self.party.len() > mode.team_size {
            return Err(Refused::BadParty);
        }
        let mut players: Vec<_> = self.players().collect();
        players.sort_unstable();
        if players.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Refused::BadParty);
        }
        let rated = self.party.iter().all(|member| member.rating.unsigned_abs() <= MAX_RATING.unsigned_abs());
        if self.regions.len() > MAX_REGIONS || !rated {
            return Err(Refused::OutOfRange);
        }
        Ok(())
    }
}
