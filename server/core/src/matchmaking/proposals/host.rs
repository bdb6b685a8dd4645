//! The host: it keeps seats for the players of a match, lets them in, and decides whether there is a match.
//!
//! It knows who may sit where and no more: others open, run and close the rooms, as its effects say. A room is
//! *filling* until all players have come or their reservations run out. With the mode's minimum of players it then
//! *runs*, and its free seats are offered; with fewer it ends, and all who came are sent back to wait.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use uuid::Uuid;

use super::{
    Claim, MESSAGE, Message, REMEMBERED, RESERVED, Request, Reservation, Reserve, STATE_EVERY, ToHome, ToHost,
    ToMatchmaker,
};
use crate::matchmaking::{
    InstanceId, MatchId, SessionId, TicketId,
    mode::Mode,
    pool::{Offer, Venue},
};

mod room;
#[cfg(test)]
mod tests;

use room::{Absent, Decision, Room, Verdict};

/// The seats of one instance.
#[derive(Debug)]
pub struct Host {
    id: InstanceId,
    region: String,
    modes: BTreeMap<String, Mode>,
    /// Most seats of all rooms together.
    limit: usize,
    draining: bool,
    rooms: BTreeMap<MatchId, Room>,
    /// The seats of all rooms, free ones included.
    seats: usize,
    /// The time when something is decided about a room, whatever happens until then.
    due: BTreeSet<(Duration, MatchId)>,
    /// The room of each match, and of each proposal to fill seats of a room.
    places: BTreeMap<MatchId, MatchId>,
    /// The matches of each room.
    matches: BTreeSet<(MatchId, MatchId)>,
    /// What became of each match that is over, until it can be forgotten.
    over: BTreeMap<MatchId, Past>,
    /// The matches that are over, by when they can be forgotten.
    forget: BTreeSet<(Duration, MatchId)>,
    reservations: u64,
    number: u64,
    stated: Duration,
    /// Whether the last statement named any seats: then one that names none must follow.
    named: bool,
}

/// What became of a match that is over.
#[derive(Debug)]
struct Past {
    /// The tickets that were in it.
    seated: BTreeSet<TicketId>,
    /// The players who were not there when it was decided.
    absent: Vec<Absent>,
}

/// An event for a host.
#[derive(Clone, Debug)]
pub enum Event {
    /// A player claims a seat.
    Claim(Claim),
    /// A player's seat is free again: the connection is closed and will not be resumed.
    Left {
        /// The room.
        room: MatchId,
        /// The player.
        player: SessionId,
    },
    /// A player who was let in could not be brought into the room, and may claim the seat again.
    TurnedAway {
        /// The room.
        room: MatchId,
        /// The player.
        player: SessionId,
    },
    /// The process stood still for so long: players who are on their way could not come.
    StoodStill(Duration),
    /// The game is over, or the room has failed.
    Ended(MatchId),
    /// A message came.
    Message {
        /// The time since it was sent.
        age: Duration,
        /// The message.
        message: ToHost,
    },
    /// No more seats are given.
    Drain,
    /// Time has passed. Due at least four times a second.
    Tick,
}

/// An action that a host asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send to the present matchmaker.
    Publish(Request),
    /// Send to an instance.
    Send(InstanceId, Message),
    /// Open a room of this mode, for players who are on their way.
    Open {
        /// The room.
        room: MatchId,
        /// The name of the mode.
        mode: String,
    },
    /// Let a player take a seat. Repeated for a repeated claim.
    Admit {
        /// The room.
        room: MatchId,
        /// The player's team.
        team: usize,
        /// The player's claim.
        claim: Claim,
    },
    /// Refuse a player's claim.
    Refuse(Claim),
    /// Start the match.
    Start(MatchId),
    /// Close the room because too few have come. Those who are in it go back to wait.
    End(MatchId),
}

impl Host {
    /// A host without rooms in this region, with at most this many seats.
    pub fn new(id: InstanceId, region: &str, modes: Vec<Mode>, seats: usize) -> Self {
        Self {
            id,
            region: region.to_owned(),
            modes: modes.into_iter().map(|mode| (mode.name.clone(), mode)).collect(),
            limit: seats,
            draining: false,
            rooms: BTreeMap::new(),
            seats: 0,
            due: BTreeSet::new(),
            places: BTreeMap::new(),
            matches: BTreeSet::new(),
            over: BTreeMap::new(),
            forget: BTreeSet::new(),
            reservations: 0,
            number: 0,
            stated: Duration::ZERO,
            named: false,
        }
    }

