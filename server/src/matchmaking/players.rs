//! The players of a service: parties that gather, the players of each ticket, and the state of their searches.
//!
//! A ticket stands for its players' connections: when one ends, the search ends for all, until the players are sent to
//! a match. From then on the host decides who is in, and only if the match fails does it matter who is still connected.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tiltyard_core::matchmaking::{PlayerKey, SessionId, TicketId, ticket::Member};
use tiltyard_shared::protocol::{
    Code, limits,
    search::{Party, Search, SearchState},
};
use tokio::sync::watch;

/// A new search.
#[derive(Debug)]
pub(super) struct Wanted {
    /// What is searched for.
    pub(super) search: Search,
    /// The player's session.
    pub(super) session: SessionId,
    /// The player's key.
    pub(super) key: PlayerKey,
    /// Receives the states of the search.
    pub(super) states: watch::Sender<SearchState>,
    /// The round trip to the player.
    pub(super) round_trip: Option<Duration>,
}

/// All players who search with this service.
#[derive(Debug, Default)]
pub(super) struct Players {
    gatherings: BTreeMap<Meeting, Gathering>,
    tickets: BTreeMap<TicketId, Group>,
    stages: BTreeMap<SessionId, Stage>,
}

/// The stage of a player's search: its party gathers, or has a ticket.
#[derive(Clone, Debug)]
enum Stage {
    Gathering(Meeting),
    Ticket(TicketId),
}

/// What the players of a party agree on: the mode and the party.
type Meeting = (String, Party);

#[derive(Debug)]
struct Gathering {
    until: Duration,
    here: Vec<Player>,
}

#[derive(Debug)]
struct Player {
    session: SessionId,
    key: PlayerKey,
    rating: i32,
    round_trip: Option<Duration>,
    states: watch::Sender<SearchState>,
}

#[derive(Debug)]
struct Group {
    players: Vec<Player>,
    /// Players whose connection is gone.
    gone: BTreeSet<SessionId>,
    /// Players who are back from the match to which they were sent.
    back: BTreeSet<SessionId>,
    /// How long they had waited when they were sent to a match.
    waited: Duration,
}

/// A party that is complete.
#[derive(Debug)]
pub(super) struct Complete {
    /// Its mode.
    pub(super) mode: String,
    /// The players.
    pub(super) party: Vec<Member>,
    /// The longest known round trip to any of them.
    pub(super) round_trip: Duration,
}

impl Players {
    /// Adds a search. If it completes a party, the party gets this ticket.
    pub(super) fn come(&mut self, now: Duration, ticket: TicketId, wanted: Wanted) -> Option<Complete> {
        let Wanted { search, session, key, states, round_trip } = wanted;
        let player = Player { session, key, rating: search.rating, round_trip, states };
        let Some(party) = search.party.filter(|party| party.size > 1) else {
            return Some(self.enter(ticket, search.mode, vec![player]));
        };
        let meeting = (search.mode, party);
        let until = now + limits::GATHERING;
        let fresh = || Gathering { until, here: Vec::new() };
        let gathering = self.gatherings.entry(meeting.clone()).or_insert_with(fresh);
        gathering.here.push(player);
        self.stages.insert(session, Stage::Gathering(meeting.clone()));
        let size = meeting.1.size;
        if gathering.here.len() < usize::from(size) {
            gathering.tell(size);
            return None;
        }
        let Gathering { here, .. } = self.gatherings.remove(&meeting).expect("it is there");
        Some(self.enter(ticket, meeting.0, here))
    }

    fn enter(&mut self, ticket: TicketId, mode: String, players: Vec<Player>) -> Complete {
        let member = |&Player { session, key, rating, .. }: &Player| Member { player: session, key, rating };
        let party = players.iter().map(member).collect();
        let round_trip = players.iter().filter_map(|player| player.round_trip).max().unwrap_or_default();
        self.stages.extend(players.iter().map(|player| (player.session, Stage::Ticket(ticket))));
        self.tickets
            .insert(ticket, Group { players, gone: BTreeSet::new(), back: BTreeSet::new(), waited: Duration::ZERO });
        Complete { mode, party, round_trip }
    }

    /// Removes a player whose connection is gone. Returns the player's ticket, if there is one.
    pub(super) fn leave(&mut self, session: SessionId) -> Option<TicketId> {
        match self.stages.remove(&session)? {
            Stage::Gathering(meeting) => {
                let gathering = self.gatherings.get_mut(&meeting)?;
                gathering.here.retain(|player| player.session != session);
                gathering.tell(meeting.1.size);
                if gathering.here.is_empty() {
                    self.gatherings.remove(&meeting);
                }
                None
            }
            Stage::Ticket(ticket) => {
                self.tickets.get_mut(&ticket)?.gone.insert(session);
                Some(ticket)
            }
        }
    }

    /// Notes that a player has given up entering a match. Returns the ticket once all of its connected players have.
    pub(super) fn give_up(&mut self, session: SessionId) -> Option<TicketId> {
        let Some(Stage::Ticket(ticket)) = self.stages.get(&session) else { return None };
        let group = self.tickets.get_mut(ticket)?;
        group.back.insert(session);
        let is_back = |player: &Player| group.back.contains(&player.session) || group.gone.contains(&player.session);
        group.players.iter().all(is_back).then_some(*ticket)
    }

