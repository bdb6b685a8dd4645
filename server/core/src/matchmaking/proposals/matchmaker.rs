//! The matchmaker: it keeps the pool, proposes matches, and says go when host and homes have agreed.
//!
//! It decides nothing that it could not forget. Two of them at once, or one that was stopped for a while, make
//! proposals that homes then refuse.

use std::{collections::BTreeSet, time::Duration};

use tiltyard_shared::game::Rng;
use uuid::Builder;

use super::{
    AGREED, ANSWER, GO_AFTER, Go, MESSAGE, Message, No, Request, Reservation, Reserve, ToHome, ToHost, ToMatchmaker,
};
use crate::matchmaking::{
    InstanceId, MatchId, TicketId,
    pool::{FORGET, Placed, Pool, Proposal, Taken, Venue},
};

mod open;
mod asked;
mod hosts;
#[cfg(test)]
mod tests;

use asked::Asked;
pub use asked::WINDOW;
use hosts::Hosts;
pub use hosts::{AVOIDED, HostLoad};
use open::{Open, Proposals};

/// Interval between rounds.
pub const ROUND_EVERY: Duration = Duration::from_millis(500);

/// A pool, and the proposals being agreed on.
#[derive(Debug)]
pub struct Matchmaker {
    id: InstanceId,
    pool: Pool,
    hosts: Hosts,
    open: Proposals,
    stats: Stats,
}

/// The counters since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Tickets taken into the pool.
    pub added: u64,
    /// Tickets that the pool did not take.
    pub refused: u64,
    /// Statements that were too old or overtaken by later ones.
    pub stale: u64,
    /// Proposals made.
    pub proposed: u64,
    /// Proposals that everybody agreed to.
    pub agreed: u64,
    /// Proposals that failed because of the host.
    pub no_host: u64,
    /// Proposals that failed because of a home.
    pub no_home: u64,
}

/// An event for a matchmaker.
#[derive(Clone, Debug)]
pub enum Event {
    /// A request came from the ticket queue.
    Request {
        /// The delivery to acknowledge.
        delivery: u64,
        /// The time since it was sent.
        age: Duration,
        /// The request.
        request: Request,
    },
    /// A message came.
    Message {
        /// The time since it was sent.
        age: Duration,
        /// The message.
        message: ToMatchmaker,
    },
    /// A message to an instance could not be delivered in time; it may still have arrived.
    Undelivered {
        /// The addressee.
        to: InstanceId,
        /// The message.
        message: Message,
    },
    /// All instances on which rooms can be opened.
    Hosts(Vec<HostLoad>),
    /// An instance is dead.
    Gone(InstanceId),
    /// It is time for a round: every [`ROUND_EVERY`].
    Round {
        /// Time since 1970, for ids.
        unix: Duration,
        /// A random number, for ids.
        seed: u64,
    },
    /// Time has passed. Due at least four times a second.
    Tick,
}

/// An action that a matchmaker asks for.
#[expect(clippy::large_enum_variant, reason = "a few at a time, and nearly all are messages")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Acknowledge a request, so that the broker can forget it.
    Acknowledge(u64),
    /// Send to an instance.
    Send(InstanceId, Message),
}

impl Matchmaker {
    /// A matchmaker with this pool.
    pub fn new(id: InstanceId, pool: Pool) -> Self {
        Self { id, pool, hosts: Hosts::default(), open: Proposals::default(), stats: Stats::default() }
    }

    /// The pool.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// The proposals being agreed on.
    pub fn proposals(&self) -> impl Iterator<Item = (MatchId, &Proposal)> {
        self.open.iter().map(|(id, open)| (id, &open.proposal))
    }

    /// Handles an event at this time by the matchmaker's clock, which never goes back.
    pub fn handle(&mut self, now: Duration, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.run_out(now, &mut effects);
        match event {
            Event::Request { delivery, age, request } => {
                self.take_in(now, age, request, &mut effects);
                effects.push(Effect::Acknowledge(delivery));
            }
            Event::Message { age, message } if age <= MESSAGE => self.take(now, age, message, &mut effects),
            Event::Message { .. } => {}
            Event::Undelivered { to, message } => self.miss(now, to, message, &mut effects),
            Event::Hosts(hosts) => self.hosts.know(hosts),
            Event::Gone(instance) => self.forget(now, instance, &mut effects),
            Event::Round { unix, seed } => self.round(now, unix, seed, &mut effects),
            Event::Tick => {}
        }
        effects
    }

    /// Forgets what was not stated again, and gives up what was not agreed on in time, whatever event comes next.
    fn run_out(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        self.pool.expire(now);
        while let Some((id, open)) = self.open.first_late(now) {
            let reserved = open.reserved.is_some();
            self.give_up(now, id, &[], effects);
            match reserved {
                true => self.stats.no_home += 1,
                false => self.stats.no_host += 1,
            }
        }
    }