    /// Numbers its statements and reservations from here on, above all those of an earlier instance with the same name.
    #[must_use]
    pub fn numbered_from(self, number: u64) -> Self {
        Self { number, reservations: number, ..self }
    }

    /// Its region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The number of seats in its rooms, free ones included.
    pub fn seats(&self) -> usize {
        self.seats
    }

    /// Room, team, ticket and player of all who have claimed a seat and not left.
    pub fn seated(&self) -> impl Iterator<Item = (MatchId, usize, TicketId, SessionId)> {
        self.rooms
            .iter()
            .flat_map(|(room, state)| state.seated().map(|(team, ticket, player)| (*room, team, ticket, player)))
    }

    /// Handles an event at this time by the host's clock, which never goes back.
    pub fn handle(&mut self, now: Duration, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Event::StoodStill(time) = event {
            self.wait_longer(time);
        }
        self.run_out(now, &mut effects);
        match event {
            Event::Claim(claim) => self.claim(now, claim, &mut effects),
            Event::Left { room, player } => self.change(now, Some(room), |room| room.leave(player), &mut effects),
            Event::TurnedAway { room, player } => {
                self.change(now, Some(room), |room| room.turn_away(player), &mut effects);
            }
            Event::StoodStill(_) => {}
            Event::Ended(room) => self.close(now, room, &mut effects),
            Event::Message { age, message } if age <= MESSAGE => self.take(now, message, &mut effects),
            Event::Message { .. } => {}
            Event::Drain => self.draining = true,
            Event::Tick if self.stated + STATE_EVERY <= now => self.offer(now, &mut effects),
            Event::Tick => {}
        }
        effects
    }

    /// Decides what is due, whatever event comes next, and forgets what is over.
    fn run_out(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let due: Vec<_> = self.due.iter().take_while(|(due, _)| *due <= now).map(|(_, room)| *room).collect();
        for room in due {
            self.decide(now, room, effects);
        }
        while let Some((_, id)) = self.forget.first().copied().filter(|(until, _)| *until <= now) {
            self.forget.pop_first();
            self.over.remove(&id);
        }
    }

    fn wait_longer(&mut self, time: Duration) {
        self.due.clear();
        for (id, room) in &mut self.rooms {
            room.wait_longer(time);
            self.due.extend(room.set_due().map(|due| (due, *id)));
        }
    }

    /// Changes a room, if it is there, and makes the decisions that are possible now.
    fn change(&mut self, now: Duration, room: Option<MatchId>, how: impl FnOnce(&mut Room), effects: &mut Vec<Effect>) {
        if let Some((id, room)) = room.and_then(|id| Some((id, self.rooms.get_mut(&id)?))) {
            how(room);
            self.decide(now, id, effects);
        }
    }

    fn take(&mut self, now: Duration, message: ToHost, effects: &mut Vec<Effect>) {
        let place = |id| self.places.get(&id).copied();
        match message {
            ToHost::Reserve(asked) => {
                let (id, matchmaker) = (asked.id, asked.matchmaker);
                let answer = match self.reserve(now, asked, effects) {
                    Some(reservation) => ToMatchmaker::Reserved { id, reservation },
                    None => ToMatchmaker::Refused { id },
                };
                effects.push(Effect::Send(matchmaker, Message::Matchmaker(answer)));
            }
            ToHost::Release { id } => self.change(now, place(id), |room| room.drop_absent(now, id, None), effects),
            ToHost::Decline { id, ticket } => {
                self.change(now, place(id), |room| room.drop_absent(now, id, Some(ticket)), effects);
            }
            ToHost::CutOff { id, ticket, player } => {
                self.change(now, place(id), |room| room.cut_off(now, id, ticket, player), effects);
            }
            ToHost::Ask { id, ticket, home } => effects.extend(self.answer(now, id, ticket, home)),
        }
    }

