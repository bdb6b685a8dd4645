//! Carries out what the machines want done, and tells the ledger.

use std::time::Duration;

use tiltyard_core::matchmaking::{
    InstanceId, MatchId, TicketId,
    pool::Place,
    proposals::{
        Message, Reserve, ToHome, ToHost,
        home::{self, Over, Told},
        host, matchmaker,
    },
};

use crate::{
    bus::{Body, Letter},
    world::{Machine, World},
};

/// To whom what goes into the queue is addressed.
const BROKER: InstanceId = match InstanceId::new("broker") {
    Ok(id) => id,
    Err(_) => panic!("not a name"),
};

impl World {
    /// A letter, unless the sender is cut off.
    pub(crate) fn send(&mut self, slot: usize, to: InstanceId, body: Body) {
        if self.nodes[slot].cut_until < self.now {
            self.trace(|| format!("{:?} {slot} sends {body:?}", self.nodes[slot].role));
            self.bus.send(Letter { to, sent: self.now, body }, self.calm, &mut self.rng, &mut self.counts);
        }
    }

    pub(crate) fn home(&mut self, slot: usize, event: home::Event) -> Result<(), String> {
        let Some(Machine::Home(home)) = &mut self.nodes[slot].machine else { return Ok(()) };
        for effect in home.handle(self.now, event) {
            match effect {
                home::Effect::Publish(request) => self.send(slot, BROKER, Body::Publish(request)),
                home::Effect::Send(to, message) => {
                    let declines = matches!(message, Message::Host(ToHost::Decline { .. }));
                    self.counts.declined += u64::from(declines);
                    self.send(slot, to, Body::Message(message));
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
            }
            Told::Agreed(_) => {}
            Told::Go { id, host, reservation } => {
                self.ledger.going(ticket, Some(self.now));
                self.crowd.go(self.now, ticket, (id, host, reservation));
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
            Told::Over(Over::Refused(why)) => return Err(format!("{ticket:?} was refused: {why:?}")),
        }
        Ok(())
    }

    pub(crate) fn host(&mut self, slot: usize, event: host::Event) -> Result<(), String> {
        let (now, id) = (self.now, self.nodes[slot].id);
        let Some(Machine::Host(host)) = &mut self.nodes[slot].machine else { return Ok(()) };
        for effect in host.handle(now, event) {
            match effect {
                host::Effect::Publish(request) => self.send(slot, BROKER, Body::Publish(request)),
                host::Effect::Send(to, message) => {
                    if let Message::Home(ToHome::Seated { id, ticket }) = message {
                        self.ledger.seated(id, ticket);
                        self.counts.backfilled += u64::from(self.fills.contains_key(&id));
                    }
                    self.send(slot, to, Body::Message(message));
                }
                host::Effect::Open { .. } => {}
                host::Effect::Admit { room, claim, .. } => self.crowd.answer(now, claim, Some(room)),
                host::Effect::Refuse(claim) => self.crowd.answer(now, claim, None),
                host::Effect::Start(room) => self.start_game(slot, room)?,
                host::Effect::End(room) => {
                    self.counts.ended_below_minimum += u64::from(self.crowd.closed(now, id, room, false));
                }
            }
        }
        Ok(())
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
                        if let Place::Running { room, .. } = place {
                            self.fills.insert(*id, *room);
                        }
                        for ticket in teams.iter().flatten() {
                            self.ledger.proposed(ticket, self.now)?;
                        }
                    }
                    self.send(slot, to, Body::Message(message));
                }
            }
        }
        Ok(())
    }
}
