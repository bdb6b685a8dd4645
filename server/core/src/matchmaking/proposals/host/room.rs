//! The seats of one room: the players who have a reservation, have come, or have left.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::matchmaking::{
    InstanceId, MatchId, PlayerKey, SessionId, TicketId,
    mode::Mode,
    proposals::{CUT_OFF, Claim, REMEMBERED, Reservation},
    ticket::{Member, Ticket, Vacancy},
};

/// A room and the tickets that have seats in it.
#[derive(Debug)]
pub(super) struct Room {
    mode: Mode,
    runs: bool,
    parties: Vec<Party>,
    /// Seated tickets whose players have all left, by match, and when they can be forgotten.
    past: BTreeMap<(MatchId, TicketId), Duration>,
    /// The players of each match who were not there when it was decided.
    absent: Vec<Absent>,
    vacant_since: Option<Duration>,
    /// When something is decided about it next, whatever happens until then.
    due: Option<Duration>,
    told: Vec<(InstanceId, MatchId, TicketId, Verdict)>,
}

/// The seats of one ticket.
#[derive(Debug)]
struct Party {
    id: MatchId,
    reservation: Reservation,
    ticket: Ticket,
    team: usize,
    until: Duration,
    /// Whether it is decided that the party is in.
    seated: bool,
    here: BTreeSet<SessionId>,
    left: BTreeSet<SessionId>,
    /// When each cut-off player is given up, unless the player has come by then.
    cut_off: BTreeMap<SessionId, Duration>,
}

/// A player who was not there when a match was decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Absent {
    id: MatchId,
    ticket: TicketId,
    key: PlayerKey,
    /// Whether the time was over, and nobody had declined.
    late: bool,
    at: Duration,
}

/// A decision about a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing.
    Nothing,
    /// The room starts.
    Start,
    /// The room ends because too few have come.
    End,
}

/// What became of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is in the match.
    Seated,
    /// It has no seat.
    Returned {
        /// The players of the match who were not there.
        absent: Vec<PlayerKey>,
        /// Whether players of the ticket are among them because they are late.
        late: bool,
        /// The time since that was decided.
        ago: Duration,
    },
}

impl Verdict {
    /// A ticket has no seat in a match of which these players were absent.
    pub(super) fn returned(now: Duration, ticket: TicketId, absent: &[Absent]) -> Self {
        let late = absent.iter().any(|absent| absent.ticket == ticket && absent.late);
        let ago = absent.iter().map(|absent| now.saturating_sub(absent.at)).min().unwrap_or_default();
        Self::Returned { absent: absent.iter().map(|absent| absent.key).collect(), late, ago }
    }
}

impl Room {
    /// An empty room.
    pub(super) fn new(mode: Mode) -> Self {
        let (parties, past, absent, told) = (Vec::new(), BTreeMap::new(), Vec::new(), Vec::new());
        Self { mode, runs: false, parties, past, absent, vacant_since: None, due: None, told }
    }

    /// The time that [`Self::set_due`] has set; never, if there is none.
    pub(super) fn due(&self) -> Duration {
        self.due.unwrap_or(Duration::MAX)
    }

    /// Sets the time when something is decided about it next, whatever happens until then, and returns it.
    pub(super) fn set_due(&mut self) -> Option<Duration> {
        let open = self.parties.iter().filter(|party| !party.seated);
        let ends = open.flat_map(|party| party.cut_off.values().copied().chain([party.until]));
        let memories = self.past.values().copied().chain(self.absent.iter().map(|absent| absent.at + REMEMBERED));
        self.due = ends.chain(memories).min();
        self.due
    }

    /// The number of its seats.
    pub(super) fn seats(&self) -> usize {
        self.mode.seats()
    }

    /// Team, ticket and player of all who are here.
    pub(super) fn seated(&self) -> impl Iterator<Item = (usize, TicketId, SessionId)> {
        self.parties.iter().flat_map(|party| party.here.iter().map(|player| (party.team, party.ticket.id, *player)))
    }

    /// Whether it runs and its mode has free seats filled.
    pub(super) fn takes_newcomers(&self) -> bool {
        self.runs && self.mode.backfill
    }

    /// The reservation of a match, if the match still has one.
    pub(super) fn reservation(&self, id: MatchId) -> Option<Reservation> {
        self.parties.iter().find(|party| party.id == id).map(|party| party.reservation)
    }

