//! A ticket: a party's request for a match, as its home states it.
//!
//! It is complete: a matchmaker that has never heard of it needs nothing else. Its home decides what becomes of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{InstanceId, MatchId, PlayerKey, SessionId, TicketId, mode::Mode};

/// A request for a match, by one player or by a party that stays together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// The instance that holds the players' connections and answers for the ticket.
    pub home: InstanceId,
    /// The name of a [`Mode`].
    pub mode: String,
    /// The players: at least 1, at most the mode's team size, no session and no key twice.
    pub party: Vec<Member>,
    /// The distances of regions, measured by servers; at most [`MAX_REGIONS`]. A region that is not named is out of
    /// reach; a ticket that names none can go anywhere.
    pub regions: Vec<Distance>,
    /// Players who did not come to a match with this ticket, at most [`MAX_AVOIDED`]: it is not matched with them again.
    #[serde(default)]
    pub avoid: Vec<PlayerKey>,
    /// How long it had waited when this was stated, including earlier searches that failed.
    pub waited: Duration,
}

/// A player of a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The player.
    pub player: SessionId,
    /// The player's key, the same in each search.
    pub key: PlayerKey,
    /// The strength in the game's own measure; at most [`MAX_RATING`] from 0.
    pub rating: i32,
}

/// The distance of a region.
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
    /// The region.
    pub region: String,
    /// The team that has free seats, from 0.
    pub team: usize,
    /// The number of free seats.
    pub seats: usize,
    /// The mean rating of the players there.
    pub rating: i32,
    /// How long seats had been free when this was stated. The room's window widens with it, like a ticket's.
    pub waited: Duration,
}

/// The reason why a ticket is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    /// The game has no such mode.
    UnknownMode,
    /// It has no players, more than a team holds, or a session or key twice.
    BadParty,
    /// It names more than [`MAX_REGIONS`], or a rating beyond [`MAX_RATING`].
    OutOfRange,
    /// It is stated by an instance that is not its home.
    NotItsHome,
    /// A different ticket waits under this id: only its waiting time and whom it avoids change.
    Changed,
    /// One of its players waits with another, younger ticket.
    Superseded,
    /// This ticket is known already.
    AlreadySearching,
    /// One of its players did not come to a match, and may search again after this time.
    NoShow(Duration),
    /// The maximum of tickets wait already.
    Full,
    /// The home is draining.
    Draining,
}

/// Most regions that a ticket may name.
pub const MAX_REGIONS: usize = 32;

/// Most players whom a ticket avoids: the last ones who did not come.
pub const MAX_AVOIDED: usize = 16;

/// Bound on the absolute value of ratings.
pub const MAX_RATING: i32 = 1_000_000;

impl Ticket {
    /// The mean of its players' ratings, rounded down: the measure of windows.
    pub fn rating(&self) -> i32 {
        let players = i64::try_from(self.party.len()).expect("a party is small").max(1);
        i32::try_from(self.strength().div_euclid(players)).expect("a mean of ratings")
    }

    /// The sum of its players' ratings: the measure by which teams are balanced.
    pub fn strength(&self) -> i64 {
        self.party.iter().map(|member| i64::from(member.rating)).sum()
    }

    /// Its players.
    pub fn players(&self) -> impl Iterator<Item = SessionId> {
        self.party.iter().map(|member| member.player)
    }

    /// The keys of its players.
    pub fn keys(&self) -> impl Iterator<Item = PlayerKey> {
        self.party.iter().map(|member| member.key)
    }

    /// Whether one of its players did not come to a match with the other ticket, or the other way round.
    pub fn is_apart_from(&self, other: &Self) -> bool {
        let avoids = |one: &Self, other: &Self| other.keys().any(|key| one.avoid.contains(&key));
        avoids(self, other) || avoids(other, self)
    }

    /// About the memory that it takes, in bytes.
    pub fn memory(&self) -> usize {
        let regions: usize = self.regions.iter().map(|near| size_of::<Distance>() + near.region.len()).sum();
        let (party, avoid) = (size_of_val(&*self.party), size_of_val(&*self.avoid));
        size_of::<Self>() + self.mode.len() + party + avoid + regions
    }

    /// The distance of a region: `None` if it is out of reach.
    pub fn distance(&self, region: &str) -> Option<u32> {
        if self.regions.is_empty() {
            return Some(0);
        }
        self.regions.iter().find(|distance| distance.region == region).map(|distance| distance.ms)
    }

    /// Whether this is the same ticket, stated at another time.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let Self { id, home, mode, party, regions, avoid: _, waited: _ } = self;
        (id, home, mode, party, regions) == (&other.id, &other.home, &other.mode, &other.party, &other.regions)
    }

    /// Checks whether this can wait for a match of this mode.
    ///
    /// # Errors
    ///
    /// [`Refused::BadParty`] or [`Refused::OutOfRange`].
    pub fn check(&self, mode: &Mode) -> Result<(), Refused> {
        if self.party.is_empty() || self.party.len() > mode.team_size {
            return Err(Refused::BadParty);
        }
        if is_twice(self.players()) || is_twice(self.keys()) {
            return Err(Refused::BadParty);
        }
        let rated = self.party.iter().all(|member| member.rating.unsigned_abs() <= MAX_RATING.unsigned_abs());
        if self.regions.len() > MAX_REGIONS || !rated {
            return Err(Refused::OutOfRange);
        }
        Ok(())
    }
}

fn is_twice<T: Ord>(of: impl Iterator<Item = T>) -> bool {
    let mut all: Vec<_> = of.collect();
    all.sort_unstable();
    all.windows(2).any(|pair| pair[0] == pair[1])
}
