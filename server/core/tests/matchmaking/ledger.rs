//! What must be true, kept by somebody who sees everything: what became of every ticket, and who sits where.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tiltyard_core::matchmaking::{
    InstanceId, MatchId, PlayerKey, SessionId, TicketId,
    no_shows::PENALTY,
    proposals::{Request, home::Home},
    ticket::Ticket,
};

use crate::{
    crowd::{Crowd, FAR},
    world::{GIVE_UP, Machine, World, modes},
};

/// A search is given up at the next event of its home.
const LATE: Duration = Duration::from_millis(500);

/// What is known of a ticket.
#[derive(Debug)]
struct Entry {
    home: InstanceId,
    opened: Duration,
    open: bool,
    /// The match that its players have been told to go to, and when.
    going: Option<(MatchId, Duration)>,
    /// The last match that it was.
    went_to: Option<MatchId>,
    /// Whether it is bound to a match of which nothing is decided.
    bound: bool,
    /// Since when that has been so.
    since: Duration,
    duel: bool,
    /// Whether somebody could play with it.
    has_opponents: bool,
}

/// Every ticket that was ever opened.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    tickets: BTreeMap<TicketId, Entry>,
    /// What hosts said was seated.
    seated: BTreeSet<(MatchId, TicketId)>,
    /// Tickets that were acknowledged, and those that a matchmaker's machine was given.
    acknowledged: BTreeSet<TicketId>,
    taken_in: BTreeSet<TicketId>,
    /// Whom each ticket has waited for in vain.
    missed: BTreeSet<(TicketId, PlayerKey)>,
    /// The no-shows of each player.
    no_shows: BTreeMap<PlayerKey, Vec<Duration>>,
}

/// A new no-show is known to the matchmaker after so long, where no message is lost.
const TOLD_AFTER: Duration = Duration::from_millis(1_500);

impl Ledger {
    pub(crate) fn opened(&mut self, ticket: &Ticket, home: InstanceId, now: Duration) {
        let (duel, has_opponents) = (ticket.mode == "duel", ticket.rating() < FAR);
        let (open, going, went_to, bound) = (true, None, None, false);
        self.tickets.insert(
            ticket.id,
            Entry { home, opened: now, open, going, went_to, bound, since: now, duel, has_opponents },
        );
    }

    pub(crate) fn closed(&mut self, ticket: TicketId) {
        self.tickets.get_mut(&ticket).expect("it was opened").open = false;
    }

    pub(crate) fn going(&mut self, ticket: TicketId, to: Option<(MatchId, Duration)>) {
        let entry = self.tickets.get_mut(&ticket).expect("it was opened");
        entry.going = to;
        entry.went_to = to.map_or(entry.went_to, |(id, _)| Some(id));
    }

    /// The match that a ticket's players were told to go to.
    pub(crate) fn match_of(&self, ticket: TicketId) -> Option<MatchId> {
        Some(self.tickets[&ticket].going?.0)
    }

    /// A host sends a ticket back, because these players have not come.
    pub(crate) fn returned(&mut self, id: MatchId, ticket: TicketId, absent: &[PlayerKey]) {
        let entry = &self.tickets[&ticket];
        if entry.open && entry.went_to == Some(id) {
            self.missed.extend(absent.iter().map(|key| (ticket, *key)));
        }
    }

    /// A player did not come to a match, and was told so.
    pub(crate) fn no_show(&mut self, key: PlayerKey, now: Duration) {
        self.no_shows.entry(key).or_default().push(now);
    }

    /// The tickets of a proposal: no player twice, and where no message is lost nobody whom another one has waited for in
    /// vain, and nobody whose penalty runs.
    pub(crate) fn proposed_together<'a>(
        &self,
        tickets: &(impl Iterator<Item = &'a Ticket> + Clone),
        crowd: &Crowd,
        now: Duration,
        strictly: bool,
    ) -> Result<(), String> {
        let players =
            || tickets.clone().flat_map(|ticket| ticket.players().map(|player| (ticket.id, crowd.key(player))));
        let mut seen = BTreeSet::new();
        for (ticket, key) in players() {
            if !seen.insert(key) {
                return Err(format!("a player of {ticket:?} is proposed with itself"));
            }
            if !strictly {
                continue;
            }
            if let Some((other, _)) =
                players().find(|(other, _)| *other != ticket && self.missed.contains(&(*other, key)))
            {
                return Err(format!("a player of {ticket:?} did not come to {other:?}, and is proposed to it again"));
            }
            let mut no_shows = self.no_shows.get(&key).into_iter().flatten();
            let first = no_shows.next();
            let (count, last) = no_shows.fold((0, first), |(count, _), at| (count + 1, Some(at)));
            if last.is_some_and(|at| *at + TOLD_AFTER < now && now < *at + PENALTY * (1 << count)) {
                return Err(format!("a player of {ticket:?} is proposed while the penalty runs"));
            }
        }
        Ok(())
    }

