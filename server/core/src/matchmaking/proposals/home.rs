//! The home: it holds the tickets of the players who are connected to it, and answers for them.

use std::{collections::BTreeMap, time::Duration};

use super::{AGREED, Go, MESSAGE, Message, No, Request, Reservation, STATE_EVERY, ToHome, ToHost, ToMatchmaker};
use crate::matchmaking::{
    InstanceId, MatchId, SessionId, TicketId,
    pool::Renewal,
    ticket::{Refused, Ticket},
};

#[cfg(test)]
mod tests;

/// Most tickets of a home by default. (The statement of all of them is one message.)
pub const MAX_OPEN: usize = 10_000;

/// The tickets of one instance.
#[derive(Debug)]
pub struct Home {
    id: InstanceId,
    limit: usize,
    draining: bool,
    tickets: BTreeMap<TicketId, Held>,
    players: BTreeMap<SessionId, TicketId>,
    number: u64,
    stated: Duration,
    /// Whether the last statement named any ticket: then one that names none must follow.
    named: bool,
}

#[derive(Debug)]
struct Held {
    ticket: Ticket,
    /// When `ticket.waited` was true.
    since: Duration,
    state: State,
    /// Whether the connection of one of its players is gone.
    cut_off: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Agreed { id: MatchId, until: Duration },
    Going { id: MatchId, host: InstanceId, ask: Duration },
}

/// An event for a home.
#[derive(Clone, Debug)]
pub enum Event {
    /// Players connected here search for a match. The home sets `ticket.home`; `ticket.waited` is the time that they
    /// waited in earlier searches.
    Search(Ticket),
    /// The players no longer search, or have left.
    Cancel(TicketId),
    /// The connection of one of a ticket's players is gone. If they were told to go, the player may be in the match by
    /// now, and the host must say so; any other search is over.
    CutOff {
        /// The ticket.
        ticket: TicketId,
        /// The player.
        player: SessionId,
    },
    /// Players who were told to go are back: none of them is at the host, and none will try to go there again.
    Back {
        /// The match.
        id: MatchId,
        /// Their ticket.
        ticket: TicketId,
    },
    /// A message came.
    Message {
        /// The time since it was sent.
        age: Duration,
        /// The message.
        message: ToHome,
    },
    /// A message to an instance could not be delivered in time.
    Undelivered(Message),
    /// No more searches are taken; open ones go on.
    Drain,
    /// Time has passed. Due at least four times a second.
    Tick,
}

/// An action that a home asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send to the present matchmaker.
    Publish(Request),
    /// Send to an instance.
    Send(InstanceId, Message),
    /// Tell the players of a ticket.
    Tell(TicketId, Told),
}

/// A notice to players about their search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It goes on.
    Searching {
        /// The time waited so far.
        waited: Duration,
    },
    /// A match was found; others have yet to agree.
    Agreed(MatchId),
    /// Go to the host and claim the seats.
    Go {
        /// The match.
        id: MatchId,
        /// The host.
        host: InstanceId,
        /// The number to name there.
        reservation: Reservation,
    },
    /// It is over.
    Over(Over),
}

/// The end of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The players are in a match.
    Matched(MatchId),
    /// The players cancelled it.
    Cancelled,
    /// It was refused.
    Refused(Refused),
}

impl Home {
    /// A home with no tickets, of at most [`MAX_OPEN`].
    pub fn new(id: InstanceId) -> Self {
        Self::with_limit(id, MAX_OPEN)
    }

