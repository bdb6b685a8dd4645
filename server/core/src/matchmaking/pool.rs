//! The pool: the waiting tickets, and the rounds that propose matches among them.
//!
//! Homes state their tickets and hosts their free seats; both are forgotten when they are not stated again for
//! [`FORGET`]. Each player has one ticket, the youngest, and none while the penalty for a no-show runs. A round goes through the waiting tickets, the oldest first, and proposes a match for each that finds
//! enough others (see the private `form`). A proposed ticket is in no other proposal until [`Pool::free`] or
//! [`Pool::hold`] says that this one is over.
//!
//! These invariants hold and are tested against a naive model: nobody is in two proposals, nobody is lost, every two
//! tickets of a new match are within each other's windows, neither avoids the other, all are within reach of the region,
//! parties are whole, team means
//! differ by at most [`Mode::balance`], and teams of single players by at most the spread of the match divided by their
//! size. Of two tickets that differ only in waiting, the older goes first. Waiting is bounded: a ticket at least as old
//! as every other free one of its mode is proposed in this very round if free single tickets for all other seats are
//! within half the start of the window of its rating, and within the start of the latency window of a region that it
//! reaches too (and running rooms do not take them, and the mode's balance is not stricter than the start of its
//! window).

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    InstanceId, MatchId, PlayerKey, TicketId,
    mode::{BadMode, Mode},
    no_shows::{NoShow, NoShows},
    ticket::{Refused, Ticket, Vacancy},
};

mod kinds;
mod nearest;
mod teams;
mod hold;
mod regions;
mod waiting;
mod form;
#[cfg(test)]
mod tests;

use hold::Holds;
pub use kinds::{Offer, Placed, Proposal, Renewal, Taken, Venue};
use regions::Regions;
use waiting::Waiting;

/// Time after which what was not stated again is forgotten, and a statement is too old to be taken.
pub const FORGET: Duration = Duration::from_secs(6);

/// Most tickets of a pool by default.
pub const MAX_TICKETS: usize = 200_000;

/// Most no-shows that a pool remembers.
const MAX_NO_SHOWS: usize = 65_536;

/// Everybody who waits for a match of one game.
#[derive(Clone, Debug)]
pub struct Pool {
    modes: BTreeMap<String, Mode>,
    limit: usize,
    regions: BTreeSet<String>,
    silent: BTreeSet<InstanceId>,
    tickets: BTreeMap<TicketId, Waiting>,
    /// The tickets by when they were stated last.
    heard: BTreeSet<(Duration, TicketId)>,
    /// The ticket of each player.
    players: BTreeMap<PlayerKey, TicketId>,
    /// The regions that tickets reach.
    reached: Regions,
    no_shows: NoShows,
    homes: BTreeMap<InstanceId, Known<TicketId>>,
    rooms: BTreeMap<(MatchId, usize), Open>,
    hosts: BTreeMap<InstanceId, Known<(MatchId, usize)>>,
    held: Holds<TicketId>,
    held_seats: Holds<(MatchId, usize)>,
}

#[derive(Clone, Debug)]
struct Open {
    vacancy: Vacancy,
    heard: Duration,
}

/// The named tickets or rooms of one instance, and the number of its last statement.
#[derive(Clone, Debug)]
struct Known<T> {
    number: u64,
    heard: Duration,
    named: BTreeSet<T>,
}

impl Pool {
    /// An empty pool of at most [`MAX_TICKETS`].
    ///
    /// # Errors
    ///
    /// The first mode that cannot be played, and the reason.
    pub fn new(modes: Vec<Mode>) -> Result<Self, (Mode, BadMode)> {
        Self::with_limit(modes, MAX_TICKETS)
    }

    /// An empty pool of at most `limit` tickets.
    ///
    /// # Errors
    ///
    /// The first mode that cannot be played, and the reason.
    pub fn with_limit(modes: Vec<Mode>, limit: usize) -> Result<Self, (Mode, BadMode)> {
        let mut by_name = BTreeMap::new();
        for mode in modes {
            mode.check().map_err(|why| (mode.clone(), why))?;
            by_name.insert(mode.name.clone(), mode);
        }
        Ok(Self {
            modes: by_name,
            limit,
            regions: BTreeSet::new(),
            silent: BTreeSet::new(),
            tickets: BTreeMap::new(),
            heard: BTreeSet::new(),
            players: BTreeMap::new(),
            reached: Regions::default(),
            no_shows: NoShows::with_limit(MAX_NO_SHOWS),
            homes: BTreeMap::new(),
            rooms: BTreeMap::new(),
            hosts: BTreeMap::new(),
            held: Holds::new(),
            held_seats: Holds::new(),
        })
    }

    /// Sets the regions where a new room can be opened; none at first. Matches are proposed for no others.
    pub fn set_regions(&mut self, regions: BTreeSet<String>) {
        self.regions = regions;
    }