    /// Keeps seats for these teams: all or none. `None` if there are too few, or a player would sit twice.
    pub(super) fn reserve(
        &mut self,
        id: MatchId,
        reservation: Reservation,
        until: Duration,
        teams: Vec<Vec<Ticket>>,
    ) -> Option<()> {
        let mut players: BTreeSet<_> = self.parties.iter().flat_map(|party| party.ticket.players()).collect();
        let tickets = teams.iter().flatten();
        if teams.len() != self.mode.teams || !tickets.flat_map(Ticket::players).all(|player| players.insert(player)) {
            return None;
        }
        for (team, tickets) in teams.iter().enumerate() {
            let wanted: usize = tickets.iter().map(|ticket| ticket.party.len()).sum();
            if wanted > self.free(team) {
                return None;
            }
        }
        for (team, tickets) in teams.into_iter().enumerate() {
            self.parties.extend(tickets.into_iter().map(|ticket| Party {
                id,
                reservation,
                ticket,
                team,
                until,
                seated: false,
                here: BTreeSet::new(),
                left: BTreeSet::new(),
                cut_off: BTreeMap::new(),
            }));
        }
        Some(())
    }

    fn free(&self, team: usize) -> usize {
        let parties = self.parties.iter().filter(|party| party.team == team);
        self.mode.team_size.saturating_sub(parties.map(Party::kept).sum())
    }

    /// Lets a player take a seat. Returns the team. While the match is undecided the reservation counts, afterwards
    /// only whether the player's party is in.
    pub(super) fn claim(&mut self, now: Duration, claim: &Claim) -> Option<usize> {
        let mine = |party: &&mut Party| party.id == claim.id && party.ticket.id == claim.ticket;
        let party = self.parties.iter_mut().find(mine)?;
        let member = party.ticket.players().any(|player| player == claim.player);
        let may = party.reservation == claim.reservation && member && !party.left.contains(&claim.player);
        if !may || !(party.seated || now < party.until) {
            return None;
        }
        party.here.insert(claim.player);
        Some(party.team)
    }

    /// Notes that a player has left: the seat is free once the match runs.
    pub(super) fn leave(&mut self, player: SessionId) {
        for party in self.parties.iter_mut().filter(|party| party.ticket.players().any(|member| member == player)) {
            party.here.remove(&player);
            party.left.insert(player);
        }
    }

    /// Notes that a player has no place in the room after all, for now.
    pub(super) fn turn_away(&mut self, player: SessionId) {
        for party in &mut self.parties {
            party.here.remove(&player);
        }
    }

    /// Gives everybody who is on the way this much more time.
    pub(super) fn wait_longer(&mut self, time: Duration) {
        for party in self.parties.iter_mut().filter(|party| !party.seated) {
            party.until += time;
            party.cut_off.values_mut().for_each(|until| *until += time);
        }
    }

    /// Drops the players of a match, or of one ticket of it, who do not come. Those already here stay, and wait for
    /// none of them.
    pub(super) fn drop_absent(&mut self, now: Duration, id: MatchId, ticket: Option<TicketId>) {
        let meant =
            |party: &Party| party.id == id && ticket.is_none_or(|ticket| party.ticket.id == ticket) && !party.seated;
        for Party { ticket, here, left, .. } in self.parties.iter_mut().filter(|party| meant(party)) {
            left.extend(ticket.players().filter(|player| !here.contains(player)));
        }
        self.send_back(now, |party| meant(party) && party.here.is_empty());
    }

    /// Notes that a player's connection is gone: unless the player is here soon, the player does not come.
    pub(super) fn cut_off(&mut self, now: Duration, id: MatchId, ticket: TicketId, player: SessionId) {
        let meant = |party: &&mut Party| party.id == id && party.ticket.id == ticket && !party.seated;
        if let Some(party) = self.parties.iter_mut().find(meant)
            && party.ticket.players().any(|member| member == player)
        {
            party.cut_off.entry(player).or_insert(now + CUT_OFF);
        }
    }

    /// What became of a ticket; `None` while that is open.
    pub(super) fn outcome(&self, now: Duration, id: MatchId, ticket: TicketId) -> Option<Verdict> {
        match self.parties.iter().find(|party| party.id == id && party.ticket.id == ticket) {
            Some(party) => party.seated.then_some(Verdict::Seated),
            None if self.past.contains_key(&(id, ticket)) => Some(Verdict::Seated),
            None => Some(Verdict::returned(now, ticket, &self.absent_of(id))),
        }
    }

    /// The players of a match who were not there when it was decided.
    pub(super) fn absent_of(&self, id: MatchId) -> Vec<Absent> {
        self.absent.iter().filter(|absent| absent.id == id).copied().collect()
    }

    /// Decides which parties are in, as far as that can be known.
    pub(super) fn decide(&mut self, now: Duration) -> Decision {
        self.parties.iter_mut().for_each(|party| party.give_up_those_cut_off(now));
        self.forget_those_who_left(now);
        if self.runs {
            self.seat(now, |party| party.is_decided(now));
            return Decision::Nothing;
        }
        let possible: usize = self.parties.iter().map(Party::kept).sum();
        if possible >= self.mode.min_players && !self.parties.iter().all(|party| party.is_decided(now)) {
            return Decision::Nothing;
        }
        if self.parties.iter().map(|party| party.here.len()).sum::<usize>() < self.mode.min_players {
            return Decision::End;
        }
        self.runs = true;
        self.seat(now, |_| true);
        Decision::Start
    }