    /// Keeps seats. A repeated request gets the same answer; one that comes after the match was over is refused.
    fn reserve(&mut self, now: Duration, asked: Reserve, effects: &mut Vec<Effect>) -> Option<Reservation> {
        let Reserve { id, mode, place, teams, .. } = asked;
        if let Some(room) = self.places.get(&id) {
            return self.rooms.get(room).and_then(|room| room.reservation(id));
        }
        if self.draining || self.over.contains_key(&id) {
            return None;
        }
        let reservation = Reservation(self.reservations + 1);
        let room = match place {
            Venue::New => {
                let mode = self.modes.get(&mode)?;
                if self.seats + mode.seats() > self.limit {
                    return None;
                }
                let mut room = Room::new(mode.clone());
                room.reserve(id, reservation, now + RESERVED, teams)?;
                self.seats += room.seats();
                self.rooms.insert(id, room);
                effects.push(Effect::Open { room: id, mode: mode.name.clone() });
                id
            }
            Venue::Running { room, host, .. } => {
                let state = self.rooms.get_mut(&room).filter(|state| host == self.id && state.takes_newcomers())?;
                state.reserve(id, reservation, now + RESERVED, teams)?;
                room
            }
        };
        self.reservations += 1;
        self.places.insert(id, room);
        self.matches.insert((room, id));
        self.set_due(room);
        Some(reservation)
    }

    /// Tells what became of a ticket; nothing while that is open.
    fn answer(&self, now: Duration, id: MatchId, ticket: TicketId, home: InstanceId) -> Option<Effect> {
        let room = self.places.get(&id).and_then(|room| self.rooms.get(room));
        let verdict = match (room, self.over.get(&id)) {
            (Some(room), _) => room.outcome(now, id, ticket)?,
            (None, Some(past)) if past.seated.contains(&ticket) => Verdict::Seated,
            (None, past) => Verdict::returned(now, ticket, past.map_or(&[], |past| &past.absent)),
        };
        Some(tell(home, id, ticket, verdict))
    }

    fn claim(&mut self, now: Duration, claim: Claim, effects: &mut Vec<Effect>) {
        let place = self.places.get(&claim.id).copied();
        let admitted = place.and_then(|room| Some((room, self.rooms.get_mut(&room)?.claim(now, &claim)?)));
        effects.push(match admitted {
            Some((room, team)) => Effect::Admit { room, team, claim },
            None => Effect::Refuse(claim),
        });
        self.change(now, place, |_| {}, effects);
    }

    /// Makes the decisions about a room that are possible now, and tells the homes.
    fn decide(&mut self, now: Duration, room: MatchId, effects: &mut Vec<Effect>) {
        let Some(state) = self.rooms.get_mut(&room) else { return };
        let decision = state.decide(now);
        if decision == Decision::Start {
            effects.push(Effect::Start(room));
        }
        effects.extend(state.told().map(|(home, id, ticket, verdict)| tell(home, id, ticket, verdict)));
        if decision == Decision::End {
            effects.push(Effect::End(room));
            return self.close(now, room, effects);
        }
        self.set_due(room);
    }

    fn set_due(&mut self, room: MatchId) {
        if let Some(state) = self.rooms.get_mut(&room) {
            self.due.remove(&(state.due(), room));
            self.due.extend(state.set_due().map(|due| (due, room)));
        }
    }

    /// Closes a room. Tickets that were seated stay known for a while; all others are sent back.
    fn close(&mut self, now: Duration, room: MatchId, effects: &mut Vec<Effect>) {
        let Some(mut state) = self.rooms.remove(&room) else { return };
        self.due.remove(&(state.due(), room));
        self.seats -= state.seats();
        state.end(now);
        effects.extend(state.told().map(|(home, id, ticket, verdict)| tell(home, id, ticket, verdict)));
        let first = (room, MatchId(Uuid::nil()));
        let closed: Vec<_> = self.matches.range(first..).take_while(|(place, _)| *place == room).copied().collect();
        for (place, id) in closed {
            self.matches.remove(&(place, id));
            self.places.remove(&id);
            self.over.insert(id, Past { seated: state.seated_by(id), absent: state.absent_of(id) });
            self.forget.insert((now + REMEMBERED, id));
        }
    }

    fn offer(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        self.stated = now;
        let rooms = self.rooms.iter_mut().filter(|_| !self.draining);
        let vacancies: Vec<_> = rooms.flat_map(|(id, room)| room.vacancies(now, *id, self.id, &self.region)).collect();
        if vacancies.is_empty() && !self.named {
            return;
        }
        self.named = !vacancies.is_empty();
        self.number += 1;
        effects.push(Effect::Publish(Request::Offer(Offer { host: self.id, number: self.number, vacancies })));
    }
}

fn tell(home: InstanceId, id: MatchId, ticket: TicketId, verdict: Verdict) -> Effect {
    let message = match verdict {
        Verdict::Seated => ToHome::Seated { id, ticket },
        Verdict::Returned { absent, late, ago } => ToHome::Returned { id, ticket, absent, late, ago },
    };
    Effect::Send(home, Message::Home(message))
}