    /// Sets the homes that must answer before more of their tickets are proposed; none at first.
    pub fn set_silent(&mut self, homes: BTreeSet<InstanceId>) {
        self.silent = homes;
    }

    /// The number of waiting tickets, proposed ones included.
    pub fn waiting(&self) -> usize {
        self.tickets.len()
    }

    /// The waiting tickets, proposed ones included, by id, as they came into the pool.
    pub fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets.values().map(|waiting| &*waiting.ticket)
    }

    /// A waiting ticket, as it came into the pool.
    pub fn find(&self, ticket: TicketId) -> Option<&Ticket> {
        self.tickets.get(&ticket).map(|waiting| &*waiting.ticket)
    }

    /// Takes a single ticket that its home stated `age` ago, in its statement of this number. Its players wait now,
    /// whatever was agreed before: a new statement ends [`Pool::hold`], but not a proposal.
    pub fn add(&mut self, now: Duration, age: Duration, number: u64, ticket: Ticket) -> Taken {
        let mut taken = Taken::default();
        let overtaken = self.homes.get(&ticket.home).is_some_and(|known| number <= known.number);
        if age > FORGET || overtaken {
            taken.stale = true;
            return taken;
        }
        if self.tickets.get(&ticket.id).is_none_or(|known| known.number < number) {
            self.held.lift(ticket.id);
        }
        self.take(now, age, number, ticket, &mut taken);
        taken
    }

    /// Takes a home's statement of all its open tickets, made `age` ago. Tickets that it does not name are cancelled.
    pub fn renew(&mut self, now: Duration, age: Duration, renewal: Renewal) -> Taken {
        let mut taken = Taken::default();
        let Renewal { home, number, tickets } = renewal;
        let heard = now.saturating_sub(age);
        let known = self.homes.entry(home).or_insert(Known { number: 0, heard, named: BTreeSet::new() });
        if age > FORGET || number <= known.number {
            taken.stale = true;
            return taken;
        }
        (known.number, known.heard) = (number, known.heard.max(heard));
        for ticket in tickets {
            match ticket.home == home {
                true => self.take(now, age, number, ticket, &mut taken),
                false => taken.refused.push((home, ticket.id, Refused::NotItsHome)),
            }
        }
        let named = self.homes.get(&home).into_iter().flat_map(|known| &known.named);
        taken.cancelled = named.copied().filter(|id| self.tickets[id].number < number).collect();
        for id in &taken.cancelled {
            self.cancel(*id);
        }
        taken
    }

    /// Takes players who did not come to a match, stated `age` ago: their tickets wait no more.
    pub fn miss(&mut self, now: Duration, age: Duration, no_shows: Vec<NoShow>) -> Taken {
        let mut taken = Taken::default();
        for NoShow { key, id, ago } in no_shows {
            self.no_shows.note(now, NoShow { key, id, ago: ago.saturating_add(age) });
            let Some(rest) = self.no_shows.penalty(now, key) else { continue };
            if let Some(old) = self.players.get(&key).copied().and_then(|ticket| self.cancel(ticket)) {
                taken.refused.push((old.ticket.home, old.ticket.id, Refused::NoShow(rest)));
            }
        }
        taken
    }

    fn take(&mut self, now: Duration, age: Duration, number: u64, ticket: Ticket, taken: &mut Taken) {
        let heard = now.saturating_sub(age);
        if let Some(old) = self.tickets.get_mut(&ticket.id).filter(|old| old.ticket.is_same(&ticket)) {
            self.heard.remove(&(old.heard, ticket.id));
            old.state_again(heard, number, ticket);
            self.heard.insert((old.heard, old.ticket.id));
            return;
        }
        let mode = match self.admit(now, &ticket, taken) {
            Ok(mode) => mode,
            Err(why) => return taken.refused.push((ticket.home, ticket.id, why)),
        };
        taken.added += 1;
        let (id, home) = (ticket.id, ticket.home);
        self.players.extend(ticket.keys().map(|key| (key, id)));
        let known = self.homes.entry(home).or_insert(Known { number: 0, heard, named: BTreeSet::new() });
        known.named.insert(id);
        known.heard = known.heard.max(heard);
        self.heard.insert((heard, id));
        let reach = self.reached.reach(&ticket);
        self.tickets.insert(id, Waiting::new(ticket, mode, reach, heard, number));
    }

    /// Checks whether a ticket may come in, and returns the index of its mode. Of two tickets of one player the older
    /// gives way.
    fn admit(&mut self, now: Duration, ticket: &Ticket, taken: &mut Taken) -> Result<usize, Refused> {
        let mut modes = self.modes.values().enumerate();
        let (index, mode) = modes.find(|(_, mode)| mode.name == ticket.mode).ok_or(Refused::UnknownMode)?;
        ticket.check(mode)?;
        if self.tickets.contains_key(&ticket.id) {
            return Err(Refused::Changed);
        }
        if self.tickets.len() >= self.limit {
            return Err(Refused::Full);
        }
        if let Some(rest) = ticket.keys().filter_map(|key| self.no_shows.penalty(now, key)).max() {
            return Err(Refused::NoShow(rest));
        }
        let others: BTreeSet<_> = ticket.keys().filter_map(|key| self.players.get(&key).copied()).collect();
        if others.iter().any(|other| *other > ticket.id) {
            return Err(Refused::Superseded);
        }
        for other in others {
            let old = self.cancel(other).expect("players name tickets that wait");
            taken.refused.push((old.ticket.home, other, Refused::Superseded));
        }
        Ok(index)
    }

    /// Removes a ticket, and returns it if it was known.
    fn cancel(&mut self, ticket: TicketId) -> Option<Waiting> {
        let old = self.tickets.remove(&ticket)?;
        self.heard.remove(&(old.heard, ticket));
        for key in old.ticket.keys() {
            self.players.remove(&key);
        }
        old.reach.iter().for_each(|(region, _)| self.reached.give_back(*region));
        if let Some(known) = self.homes.get_mut(&old.ticket.home) {
            known.named.remove(&ticket);
        }
        Some(old)
    }

    /// Removes a ticket: its home said so, or it became part of a match. Returns whether it was known.
    pub fn remove(&mut self, ticket: TicketId) -> bool {
        self.cancel(ticket).is_some()
    }

    /// Forgets the tickets and seats of an instance that is no more.
    pub fn forget(&mut self, instance: InstanceId) {
        for ticket in self.homes.remove(&instance).map(|known| known.named).unwrap_or_default() {
            self.cancel(ticket);
        }
        for room in self.hosts.remove(&instance).map(|known| known.named).unwrap_or_default() {
            self.rooms.remove(&room);
        }
    }

    /// Takes a host's statement of all its free seats, made `age` ago. Those that it does not name are taken. Returns
    /// false if it was out of date.
    pub fn offer(&mut self, now: Duration, age: Duration, offer: Offer) -> bool {
        let Offer { host, number, vacancies } = offer;
        let heard = now.saturating_sub(age);
        if age > FORGET || self.hosts.get(&host).is_some_and(|known| number <= known.number) {
            return false;
        }
        let mut old = self.hosts.remove(&host).map(|known| known.named).unwrap_or_default();
        let mut named = BTreeSet::new();
        for vacancy in vacancies {
            let fits = self.modes.get(&vacancy.mode).is_some_and(|mode| mode.backfill && vacancy.team < mode.teams);
            let key = (vacancy.room, vacancy.team);
            if !fits || vacancy.host != host || self.rooms.get(&key).is_some_and(|open| open.vacancy.host != host) {
                continue;
            }
            self.rooms.insert(key, Open { vacancy, heard });
            old.remove(&key);
            named.insert(key);
        }
        for key in old {
            self.rooms.remove(&key);
        }
        self.hosts.insert(host, Known { number, heard, named });
        true
    }

    /// Keeps a ticket from being proposed before `until`, and frees it from a proposal that came to nothing.
    pub fn hold(&mut self, ticket: TicketId, until: Duration) {
        self.held.hold(ticket, until);
    }

    /// Ends a proposal, settled or not: what it names and still waits is not proposed before `until`.
    pub fn free(&mut self, proposal: &Proposal, until: Duration) {
        for ticket in proposal.tickets() {
            self.hold(ticket.id, until);
        }
        self.hold_seats(proposal, until);
    }

    /// Keeps the seats of a running room that a proposal names from being proposed before `until`.
    pub fn hold_seats(&mut self, proposal: &Proposal, until: Duration) {
        if let Venue::Running { room, team, .. } = proposal.place {
            self.held_seats.hold((room, team), until);
        }
    }

    /// Forgets the tickets that were not stated again for [`FORGET`], and returns them.
    pub fn expire(&mut self, now: Duration) -> Vec<TicketId> {
        let mut gone = Vec::new();
        while let Some((_, id)) = self.heard.first().copied().filter(|(heard, _)| is_old(*heard, now)) {
            self.cancel(id);
            gone.push(id);
        }
        gone
    }

    /// Forgets what is too old, then proposes matches among the tickets that are neither proposed nor held.
    pub fn round(&mut self, now: Duration) -> Vec<Proposal> {
        self.expire(now);
        self.homes.retain(|_, known| !is_old(known.heard, now) || !known.named.is_empty());
        self.hosts.retain(|_, known| !is_old(known.heard, now));
        self.rooms.retain(|_, open| !is_old(open.heard, now));
        self.held.expire(now);
        self.held_seats.expire(now);
        self.no_shows.expire(now);
        let (proposals, named) = form::round(self, now);
        self.held.propose_all(named);
        for proposal in &proposals {
            if let Venue::Running { room, team, .. } = proposal.place {
                self.held_seats.propose((room, team));
            }
        }
        proposals
    }
}

fn is_old(heard: Duration, now: Duration) -> bool {
    heard.saturating_add(FORGET) < now
}