    /// A ticket is bound to a match from now on, or to none.
    pub(crate) fn bind(&mut self, ticket: TicketId, bound: bool, now: Duration) {
        let entry = self.tickets.get_mut(&ticket).expect("it was opened");
        (entry.bound, entry.since) = (bound, now);
    }

    /// How long the one has waited who waits longest for what was agreed on, and the one who waits second longest for an
    /// opponent: those two could play. (Who has waited for somebody in vain does not count: it may avoid the other one.)
    pub(crate) fn longest_waits(&self, now: Duration) -> (Duration, Duration) {
        let choosy: BTreeSet<_> = self.missed.iter().map(|(ticket, _)| ticket).collect();
        let open = || self.tickets.iter().filter(|(_, entry)| entry.open);
        let waits = |which: &dyn Fn(TicketId, &Entry) -> bool| {
            let mut waits: Vec<_> =
                open().filter(|(id, entry)| which(**id, entry)).map(|(_, entry)| now - entry.since).collect();
            waits.sort_unstable();
            waits
        };
        let has_opponents = |id, entry: &Entry| entry.duel && entry.has_opponents && !choosy.contains(&id);
        let bound = waits(&|_, entry| entry.bound);
        let free = waits(&|id, entry| !entry.bound && has_opponents(id, entry));
        (bound.last().copied().unwrap_or_default(), free.iter().rev().nth(1).copied().unwrap_or_default())
    }

    pub(crate) fn seated(&mut self, id: MatchId, ticket: TicketId) {
        self.seated.insert((id, ticket));
    }

    pub(crate) fn matched(&mut self, id: MatchId, ticket: TicketId) -> Result<(), String> {
        self.closed(ticket);
        match self.seated.contains(&(id, ticket)) {
            true => Ok(()),
            false => Err(format!("{ticket:?} counts as matched, but no host has seated it in {id:?}")),
        }
    }

    pub(crate) fn home_died(&mut self, home: InstanceId) {
        for entry in self.tickets.values_mut().filter(|entry| entry.home == home) {
            entry.open = false;
        }
    }

    pub(crate) fn acknowledged(&mut self, request: &Request) {
        self.acknowledged.extend(tickets_of(request));
    }

    pub(crate) fn taken_in(&mut self, request: &Request) {
        self.taken_in.extend(tickets_of(request));
    }

    /// The one who acknowledged may be gone now: nothing that the broker has forgotten may be unknown to everybody.
    pub(crate) fn matchmaker_died(&self) -> Result<(), String> {
        let mut lost = self.acknowledged.difference(&self.taken_in).filter(|ticket| self.tickets[*ticket].open);
        lost.next().map_or(Ok(()), |ticket| {
            Err(format!("{ticket:?} was acknowledged and in no pool when its matchmaker died"))
        })
    }

    /// Waiting time is kept over everything that can happen to an open ticket.
    pub(crate) fn proposed(&self, ticket: &Ticket, now: Duration) -> Result<(), String> {
        let entry = &self.tickets[&ticket.id];
        match ticket.waited == now - entry.opened {
            true => Ok(()),
            false => Err(format!("{:?} has waited {:?}, not {:?}", ticket.id, now - entry.opened, ticket.waited)),
        }
    }

    fn check_home(
        &self,
        (id, home, runs): (InstanceId, &Home, bool),
        crowd: &Crowd,
        now: Duration,
    ) -> Result<(), String> {
        let held: BTreeSet<_> = home.tickets().map(|ticket| ticket.id).collect();
        let open = self.tickets.iter().filter(|(_, entry)| entry.open && entry.home == id);
        let open: BTreeSet<_> = open.map(|(ticket, _)| *ticket).collect();
        if held != open {
            return Err(format!("open at {id:?}: {held:?}, not {open:?}"));
        }
        let mut players = BTreeSet::new();
        for ticket in held {
            let Entry { opened, bound, going, since, .. } = self.tickets[&ticket];
            let waited = now - opened;
            if !crowd.players_of(ticket).all(|key| players.insert(key)) {
                return Err(format!("a player of {ticket:?} has another ticket at {id:?}"));
            }
            let free_for = if bound || going.is_some() { Duration::ZERO } else { now - since };
            if runs && free_for > LATE && waited > GIVE_UP + LATE {
                return Err(format!("{ticket:?} still waits after {waited:?}"));
            }
            if home.waited(ticket, now) != Some(waited) {
                return Err(format!("{ticket:?} has waited {waited:?}, its home says {:?}", home.waited(ticket, now)));
            }
        }
        Ok(())
    }
}