    fn take_in(&mut self, now: Duration, age: Duration, request: Request, effects: &mut Vec<Effect>) {
        let taken = match request {
            Request::Submit { number, ticket } => self.pool.add(now, age, number, ticket),
            Request::Renew(renewal) => self.pool.renew(now, age, renewal),
            Request::Cancel { ticket, .. } => {
                self.withdraw(now, ticket, effects);
                Taken::default()
            }
            Request::Offer(offer) => Taken { stale: !self.pool.offer(now, age, offer), ..Taken::default() },
            Request::NoShows(no_shows) => self.pool.miss(now, age, no_shows),
        };
        self.stats.added += taken.added as u64;
        self.stats.refused += taken.refused.len() as u64;
        self.stats.stale += u64::from(taken.stale);
        for (home, ticket, why) in taken.refused {
            effects.push(Effect::Send(home, Message::Home(ToHome::NotTaken { ticket, why })));
        }
    }

    /// Withdraws a ticket that is no longer open. Its proposal fails at once, so that the others are free again.
    fn withdraw(&mut self, now: Duration, ticket: TicketId, effects: &mut Vec<Effect>) {
        if let Some(id) = self.open.naming(ticket) {
            self.give_up(now, id, &[(ticket, No::NotOpen)], effects);
            self.stats.no_home += 1;
        }
        self.pool.remove(ticket);
    }

    fn forget(&mut self, now: Duration, instance: InstanceId, effects: &mut Vec<Effect>) {
        self.hosts.forget(instance);
        self.pool.forget(instance);
        let meant = |open: &Open| open.host == instance || open.asked.contains(&instance);
        let lost: Vec<_> = self.open.iter().filter(|(_, open)| meant(open)).map(|(id, _)| id).collect();
        for id in lost {
            self.give_up(now, id, &[], effects);
        }
    }

    /// Runs a round. Hosts and homes with too many unanswered questions are not asked more.
    fn round(&mut self, now: Duration, unix: Duration, seed: u64, effects: &mut Vec<Effect>) {
        let mut asked = Asked::default();
        self.open.iter().for_each(|(_, open)| asked.count(open));
        self.pool.set_regions(self.hosts.regions(now));
        self.pool.set_silent(asked.full_homes());
        let mut rng = Rng::new(seed);
        for proposal in self.pool.round(now) {
            let Some(host) = self.choose_host(now, &proposal, &asked) else {
                self.pool.free(&proposal, now);
                continue;
            };
            let mut random = [0; 10];
            random[..8].copy_from_slice(&rng.next_u64().to_le_bytes());
            random[8..].copy_from_slice(&rng.next_u32().to_le_bytes()[..2]);
            let millis = u64::try_from(unix.as_millis()).unwrap_or(u64::MAX);
            let id = MatchId(Builder::from_unix_timestamp_millis(millis, &random).into_uuid());
            asked.count(self.propose(now, id, proposal, host, effects));
        }
    }

    /// A host for a proposal, if it and all homes can be asked.
    fn choose_host(&mut self, now: Duration, proposal: &Proposal, asked: &Asked) -> Option<InstanceId> {
        if proposal.tickets().any(|ticket| asked.is_full_home(ticket.home)) {
            return None;
        }
        let players = proposal.tickets().map(|ticket| ticket.party.len()).sum();
        match proposal.place {
            Venue::Running { host, .. } => Some(host).filter(|host| !asked.is_full_host(*host)),
            Venue::New => {
                let host = self.hosts.least_loaded(now, &proposal.region, players, |host| !asked.is_full_host(host));
                self.stats.no_host += u64::from(host.is_none());
                host
            }
        }
    }

    fn propose(
        &mut self,
        now: Duration,
        id: MatchId,
        proposal: Proposal,
        host: InstanceId,
        effects: &mut Vec<Effect>,
    ) -> &Open {
        let asked = proposal.tickets().map(|ticket| ticket.home).collect();
        let (mode, place) = (proposal.mode.clone(), proposal.place);
        let teams = proposal.teams.iter().map(|team| team.iter().map(Placed::stated).collect()).collect();
        let message = ToHost::Reserve(Reserve { id, matchmaker: self.id, mode, place, teams });
        effects.push(Effect::Send(host, Message::Host(message)));
        self.stats.proposed += 1;
        let open = Open { proposal, host, until: now + ANSWER, reserved: None, asked, first_yes: None };
        self.open.insert(id, open)
    }

    fn take(&mut self, now: Duration, age: Duration, message: ToMatchmaker, effects: &mut Vec<Effect>) {
        match message {
            ToMatchmaker::Reserved { id, reservation } => self.ask_homes(now, id, reservation, effects),
            ToMatchmaker::Refused { id } if self.open.get(id).is_some_and(|open| open.reserved.is_none()) => {
                self.give_up(now, id, &[], effects);
                self.stats.no_host += 1;
            }
            ToMatchmaker::Refused { .. } => {}
            ToMatchmaker::Yes { id, home } => self.count_yes(now, now.saturating_sub(age), (id, home), effects),
            ToMatchmaker::No { id, home, tickets } => {
                if self.open.get(id).is_some_and(|open| open.asked.contains(&home)) {
                    self.give_up(now, id, &tickets, effects);
                    self.stats.no_home += 1;
                }
            }
        }
    }

