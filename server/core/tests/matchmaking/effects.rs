//! Carries out what the machines want done, and tells the ledger.

use std::time::Duration;

use tiltyard_core::matchmaking::{
    InstanceId, MatchId, TicketId,
    pool::Venue,
    proposals::{
        Message, Request, Reserve, ToHome, ToHost,
        home::{self, Over, Told},
        host, matchmaker,
        outbox::Outcome,
    },
    ticket::Refused,
};

use crate::{
    bus::{Body, Envelope, Trouble},
    world::{Machine, Mutant, Role, World},
};

/// To whom what goes into the queue is addressed.
const BROKER: InstanceId = match InstanceId::new("broker") {
    Ok(id) => id,
    Err(_) => panic!("not a name"),
};

impl World {
    /// An envelope to the queue, unless the sender is cut off.
    fn publish(&mut self, slot: usize, request: Request) {
        if self.nodes[slot].cut_until < self.now {
            self.trace(|| format!("{:?} {slot} publishes {request:?}", self.nodes[slot].role));
            let envelope = Envelope { to: BROKER, sent: self.now, body: Body::Publish(request) };
            self.bus.send(envelope, self.trouble, &mut self.rng);
        }
    }

    /// Something to be said to another instance.
    pub(crate) fn send(&mut self, slot: usize, to: InstanceId, message: Message) {
        self.trace(|| format!("{:?} {slot} says {message:?}", self.nodes[slot].role));
        let back = self.nodes[slot].outbox.say(self.now, to, message);
        assert_eq!(back, None, "so much never waits here");
    }

    /// Sends what can go now. Who is cut off knows it.
    pub(crate) fn post(&mut self, slot: usize) -> Result<(), String> {
        if self.nodes[slot].paused.is_some() {
            return Ok(());
        }
        while let Some((to, said)) = self.nodes[slot].outbox.next(self.now) {
            if self.nodes[slot].cut_until >= self.now {
                self.settle(slot, to, Outcome::NotTaken)?;
                continue;
            }
            let (from, serial) = (self.nodes[slot].id, self.next_number());
            self.nodes[slot].under_way.insert(to, serial);
            let envelope = Envelope { to, sent: self.now, body: Body::Batch { from, serial, said } };
            self.bus.send_batch(envelope, self.trouble, &mut self.rng, &mut self.counts);
        }
        Ok(())
    }

    /// What became of a batch, as far as its sender knows.
    pub(crate) fn settle(&mut self, slot: usize, to: InstanceId, outcome: Outcome) -> Result<(), String> {
        let outcome = match (self.mutant, outcome) {
            (Mutant::ForgetRefused, Outcome::NotTaken) => Outcome::Taken,
            (_, outcome) => outcome,
        };
        let undelivered = self.nodes[slot].outbox.settle(self.now, to, outcome);
        undelivered.into_iter().try_for_each(|message| self.miss(slot, to, message))
    }

    pub(crate) fn miss(&mut self, slot: usize, to: InstanceId, message: Message) -> Result<(), String> {
        self.trace(|| format!("{:?} {slot} cannot say {message:?}", self.nodes[slot].role));
        self.counts.undelivered += 1;
        match self.nodes[slot].role {
            Role::Home => self.home(slot, home::Event::Undelivered(message)),
            Role::Host => Ok(()),
            Role::Matchmaker => self.matchmaker(slot, matchmaker::Event::Undelivered { to, message }),
        }
    }

    pub(crate) fn home(&mut self, slot: usize, event: home::Event) -> Result<(), String> {
        let Some(Machine::Home(home)) = &mut self.nodes[slot].machine else { return Ok(()) };
        for effect in home.handle(self.now, event) {
            match effect {
                home::Effect::Publish(request) => self.publish(slot, request),
                home::Effect::Send(to, message) => {
                    let declines = matches!(message, Message::Host(ToHost::Decline { .. }));
                    self.counts.declined += u64::from(declines);
                    self.send(slot, to, message);
                }
                home::Effect::Tell(ticket, told) => self.tell(ticket, told)?,
            }
        }
        Ok(())
    }