fn tickets_of(request: &Request) -> Vec<TicketId> {
    match request {
        Request::Submit { ticket, .. } => vec![ticket.id],
        Request::Renew(renewal) => renewal.tickets.iter().map(|ticket| ticket.id).collect(),
        Request::Cancel { .. } | Request::Offer(_) | Request::NoShows(_) => Vec::new(),
    }
}

impl World {
    /// What must be true after every step.
    pub(crate) fn check(&self) -> Result<(), String> {
        let mut places: BTreeMap<SessionId, (InstanceId, MatchId)> = BTreeMap::new();
        for node in &self.nodes {
            match &node.machine {
                Some(Machine::Home(home)) => {
                    let runs = node.paused.is_none();
                    self.ledger.check_home((node.id, home, runs), &self.crowd, self.now)?;
                }
                Some(Machine::Host(host)) => {
                    let mut teams: BTreeMap<(MatchId, usize), usize> = BTreeMap::new();
                    for (room, team, ticket, player) in host.seated() {
                        *teams.entry((room, team)).or_default() += 1;
                        if !self.crowd.is_at(player, node.id, ticket) {
                            continue;
                        }
                        if let Some(other) = places.insert(player, (node.id, room)) {
                            return Err(format!("{player:?} is in {other:?} and in {room:?} at {:?}", node.id));
                        }
                        self.check_not_open(ticket, room)?;
                    }
                    let most = modes().iter().map(|mode| mode.team_size).max().expect("there are modes");
                    if let Some((team, count)) = teams.iter().find(|(_, count)| **count > most) {
                        return Err(format!("{count} players in {team:?}"));
                    }
                }
                Some(Machine::Matchmaker(matchmaker)) => {
                    let mut seen = BTreeSet::new();
                    for (id, proposal) in matchmaker.proposals() {
                        if !proposal.tickets().all(|ticket| seen.insert(ticket.id)) {
                            return Err(format!("a ticket of {id:?} is in two proposals of {:?}", node.id));
                        }
                    }
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Whose players sit in a room is not up for another.
    fn check_not_open(&self, ticket: TicketId, room: MatchId) -> Result<(), String> {
        let entry = &self.ledger.tickets[&ticket];
        match entry.open && entry.going.is_none() {
            true => Err(format!("{ticket:?} waits at {:?} and is in {room:?}", entry.home)),
            false => Ok(()),
        }
    }

    /// What must be true after a calm time: nobody is stuck, everybody who waits is known and has nobody to play with.
    pub(crate) fn check_calm(&self, calm: Duration) -> Result<(), String> {
        let open = || self.ledger.tickets.iter().filter(|(_, entry)| entry.open);
        if let Some(stuck) = open().find(|(_, entry)| entry.going.is_some_and(|(_, since)| self.now - since > calm)) {
            return Err(format!("stuck on its way: {stuck:?}"));
        }
        let active = self.nodes.iter().find(|node| Some(node.id) == self.queue.active());
        let Some(Machine::Matchmaker(matchmaker)) = active.and_then(|node| node.machine.as_ref()) else {
            return Err("nobody is the matchmaker".to_owned());
        };
        let waiting = || open().filter(|(_, entry)| entry.going.is_none()).map(|(ticket, _)| *ticket);
        if let Some(unknown) = waiting().find(|ticket| matchmaker.pool().find(*ticket).is_none()) {
            return Err(format!("the matchmaker does not know {unknown:?}"));
        }
        let old = waiting().filter(|ticket| self.now - self.ledger.tickets[ticket].opened > calm);
        let waiting = old.filter(|ticket| self.ledger.tickets[ticket].has_opponents);
        let duels: Vec<_> =
            waiting.filter_map(|id| matchmaker.pool().find(id)).filter(|one| one.mode == "duel").collect();
        let pairs = duels.iter().enumerate().flat_map(|(at, one)| duels[..at].iter().map(move |other| (one, other)));
        match pairs.into_iter().find(|(one, other)| !one.is_apart_from(other)) {
            Some((one, other)) => Err(format!("{:?} and {:?} are not matched", one.id, other.id)),
            None => Ok(()),
        }
    }
}