    /// Lets the players of a ticket search on. Returns false if one of them is gone.
    pub(super) fn search_on(&mut self, ticket: TicketId, waited: Duration) -> bool {
        let Some(group) = self.tickets.get_mut(&ticket) else { return false };
        group.back.clear();
        let waited_ms = u32::try_from(waited.as_millis()).unwrap_or(u32::MAX);
        group.tell(|_| SearchState::Searching { waited_ms });
        group.gone.is_empty()
    }

    /// Sends the players of a ticket to a match, after they have waited so long.
    pub(super) fn go(&mut self, ticket: TicketId, waited: Duration, state: impl Fn(SessionId) -> SearchState) {
        if let Some(group) = self.tickets.get_mut(&ticket) {
            group.waited = waited;
            group.tell(state);
        }
    }

    /// Tells the players of a ticket the state of their search.
    pub(super) fn tell(&self, ticket: TicketId, state: impl Fn(SessionId) -> SearchState) {
        if let Some(group) = self.tickets.get(&ticket) {
            group.tell(state);
        }
    }

    /// Ends the search of a ticket. Returns how long its players had waited when they were sent to a match; zero if
    /// they were not.
    pub(super) fn end(&mut self, ticket: TicketId, state: &SearchState) -> Duration {
        let Some(group) = self.tickets.remove(&ticket) else { return Duration::ZERO };
        group.tell(|_| state.clone());
        for player in &group.players {
            self.stages.remove(&player.session);
        }
        group.waited
    }

    /// Ends the searches of parties that have not gathered in time.
    pub(super) fn expire(&mut self, now: Duration) {
        for (_, gathering) in self.gatherings.extract_if(.., |_, gathering| gathering.until <= now) {
            for player in gathering.here {
                self.stages.remove(&player.session);
                player.states.send_replace(SearchState::ended(Code::BadParty));
            }
        }
    }
}

impl Gathering {
    fn tell(&self, size: u8) {
        let here = u8::try_from(self.here.len()).unwrap_or(size);
        for player in &self.here {
            player.states.send_replace(SearchState::Gathering { here, size });
        }
    }
}

impl Group {
    fn tell(&self, state: impl Fn(SessionId) -> SearchState) {
        for player in &self.players {
            player.states.send_replace(state(player.session));
        }
    }
}

#[cfg(test)]
mod tests {
    use tiltyard_shared::protocol::search::Search;
    use uuid::Uuid;

    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    fn session(number: u128) -> SessionId {
        SessionId(Uuid::from_u128(number))
    }

    fn wanted(number: u128, size: u8) -> (Wanted, watch::Receiver<SearchState>) {
        let party = Some(Party { code: "k7".to_owned(), size });
        let search = Search { game: "arena".to_owned(), mode: "teams".to_owned(), rating: 10, party };
        let (states, told) = watch::channel(SearchState::Agreed);
        let round_trip = Some(Duration::from_millis(number as u64));
        let (session, key) = (session(number), PlayerKey(Uuid::from_u128(number)));
        (Wanted { search, session, key, states, round_trip }, told)
    }

    #[test]
    fn a_party_searches_when_all_have_come_and_with_the_longest_way() {
        let mut players = Players::default();
        let id = TicketId(Uuid::from_u128(9));
        let (ann, told) = wanted(1, 2);
        assert!(players.come(NOW, id, ann).is_none());
        assert_eq!(*told.borrow(), SearchState::Gathering { here: 1, size: 2 });
        let complete = players.come(NOW, id, wanted(30, 2).0).expect("both are there");
        assert_eq!((complete.party.len(), complete.round_trip), (2, Duration::from_millis(30)));
        assert!(players.search_on(id, Duration::from_millis(70)));
        assert_eq!(*told.borrow(), SearchState::Searching { waited_ms: 70 });
    }

    #[test]
    fn a_party_that_does_not_come_together_ends() {
        let mut players = Players::default();
        let id = TicketId(Uuid::from_u128(9));
        let ((ann, told), (bob, _)) = (wanted(1, 3), wanted(2, 3));
        assert!(players.come(NOW, id, ann).is_none());
        assert!(players.come(NOW, id, bob).is_none());
        assert_eq!(players.leave(session(2)), None);
        assert_eq!(*told.borrow(), SearchState::Gathering { here: 1, size: 3 });
        players.expire(NOW + limits::GATHERING);
        assert_eq!(*told.borrow(), SearchState::ended(Code::BadParty));
        assert_eq!(players.leave(session(1)), None);
    }

    #[test]
    fn a_ticket_is_back_when_all_who_are_there_are_and_goes_on_only_with_all() {
        let mut players = Players::default();
        let id = TicketId(Uuid::from_u128(9));
        let parties: Vec<_> = (1..=3).map(|number| players.come(NOW, id, wanted(number, 3).0)).collect();
        assert!(parties[2].is_some());
        assert_eq!(players.give_up(session(1)), None);
        assert_eq!(players.leave(session(2)), Some(id));
        assert_eq!(players.give_up(session(3)), Some(id));
        assert!(!players.search_on(id, NOW), "one is gone");
    }
}