    /// A home with no tickets, of at most `limit`.
    pub fn with_limit(id: InstanceId, limit: usize) -> Self {
        Self {
            id,
            limit,
            draining: false,
            tickets: BTreeMap::new(),
            players: BTreeMap::new(),
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
        match self.tickets.get(&ticket)?.state {
            State::Going { id, .. } => Some(id),
            State::Open | State::Agreed { .. } => None,
        }
    }

    /// Handles an event at this time by the home's clock, which never goes back.
    pub fn handle(&mut self, now: Duration, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.run_out(now, &mut effects);
        match event {
            Event::Search(ticket) => self.search(now, ticket, &mut effects),
            Event::Cancel(ticket) => self.cancel(ticket, &mut effects),
            Event::CutOff { ticket, player } => self.cut_off(ticket, player, &mut effects),
            Event::Back { id, ticket } => self.reopen(now, id, ticket, &mut effects),
            Event::Message { age, message } if age <= MESSAGE => self.take(now, message, &mut effects),
            Event::Message { .. } => {}
            Event::Undelivered(message) => self.miss(&message, &mut effects),
            Event::Drain => self.draining = true,
            Event::Tick => self.tick(now, &mut effects),
        }
        effects
    }

    /// Ends every yes at its time, whatever event comes next.
    fn run_out(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        for (id, held) in &mut self.tickets {
            if matches!(held.state, State::Agreed { until, .. } if until <= now) {
                held.state = State::Open;
                effects.push(Effect::Tell(*id, Told::Searching { waited: held.waited(now) }));
            }
        }
    }

    fn search(&mut self, now: Duration, mut ticket: Ticket, effects: &mut Vec<Effect>) {
        let id = ticket.id;
        ticket.home = self.id;
        let searching = |player| self.players.contains_key(&player);
        let refused = match () {
            () if self.draining => Some(Refused::Draining),
            () if self.tickets.contains_key(&id) || ticket.players().any(searching) => Some(Refused::AlreadySearching),
            () if self.tickets.len() >= self.limit => Some(Refused::Full),
            () => None,
        };
        if let Some(why) = refused {
            effects.push(Effect::Tell(id, Told::Over(Over::Refused(why))));
            return;
        }
        self.players.extend(ticket.players().map(|player| (player, id)));
        let held = Held { ticket, since: now, state: State::Open, cut_off: false };
        self.number += 1;
        effects.push(Effect::Tell(id, Told::Searching { waited: held.ticket.waited }));
        effects.push(Effect::Publish(Request::Submit { number: self.number, ticket: held.ticket.clone() }));
        self.tickets.insert(id, held);
        self.named = true;
    }

    /// Cancels a ticket. Players who were told to go and have not taken their seats do not come.
    fn cancel(&mut self, ticket: TicketId, effects: &mut Vec<Effect>) {
        match self.close(ticket, Over::Cancelled, effects) {
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

    /// Handles an undelivered message. A host that cannot be asked is given up by the players; for those who are cut
    /// off, the home gives up.
    fn miss(&mut self, message: &Message, effects: &mut Vec<Effect>) {
        if let Message::Host(ToHost::Ask { id, ticket, .. }) = message
            && self.going(*ticket) == Some(*id)
            && self.tickets[ticket].cut_off
        {
            self.close(*ticket, Over::Cancelled, effects);
        }
    }

    fn close(&mut self, ticket: TicketId, how: Over, effects: &mut Vec<Effect>) -> Option<State> {
        let held = self.tickets.remove(&ticket)?;
        for player in held.ticket.players() {
            self.players.remove(&player);
        }
        effects.push(Effect::Tell(ticket, Told::Over(how)));
        Some(held.state)
    }

    fn take(&mut self, now: Duration, message: ToHome, effects: &mut Vec<Effect>) {
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
            ToHome::Returned { id, ticket } => self.reopen(now, id, ticket, effects),
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
            let held = self.tickets.get_mut(ticket).expect("none is missing");
            if held.state == State::Open {
                held.state = State::Agreed { id, until: now + AGREED };
                effects.push(Effect::Tell(*ticket, Told::Agreed(id)));
            }
        }
        ToMatchmaker::Yes { id, home: self.id }
    }

    /// Sends players off while the yes holds; declines for a ticket that is not bound to this match.
    fn go(&mut self, now: Duration, ticket: TicketId, go: &Go, effects: &mut Vec<Effect>) {
        let Go { id, host, reservation, .. } = *go;
        match self.tickets.get_mut(&ticket) {
            Some(held) if matches!(held.state, State::Agreed { id: agreed, .. } if agreed == id) => {
                held.state = State::Going { id, host, ask: now + STATE_EVERY };
                effects.push(Effect::Tell(ticket, Told::Go { id, host, reservation }));
            }
            Some(held) if matches!(held.state, State::Going { id: going, .. } if going == id) => {}
            _ => effects.push(Effect::Send(host, Message::Host(ToHost::Decline { id, ticket }))),
        }
    }

    fn release(&mut self, now: Duration, id: MatchId, effects: &mut Vec<Effect>) {
        for (ticket, held) in &mut self.tickets {
            if matches!(held.state, State::Agreed { id: agreed, .. } if agreed == id) {
                held.state = State::Open;
                effects.push(Effect::Tell(*ticket, Told::Searching { waited: held.waited(now) }));
            }
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

    /// The players have no place in the match that they went to: if all of them are there, the ticket waits again, with
    /// all its waiting time.
    fn reopen(&mut self, now: Duration, id: MatchId, ticket: TicketId, effects: &mut Vec<Effect>) {
        if self.going(ticket) != Some(id) {
            return;
        }
        let held = self.tickets.get_mut(&ticket).expect("it is going");
        held.state = State::Open;
        if held.cut_off {
            return self.cancel(ticket, effects);
        }
        self.number += 1;
        let stated = held.stated(now);
        effects.push(Effect::Tell(ticket, Told::Searching { waited: stated.waited }));
        effects.push(Effect::Publish(Request::Submit { number: self.number, ticket: stated }));
        self.named = true;
    }

    fn tick(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        for (ticket, held) in &mut self.tickets {
            if let State::Going { id, host, ask } = &mut held.state
                && *ask <= now
            {
                *ask = now + STATE_EVERY;
                let question = ToHost::Ask { id: *id, ticket: *ticket, home: self.id };
                effects.push(Effect::Send(*host, Message::Host(question)));
            }
        }
        if self.stated + STATE_EVERY <= now {
            self.state(now, effects);
        }
    }

    fn state(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        self.stated = now;
        let open = self.tickets.values().filter(|held| !matches!(held.state, State::Going { .. }));
        let tickets: Vec<_> = open.map(|held| held.stated(now)).collect();
        if tickets.is_empty() && !self.named {
            return;
        }
        self.named = !tickets.is_empty();
        self.number += 1;
        effects.push(Effect::Publish(Request::Renew(Renewal { home: self.id, number: self.number, tickets })));
    }
}

impl Held {
    fn waited(&self, now: Duration) -> Duration {
        self.ticket.waited + now.saturating_sub(self.since)
    }

    fn stated(&self, now: Duration) -> Ticket {
        Ticket { waited: self.waited(now), ..self.ticket.clone() }
    }
}
