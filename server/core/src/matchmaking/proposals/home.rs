//! The home: it holds the tickets of the players who are connected to it, and answers for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use uuid::Uuid;

use super::{AGREED, Go, MAX_STATED, MESSAGE, Message, No, Request, STATE_EVERY, ToHome, ToHost, ToMatchmaker};
use crate::matchmaking::{
    InstanceId, MatchId, PlayerKey, SessionId, TicketId,
    mode::Mode,
    no_shows::NoShows,
    pool::Renewal,
    ticket::{MAX_AVOIDED, Refused, Ticket},
};

mod kinds;
mod held;
mod returns;
#[cfg(test)]
mod tests;

use held::{Held, State};
pub use kinds::{Effect, Event, Over, Told};

/// Most tickets of a home by default. (The statement of all of them is one message.)
pub const MAX_OPEN: usize = 10_000;

/// Time after the word to go in which players who cannot enter at the host say so.
const SILENT: Duration = Duration::from_secs(15);

/// Most no-shows that a home remembers.
const MAX_NO_SHOWS: usize = 16_384;

/// The tickets of one instance.
#[derive(Debug)]
pub struct Home {
    id: InstanceId,
    /// When the searches of each mode are given up.
    patience: BTreeMap<String, Duration>,
    limit: usize,
    draining: bool,
    tickets: BTreeMap<TicketId, Held>,
    /// The ticket of each player.
    players: BTreeMap<PlayerKey, TicketId>,
    /// The time when each ticket that waits is given up, or free from its match.
    due: BTreeSet<(Duration, TicketId)>,
    /// The time when the host of each ticket that is going is asked, or one whose players are back is stated again.
    asks: BTreeSet<(Duration, TicketId)>,
    /// The tickets that are bound to each match of which nothing is decided.
    bound: BTreeSet<(MatchId, TicketId)>,
    no_shows: NoShows,
    number: u64,
    stated: Duration,
    /// Whether the last statement named any ticket: then one that names none must follow.
    named: bool,
}

impl Home {
    /// A home with no tickets, of at most [`MAX_OPEN`], for these modes.
    pub fn new(id: InstanceId, modes: &[Mode]) -> Self {
        Self::with_limit(id, modes, MAX_OPEN)
    }

    /// A home with no tickets, of at most `limit`, for these modes.
    pub fn with_limit(id: InstanceId, modes: &[Mode], limit: usize) -> Self {
        Self {
            id,
            patience: modes.iter().map(|mode| (mode.name.clone(), mode.give_up)).collect(),
            limit,
            draining: false,
            tickets: BTreeMap::new(),
            players: BTreeMap::new(),
            due: BTreeSet::new(),
            asks: BTreeSet::new(),
            bound: BTreeSet::new(),
            no_shows: NoShows::with_limit(MAX_NO_SHOWS),
            number: 0,
            stated: Duration::ZERO,
            named: false,
        }
    }

    /// Numbers its statements from here on, above all those of an earlier instance with the same name.
    #[must_use]
    pub fn numbered_from(self, number: u64) -> Self {
        Self { number, ..self }
    }