    fn ask_homes(&mut self, now: Duration, id: MatchId, reservation: Reservation, effects: &mut Vec<Effect>) {
        let Some(open) = self.open.get_mut(id).filter(|open| open.reserved.is_none()) else { return };
        open.reserved = Some(reservation);
        for home in &open.asked {
            let agree = ToHome::Agree { id, matchmaker: self.id, tickets: open.proposal.of_home(*home) };
            effects.push(Effect::Send(*home, Message::Home(agree)));
        }
        self.open.extend(id, now + ANSWER);
    }

    fn count_yes(
        &mut self,
        now: Duration,
        said: Duration,
        (id, home): (MatchId, InstanceId),
        effects: &mut Vec<Effect>,
    ) {
        let Some(open) = self.open.get_mut(id) else { return };
        let Some(reservation) = open.reserved.filter(|_| open.asked.remove(&home)) else { return };
        let first = open.first_yes.map_or(said, |first| first.min(said));
        open.first_yes = Some(first);
        let (all, until) = (open.asked.is_empty(), first + GO_AFTER);
        self.open.extend(id, until);
        if !all || until <= now {
            return;
        }
        let Open { proposal, host, .. } = self.open.take(id).expect("it is open");
        let homes: BTreeSet<_> = proposal.tickets().map(|ticket| ticket.home).collect();
        for home in homes {
            let tickets = proposal.of_home(home);
            effects.push(Effect::Send(home, Message::Home(ToHome::Go(Go { id, host, reservation, tickets }))));
        }
        self.pool.free(&proposal, now + AGREED);
        self.stats.agreed += 1;
    }

    /// Gives up a proposal: all its tickets are free again, except those whose home said otherwise.
    fn give_up(&mut self, now: Duration, id: MatchId, no: &[(TicketId, No)], effects: &mut Vec<Effect>) {
        let Some(open) = self.open.take(id) else { return };
        effects.push(Effect::Send(open.host, Message::Host(ToHost::Release { id })));
        let homes: BTreeSet<_> = open.proposal.tickets().map(|ticket| ticket.home).collect();
        for home in homes.into_iter().filter(|_| open.reserved.is_some()) {
            effects.push(Effect::Send(home, Message::Home(ToHome::Release { id })));
        }
        self.pool.free(&open.proposal, now);
        for (ticket, why) in no.iter().filter(|(ticket, _)| open.proposal.tickets().any(|other| other.id == *ticket)) {
            match why {
                No::NotOpen => drop(self.pool.remove(*ticket)),
                No::Bound(rest) => self.pool.hold(*ticket, now + (*rest).min(AGREED)),
            }
        }
        match open.reserved {
            _ if !no.is_empty() => {}
            None => self.avoid(now, &open),
            Some(_) => self.hold_silent(now, &open),
        }
    }

    /// Handles an undelivered message: whoever waits for it is let go at once.
    fn miss(&mut self, now: Duration, to: InstanceId, message: Message, effects: &mut Vec<Effect>) {
        match message {
            Message::Host(ToHost::Reserve(Reserve { id, .. })) => {
                if self.open.get(id).is_some_and(|open| open.reserved.is_none()) {
                    self.give_up(now, id, &[], effects);
                    self.stats.no_host += 1;
                }
            }
            Message::Home(ToHome::Agree { id, .. }) => {
                if self.open.get(id).is_some_and(|open| open.asked.contains(&to)) {
                    self.give_up(now, id, &[], effects);
                    self.stats.no_home += 1;
                }
            }
            Message::Home(ToHome::Go(Go { id, host, tickets, .. })) => {
                effects.push(Effect::Send(to, Message::Home(ToHome::Release { id })));
                for ticket in tickets {
                    effects.push(Effect::Send(host, Message::Host(ToHost::Decline { id, ticket })));
                    self.pool.hold(ticket, now + FORGET);
                }
            }
            Message::Matchmaker(_) | Message::Home(_) | Message::Host(_) => {}
        }
    }

    fn avoid(&mut self, now: Duration, open: &Open) {
        self.hosts.avoid(now, open.host);
        if matches!(open.proposal.place, Venue::Running { .. }) {
            self.pool.hold_seats(&open.proposal, now + AVOIDED);
        }
    }

    /// Holds the tickets of homes that have not answered, which may be gone, until they must have stated them again.
    /// Until then the tickets spoil no more matches of others.
    fn hold_silent(&mut self, now: Duration, open: &Open) {
        for ticket in open.proposal.tickets().filter(|ticket| open.asked.contains(&ticket.home)) {
            self.pool.hold(ticket.id, now + FORGET);
        }
    }
}