    fn tell(&mut self, ticket: TicketId, told: Told) -> Result<(), String> {
        self.trace(|| format!("{ticket:?} is told {told:?}"));
        match told {
            Told::Searching { waited } => {
                self.ledger.going(ticket, None);
                self.counts.sent_back += u64::from(waited > Duration::ZERO);
                self.ledger.bind(ticket, false, self.now);
            }
            Told::Agreed(_) => self.ledger.bind(ticket, true, self.now),
            Told::Go { id, host, reservation } => {
                self.ledger.going(ticket, Some((id, self.now)));
                let lazy = self.trouble.has_no_shows() && self.rng.chance(0.1);
                self.crowd.go(self.now, ticket, (id, host, reservation), lazy);
            }
            Told::Over(Over::Matched(id)) => {
                self.ledger.matched(id, ticket)?;
                self.crowd.over(self.now, ticket, false);
                self.counts.matched += 1;
            }
            Told::Over(Over::Cancelled) => {
                self.ledger.closed(ticket);
                self.crowd.over(self.now, ticket, true);
            }
            Told::Over(Over::Expired) => {
                self.counts.given_up += 1;
                self.ledger.closed(ticket);
                self.crowd.over(self.now, ticket, true);
            }
            Told::Over(Over::Refused(Refused::NoShow(rest))) => {
                match self.crowd.excuse(ticket, self.ledger.match_of(ticket)) {
                    Some(late) => {
                        self.counts.no_shows += late.len() as u64;
                        late.into_iter().for_each(|key| self.ledger.no_show(key, self.now));
                    }
                    None if rest.is_zero() => return Err(format!("{ticket:?} is refused for a penalty that is over")),
                    None if self.ledger.match_of(ticket).is_some() => {
                        return Err(format!("{ticket:?} counts as a no-show, but all of its players have come"));
                    }
                    None => self.counts.refused_by_penalty += 1,
                }
                self.ledger.closed(ticket);
                self.crowd.over(self.now, ticket, true);
            }
            Told::Over(Over::Refused(Refused::Superseded)) => {
                self.counts.superseded += 1;
                self.ledger.closed(ticket);
                self.crowd.over(self.now, ticket, true);
            }
            Told::Over(Over::Refused(why)) => return Err(format!("{ticket:?} was refused: {why:?}")),
        }
        Ok(())
    }

    pub(crate) fn host(&mut self, slot: usize, event: host::Event) -> Result<(), String> {
        let (now, id) = (self.now, self.nodes[slot].id);
        let Some(Machine::Host(host)) = &mut self.nodes[slot].machine else { return Ok(()) };
        let mut turned_away = Vec::new();
        for effect in host.handle(now, event) {
            match effect {
                host::Effect::Publish(request) => self.publish(slot, request),
                host::Effect::Send(to, message) => {
                    if let Message::Home(ToHome::Seated { id, ticket }) = message {
                        self.ledger.seated(id, ticket);
                        self.counts.backfilled += u64::from(self.fills.contains_key(&id));
                    }
                    self.send(slot, to, message);
                }
                host::Effect::Open { .. } => {}
                host::Effect::Admit { room, claim, .. } if self.trouble.has_no_shows() && self.rng.chance(0.03) => {
                    self.counts.turned_away += 1;
                    self.crowd.turn_away(now, claim);
                    turned_away.push(host::Event::TurnedAway { room, player: claim.player });
                }
                host::Effect::Admit { room, claim, .. } => self.crowd.answer(now, claim, Some(room)),
                host::Effect::Refuse(claim) => self.crowd.answer(now, claim, None),
                host::Effect::Start(room) => self.start_game(slot, room)?,
                host::Effect::End(room) => {
                    self.counts.ended_below_minimum += u64::from(self.crowd.closed(now, id, room, false));
                }
            }
        }
        turned_away.into_iter().try_for_each(|event| self.host(slot, event))
    }

    fn start_game(&mut self, slot: usize, room: MatchId) -> Result<(), String> {
        let Some(Machine::Host(host)) = &self.nodes[slot].machine else { return Ok(()) };
        if host.seated().filter(|seat| seat.0 == room).count() < 2 {
            return Err(format!("{room:?} starts below its minimum"));
        }
        let length = if self.rng.chance(0.2) { 100 } else { 3 + self.rng.below(12) };
        let length = Duration::from_secs(length.into());
        self.games.push((self.now + length, self.nodes[slot].id, room));
        self.counts.started += 1;
        Ok(())
    }

    pub(crate) fn matchmaker(&mut self, slot: usize, event: matchmaker::Event) -> Result<(), String> {
        let Some(Machine::Matchmaker(matchmaker)) = &mut self.nodes[slot].machine else { return Ok(()) };
        for effect in matchmaker.handle(self.now, event) {
            match effect {
                matchmaker::Effect::Acknowledge(tag) if self.nodes[slot].cut_until < self.now => {
                    self.queue.acknowledge(tag);
                }
                matchmaker::Effect::Acknowledge(_) => {}
                matchmaker::Effect::Send(to, message) => {
                    if let Message::Host(ToHost::Reserve(Reserve { id, place, teams, .. })) = &message {
                        if let Venue::Running { room, .. } = place {
                            self.fills.insert(*id, *room);
                        }
                        for ticket in teams.iter().flatten() {
                            self.ledger.proposed(ticket, self.now)?;
                        }
                        // Who fills a seat of a running room waits for no other newcomer.
                        let strictly = self.until_calm == Trouble::NoShows && *place == Venue::New;
                        self.ledger.proposed_together(&teams.iter().flatten(), &self.crowd, self.now, strictly)?;
                    }
                    self.send(slot, to, message);
                }
            }
        }
        Ok(())
    }
}