    /// The tickets that are neither matched nor cancelled.
    pub fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets.values().map(|held| &held.ticket)
    }

    /// How long a ticket has waited so far.
    pub fn waited(&self, ticket: TicketId, now: Duration) -> Option<Duration> {
        self.tickets.get(&ticket).map(|held| held.waited(now))
    }

    /// The match that the players of a ticket were told to go to.
    pub fn going(&self, ticket: TicketId) -> Option<MatchId> {
        self.tickets.get(&ticket)?.state.going()
    }

    /// Handles an event at this time by the home's clock, which never goes back.
    pub fn handle(&mut self, now: Duration, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.run_out(now, &mut effects);
        match event {
            Event::Search(ticket) => self.search(now, ticket, &mut effects),
            Event::Cancel(ticket) => self.cancel(ticket, &mut effects),
            Event::CutOff { ticket, player } => self.cut_off(ticket, player, &mut effects),
            Event::Back { id, ticket } => self.back(now, id, ticket, &mut effects),
            Event::Message { age, message } if age <= MESSAGE => self.take(now, age, message, &mut effects),
            Event::Message { .. } => {}
            Event::Undelivered(message) => self.miss(now, &message, &mut effects),
            Event::Drain => self.draining = true,
            Event::Tick => self.tick(now, &mut effects),
        }
        effects
    }

    /// Ends every yes and every search at its time, whatever event comes next.
    fn run_out(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        self.no_shows.expire(now);
        while let Some((_, id)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            match self.tickets[&id].state {
                State::Agreed { .. } => self.wait_again(now, id, effects),
                State::Open | State::Going { .. } => self.end(id, Over::Expired, effects),
            }
        }
    }

    fn search(&mut self, now: Duration, mut ticket: Ticket, effects: &mut Vec<Effect>) {
        let id = ticket.id;
        ticket.home = self.id;
        if let Some(why) = self.refusal(now, &ticket) {
            effects.push(Effect::Tell(id, Told::Over(Over::Refused(why))));
            return;
        }
        // A player who searches anew has given up the earlier search, whatever became of its connection.
        let earlier: BTreeSet<_> = ticket.keys().filter_map(|key| self.players.get(&key).copied()).collect();
        for ticket in earlier {
            self.end(ticket, Over::Refused(Refused::Superseded), effects);
        }
        self.players.extend(ticket.keys().map(|key| (key, id)));
        self.number += 1;
        effects.push(Effect::Tell(id, Told::Searching { waited: ticket.waited }));
        effects.push(Effect::Publish(Request::Submit { number: self.number, ticket: ticket.clone() }));
        let patience = self.patience[&ticket.mode];
        let held = Held::new(now, ticket, patience);
        self.due.insert((held.due(), id));
        self.tickets.insert(id, held);
        self.named = true;
    }

    /// The reason why a ticket cannot be taken, if there is one.
    fn refusal(&self, now: Duration, ticket: &Ticket) -> Option<Refused> {
        let penalty = || ticket.keys().filter_map(|key| self.no_shows.penalty(now, key)).max();
        match () {
            () if self.draining => Some(Refused::Draining),
            () if self.tickets.contains_key(&ticket.id) => Some(Refused::AlreadySearching),
            () if !self.patience.contains_key(&ticket.mode) => Some(Refused::UnknownMode),
            () if self.tickets.len() >= self.limit => Some(Refused::Full),
            () => penalty().map(Refused::NoShow),
        }
    }

    /// Sets the state of a ticket, and when something becomes of it by itself.
    fn set(&mut self, ticket: TicketId, state: State) {
        let held = self.tickets.get_mut(&ticket).expect("a ticket that is held");
        let (due, before) = (held.due(), std::mem::replace(&mut held.state, state));
        let time = (held.due(), ticket);
        self.forget_times((due, ticket), before);
        match state {
            State::Open => _ = self.due.insert(time),
            State::Agreed { id, .. } => {
                self.due.insert(time);
                self.bound.insert((id, ticket));
            }
            State::Going { .. } => _ = self.asks.insert(time),
        }
    }

    fn forget_times(&mut self, time: (Duration, TicketId), state: State) {
        self.due.remove(&time);
        self.asks.remove(&time);
        if let State::Agreed { id, .. } = state {
            self.bound.remove(&(id, time.1));
        }
    }

    /// A ticket that was bound to a match waits again.
    fn wait_again(&mut self, now: Duration, ticket: TicketId, effects: &mut Vec<Effect>) {
        self.set(ticket, State::Open);
        let waited = self.tickets[&ticket].waited(now);
        effects.push(Effect::Tell(ticket, Told::Searching { waited }));
    }

    /// Cancels a ticket. Players who were told to go and have not taken their seats do not come.
    fn cancel(&mut self, ticket: TicketId, effects: &mut Vec<Effect>) {
        self.end(ticket, Over::Cancelled, effects);
    }

    /// Ends a search, and tells those who count on it.
    fn end(&mut self, ticket: TicketId, how: Over, effects: &mut Vec<Effect>) {
        match self.close(ticket, how, effects) {
            None => {}
            Some(State::Going { id, host, .. }) => {
                effects.push(Effect::Send(host, Message::Host(ToHost::Decline { id, ticket })));
            }
            Some(State::Open | State::Agreed { .. }) => {
                effects.push(Effect::Publish(Request::Cancel { home: self.id, ticket }));
            }
        }
    }

    fn cut_off(&mut self, ticket: TicketId, player: SessionId, effects: &mut Vec<Effect>) {
        match self.tickets.get_mut(&ticket) {
            Some(Held { state: State::Going { id, host, .. }, cut_off, .. }) => {
                *cut_off = true;
                effects.push(Effect::Send(*host, Message::Host(ToHost::CutOff { id: *id, ticket, player })));
            }
            _ => self.cancel(ticket, effects),
        }
    }

    /// Handles an undelivered message. A host that cannot be asked is given up by the players, who say so, or play there.
    /// For those who are cut off the home gives up, and after [`SILENT`] for those who say nothing.
    fn miss(&mut self, now: Duration, message: &Message, effects: &mut Vec<Effect>) {
        let Message::Host(ToHost::Ask { id, ticket, .. }) = message else { return };
        let Some(held) = self.tickets.get(ticket).filter(|held| held.state.going() == Some(*id)) else { return };
        if held.cut_off {
            self.close(*ticket, Over::Cancelled, effects);
        } else if held.told_to_go + SILENT <= now {
            self.close(*ticket, Over::Expired, effects);
        }
    }

    fn close(&mut self, ticket: TicketId, how: Over, effects: &mut Vec<Effect>) -> Option<State> {
        let held = self.tickets.remove(&ticket)?;
        held.unstated.map(|at| self.asks.remove(&(at, ticket)));
        self.forget_times((held.due(), ticket), held.state);
        for key in held.ticket.keys() {
            self.players.remove(&key);
        }
        effects.push(Effect::Tell(ticket, Told::Over(how)));
        Some(held.state)
    }

    fn take(&mut self, now: Duration, age: Duration, message: ToHome, effects: &mut Vec<Effect>) {
        match message {
            ToHome::Agree { id, matchmaker, tickets } => {
                let answer = self.agree(now, id, &tickets, effects);
                effects.push(Effect::Send(matchmaker, Message::Matchmaker(answer)));
            }
            ToHome::Go(go) => {
                for ticket in &go.tickets {
                    self.go(now, *ticket, &go, effects);
                }
            }
            ToHome::Release { id } => self.release(now, id, effects),
            ToHome::NotTaken { ticket, why } => self.not_taken(ticket, why, effects),
            ToHome::Seated { id, ticket } if self.going(ticket) == Some(id) => {
                self.close(ticket, Over::Matched(id), effects);
            }
            ToHome::Seated { .. } => {}
            ToHome::Returned { id, ticket, absent, late, ago } => {
                let decided = now.saturating_sub(age).saturating_sub(ago);
                self.returned(now, late.then_some(decided), (id, ticket), &absent, effects);
            }
        }
    }

    /// Binds all tickets or none. A yes that is asked for again is not renewed.
    fn agree(&mut self, now: Duration, id: MatchId, tickets: &[TicketId], effects: &mut Vec<Effect>) -> ToMatchmaker {
        let cannot = |ticket: &TicketId| match self.tickets.get(ticket).map(|held| held.state) {
            Some(State::Open) => None,
            Some(State::Agreed { id: other, .. }) if other == id => None,
            Some(State::Agreed { until, .. }) => Some((*ticket, No::Bound(until.saturating_sub(now)))),
            Some(State::Going { .. }) | None => Some((*ticket, No::NotOpen)),
        };
        let no: Vec<_> = tickets.iter().filter_map(cannot).collect();
        if !no.is_empty() {
            return ToMatchmaker::No { id, home: self.id, tickets: no };
        }
        for ticket in tickets {
            if self.tickets[ticket].state == State::Open {
                self.set(*ticket, State::Agreed { id, until: now + AGREED });
                effects.push(Effect::Tell(*ticket, Told::Agreed(id)));
            }
        }
        ToMatchmaker::Yes { id, home: self.id }
    }

    /// Sends players off while the yes holds; declines for a ticket that is not bound to this match.
    fn go(&mut self, now: Duration, ticket: TicketId, go: &Go, effects: &mut Vec<Effect>) {
        let Go { id, host, reservation, .. } = *go;
        match self.tickets.get(&ticket) {
            Some(held) if matches!(held.state, State::Agreed { id: agreed, .. } if agreed == id) => {
                self.set(ticket, State::Going { id, host, ask: now + STATE_EVERY });
                self.tickets.entry(ticket).and_modify(|held| (held.went_to, held.told_to_go) = (Some(id), now));
                effects.push(Effect::Tell(ticket, Told::Go { id, host, reservation }));
            }
            Some(held) if matches!(held.state, State::Going { id: going, .. } if going == id) => {}
            _ => effects.push(Effect::Send(host, Message::Host(ToHost::Decline { id, ticket }))),
        }
    }

    fn release(&mut self, now: Duration, id: MatchId, effects: &mut Vec<Effect>) {
        let first = (id, TicketId(Uuid::nil()));
        let bound: Vec<_> = self.bound.range(first..).take_while(|bound| bound.0 == id).map(|bound| bound.1).collect();
        for ticket in bound {
            self.wait_again(now, ticket, effects);
        }
    }

    /// A ticket is not given up because the pool is full or a younger ticket has gone meanwhile: the next statement
    /// asks again.
    fn not_taken(&mut self, ticket: TicketId, why: Refused, effects: &mut Vec<Effect>) {
        let open = self.tickets.get(&ticket).is_some_and(|held| held.state == State::Open);
        if open && why != Refused::Full {
            self.close(ticket, Over::Refused(why), effects);
        }
    }

    fn tick(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        while self.asks.first().is_some_and(|(due, _)| *due <= now) {
            let Some((_, ticket)) = self.asks.pop_first() else { break };
            match self.tickets[&ticket].state {
                State::Going { id, host, .. } => {
                    self.set(ticket, State::Going { id, host, ask: now + STATE_EVERY });
                    let question = ToHost::Ask { id, ticket, home: self.id };
                    effects.push(Effect::Send(host, Message::Host(question)));
                }
                State::Open | State::Agreed { .. } => self.state_again(now, ticket, effects),
            }
        }
        if self.stated + STATE_EVERY <= now {
            self.state(now, effects);
            let punished = self.no_shows.punished(now, MAX_STATED);
            if !punished.is_empty() {
                effects.push(Effect::Publish(Request::NoShows(punished)));
            }
        }
    }

    fn state(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        self.stated = now;
        let open = self.tickets.values().filter(|held| held.state.going().is_none());
        let tickets: Vec<_> = open.map(|held| held.stated(now)).collect();
        if tickets.is_empty() && !self.named {
            return;
        }
        self.named = !tickets.is_empty();
        self.number += 1;
        effects.push(Effect::Publish(Request::Renew(Renewal { home: self.id, number: self.number, tickets })));
    }
}
