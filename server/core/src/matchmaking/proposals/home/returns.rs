//! What becomes of tickets whose players come back from a match that did not take place.

use std::time::Duration;

use super::{Effect, Home, State, Told};
use crate::matchmaking::{
    MatchId, PlayerKey, TicketId,
    no_shows::NoShow,
    proposals::{COME_WITHIN, Message, Request, ToHost, home::Over},
    ticket::Refused,
};

/// Time after which players who are back are proposed again, though their host has not answered.
const VERDICT: Duration = Duration::from_secs(1);

impl Home {
    /// The players of a ticket have no seat in the match that they went to. If one of them was late when that was decided,
    /// and had had the time to come, the search is over, and the penalty begins; else it goes on, and avoids whoever did
    /// not come.
    pub(super) fn returned(
        &mut self,
        now: Duration,
        late: Option<Duration>,
        (id, ticket): (MatchId, TicketId),
        absent: &[PlayerKey],
        effects: &mut Vec<Effect>,
    ) {
        let Some(held) = self.tickets.get_mut(&ticket).filter(|held| held.went_to == Some(id)) else { return };
        if held.state.going() != Some(id) {
            // The players have said before the host that it came to nothing.
            held.avoid(absent);
            if held.unstated.is_some() {
                self.state_again(now, ticket, effects);
            }
            return;
        }
        let had_time = late.is_some_and(|decided| held.told_to_go + COME_WITHIN <= decided);
        let late: Vec<_> = held.ticket.keys().filter(|key| had_time && absent.contains(key)).collect();
        if late.is_empty() || held.cut_off {
            held.avoid(absent);
            return self.reopen(now, id, ticket, effects);
        }
        let no_shows: Vec<_> = late.into_iter().map(|key| NoShow { key, id, ago: Duration::ZERO }).collect();
        no_shows.iter().for_each(|no_show| self.no_shows.note(now, *no_show));
        let rest = no_shows.iter().filter_map(|no_show| self.no_shows.penalty(now, no_show.key)).max();
        self.close(ticket, Over::Refused(Refused::NoShow(rest.unwrap_or_default())), effects);
        effects.push(Effect::Publish(Request::NoShows(no_shows)));
    }

    /// The players say that they cannot take their seats, so that nobody waits for them. They wait again at once, and are
    /// proposed again when the host has said whom they avoid.
    pub(super) fn back(&mut self, now: Duration, id: MatchId, ticket: TicketId, effects: &mut Vec<Effect>) {
        if let Some(State::Going { id: going, host, .. }) = self.tickets.get(&ticket).map(|held| held.state)
            && going == id
        {
            effects.push(Effect::Send(host, Message::Host(ToHost::Decline { id, ticket })));
            effects.push(Effect::Send(host, Message::Host(ToHost::Ask { id, ticket, home: self.id })));
            self.set(ticket, State::Open);
            let held = self.tickets.get_mut(&ticket).expect("it was going");
            if held.cut_off {
                return self.cancel(ticket, effects);
            }
            if let Some(before) = held.unstated.replace(now + VERDICT) {
                self.asks.remove(&(before, ticket));
            }
            self.asks.insert((now + VERDICT, ticket));
            effects.push(Effect::Tell(ticket, Told::Searching { waited: held.waited(now) }));
        }
    }

    /// The players have no place in the match that they went to: if all of them are there, the ticket waits again, with
    /// all its waiting time.
    fn reopen(&mut self, now: Duration, id: MatchId, ticket: TicketId, effects: &mut Vec<Effect>) {
        if self.going(ticket) != Some(id) {
            return;
        }
        self.set(ticket, State::Open);
        let held = &self.tickets[&ticket];
        if held.cut_off {
            return self.cancel(ticket, effects);
        }
        effects.push(Effect::Tell(ticket, Told::Searching { waited: held.waited(now) }));
        self.state_again(now, ticket, effects);
    }

    /// States a ticket that is open.
    pub(super) fn state_again(&mut self, now: Duration, ticket: TicketId, effects: &mut Vec<Effect>) {
        let held = self.tickets.get_mut(&ticket).expect("a ticket that is held");
        if let Some(at) = held.unstated.take() {
            self.asks.remove(&(at, ticket));
        }
        if held.state == State::Open {
            self.number += 1;
            let (number, ticket) = (self.number, held.stated(now));
            effects.push(Effect::Publish(Request::Submit { number, ticket }));
            self.named = true;
        }
    }
}