    /// Of the decided parties, lets in those with a player here, and sends back the others.
    fn seat(&mut self, now: Duration, decided: impl Fn(&Party) -> bool) {
        for party in self.parties.iter_mut().filter(|party| !party.seated && decided(party) && !party.here.is_empty()) {
            party.seated = true;
            self.told.push((party.ticket.home, party.id, party.ticket.id, Verdict::Seated));
        }
        self.send_back(now, |party| !party.seated && decided(party));
    }

    /// Sends parties back, with the absent players of all parties of their match.
    fn send_back(&mut self, now: Duration, whom: impl Fn(&Party) -> bool) {
        let (back, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.parties).into_iter().partition(whom);
        self.parties = kept;
        self.absent.extend(back.iter().flat_map(|party| party.absent(now)));
        for party in back {
            let verdict = Verdict::returned(now, party.ticket.id, &self.absent_of(party.id));
            self.told.push((party.ticket.home, party.id, party.ticket.id, verdict));
        }
    }

    fn forget_those_who_left(&mut self, now: Duration) {
        self.past.retain(|_, until| *until > now);
        self.absent.retain(|absent| absent.at + REMEMBERED > now);
        let past = &mut self.past;
        self.parties.retain(|party| {
            let gone = party.seated && party.kept() == 0;
            if gone {
                past.insert((party.id, party.ticket.id), now + REMEMBERED);
            }
            !gone
        });
    }

    /// Ends the room: parties that are not in yet go back.
    pub(super) fn end(&mut self, now: Duration) {
        self.send_back(now, |party| !party.seated);
    }

    /// The tickets of a match that were seated.
    pub(super) fn seated_by(&self, id: MatchId) -> BTreeSet<TicketId> {
        let present = self.parties.iter().filter(|party| party.id == id && party.seated).map(|party| party.ticket.id);
        present.chain(self.past.keys().filter(|past| past.0 == id).map(|past| past.1)).collect()
    }

    /// The notices for homes: home, match, ticket, and what became of it.
    pub(super) fn told(&mut self) -> impl Iterator<Item = (InstanceId, MatchId, TicketId, Verdict)> {
        self.told.drain(..)
    }

    /// The seats to fill, team by team, if somebody is here to play with.
    pub(super) fn vacancies(&mut self, now: Duration, room: MatchId, host: InstanceId, region: &str) -> Vec<Vacancy> {
        let present = self.seated().count();
        let free: Vec<_> = (0..self.mode.teams).map(|team| (team, self.free(team))).filter(|(_, n)| *n > 0).collect();
        if !self.takes_newcomers() || present == 0 || free.is_empty() {
            self.vacant_since = None;
            return Vec::new();
        }
        let waited = now.saturating_sub(*self.vacant_since.get_or_insert(now));
        let rating = self.rating();
        let vacancy = |(team, seats)| {
            let (mode, region) = (self.mode.name.clone(), region.to_owned());
            Vacancy { room, host, mode, region, team, seats, rating, waited }
        };
        free.into_iter().map(vacancy).collect()
    }

    /// The mean rating of all players with seats.
    fn rating(&self) -> i32 {
        let (count, sum) = self
            .parties
            .iter()
            .fold((0, 0), |(count, sum), party| (count + party.ticket.party.len(), sum + party.ticket.strength()));
        let count = i64::try_from(count).expect("a room is small").max(1);
        i32::try_from(sum.div_euclid(count)).expect("a mean of ratings")
    }
}

impl Party {
    /// The number of seats kept for it: for all of its players who have not left.
    fn kept(&self) -> usize {
        self.ticket.party.len() - self.left.len()
    }

    fn give_up_those_cut_off(&mut self, now: Duration) {
        let due = self.cut_off.extract_if(.., |_, until| *until <= now).map(|(player, _)| player);
        self.left.extend(due.filter(|player| !self.seated && !self.here.contains(player)));
    }

    /// Whether all have come, or those who have not are too late.
    fn is_decided(&self, now: Duration) -> bool {
        self.here.len() == self.kept() || self.until <= now
    }

    /// The players who are not here and whose time is over, who were dropped, or who have left.
    fn absent(&self, now: Duration) -> impl Iterator<Item = Absent> {
        let (id, ticket, over) = (self.id, self.ticket.id, self.until <= now);
        let away = self.ticket.party.iter().filter(|member| !self.here.contains(&member.player));
        away.filter_map(move |Member { player, key, .. }| {
            let left = self.left.contains(player);
            (left || over).then_some(Absent { id, ticket, key: *key, late: !left, at: now })
        })
    }
}
