//! Matchmaking on this instance: a service for each game that has modes, where players search and matched players claim
//! their seats.
//!
//! The decisions, and the handling of lost, duplicate and late messages, are in [`tiltyard_core::matchmaking`]. A
//! [`service`] is the task that keeps its three machines and carries out their effects: requests and commands over the
//! bus, rooms, and messages to [`players`]. [`requests`] splits requests into pages, [`pass`] is what a matched player
//! shows at the door, [`publisher`] sends messages, [`distances`] measures the way to the regions. An instance that is
//! alone does the same over the bus inside its process.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tiltyard_core::{
    directory::messages::Heartbeat,
    instance::InstanceId,
    matchmaking::{
        MatchId, PlayerKey, SessionId,
        mode::Mode,
        proposals::{matchmaker::HostLoad, outbox::Said},
    },
};
use tiltyard_shared::{
    protocol::{
        Code,
        search::{Search, SearchState},
    },
    schema::Schema,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};
use uuid::Uuid;

use crate::{
    fleet::{Instance, socket_url},
    games::ModeTable,
    room::{
        door::Arrival,
        matched::{Guard, MatchSeat},
    },
    rooms::{Rooms, Way},
};

mod players;
mod requests;
mod publisher;
mod pass;
mod distances;
mod service;

use distances::Distances;
use pass::MatchPass;
use players::Wanted;
use service::{Event, News, Service};

/// The queue of a service. Every player of the game who searches or has a seat in a match reserves a place in it for
/// the news of the end. When it is full, searches and claims are refused.
const SERVICE_QUEUE: usize = 128 * 1024;

/// The time a service has to answer a claim.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(3);

/// The services of an instance. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Matchmaking {
    services: Arc<BTreeMap<&'static str, Handle>>,
    parts: Parts,
}

/// The outside view of a service.
#[derive(Debug)]
struct Handle {
    events: mpsc::Sender<Event>,
    modes: BTreeMap<String, Mode>,
}

/// The parts of the server that services use.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// This instance.
    pub(crate) here: Instance,
    /// The rooms where matches are played.
    pub(crate) rooms: Arc<Rooms>,
    /// The maximum number of players of this instance.
    pub(crate) seats: usize,
    /// The modes that are played here.
    pub(crate) modes: ModeTable,
}

impl Matchmaking {
    /// Starts a service for each game that has modes. Needs a tokio runtime, on which the services run until the server
    /// stops.
    pub(crate) fn start(parts: Parts) -> Self {
        let distances = Distances::default();
        tokio::spawn(distances.clone().measure(parts.here.clone()));
        let services = parts.modes.iter().map(|(game, modes)| {
            let (game, modes) = (*game, modes.clone());
            let (events, inbox) = mpsc::channel(SERVICE_QUEUE);
            let by_name = modes.iter().map(|(mode, _)| (mode.name.clone(), mode.clone())).collect();
            let service = Service::new(game, modes, &parts, events.clone()).measured_by(distances.clone());
            tokio::spawn(service.run(inbox));
            (game, Handle { events, modes: by_name })
        });
        Self { services: Arc::new(services.collect()), parts }
    }

    /// The URL where the party of this search meets, if that is not here: at the instance whose name, hashed with the
    /// party's code, has the highest score. So all members find the same instance without asking, and when an instance
    /// comes or goes, only its own parties move.
    pub(crate) fn elsewhere(&self, search: &Search) -> Option<String> {
        let Search { game, mode, party, .. } = search;
        let Some(party) = party.as_ref().filter(|party| party.size > 1) else {
            return self.away_from_here();
        };
        let score = |instance: InstanceId| {
            let words = format!("{game}/{mode}/{}/{}/{instance}", party.code, party.size);
            (Schema::hash(&words), instance)
        };
        let (own, draining) = (self.parts.here.id(), self.parts.here.is_draining());
        let fleet = self.parts.here.fleet();
        let best = fleet.peers().filter(|peer| !peer.draining).max_by_key(|peer| score(peer.instance))?;
        (draining || score(best.instance) > score(own)).then(|| socket_url(&best.url))
    }

    /// The URL where a player without a party searches while this instance drains: the instance with the fewest
    /// players. A balancer that does not know of the drain would send the player here again and again.
    fn away_from_here(&self) -> Option<String> {
        if !self.parts.here.is_draining() {
            return None;
        }
        let fleet = self.parts.here.fleet();
        let others = fleet.peers().filter(|peer| !peer.draining);
        others.min_by_key(|peer| peer.players).map(|peer| socket_url(&peer.url))
    }

    /// Starts a search that lasts until the returned value is dropped. `client_key` is what the client shows, all zero if
    /// nothing; `round_trip` is the round trip to the player.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownMode`], [`Code::BadParty`] and the other errors of [`Search::check`], [`Code::Stopping`] while
    /// this instance drains, [`Code::ServerFull`].
    pub(crate) fn search(
        &self,
        search: Search,
        client_key: [u8; 16],
        round_trip: Option<Duration>,
    ) -> Result<Searching, Code> {
        search.check()?;
        if self.parts.here.is_draining() {
            return Err(Code::Stopping);
        }
        let service = self.services.get(&*search.game).ok_or(Code::UnknownMode)?;
        let mode = service.modes.get(&search.mode).ok_or(Code::UnknownMode)?;
        if search.party.as_ref().is_some_and(|party| usize::from(party.size) > mode.team_size) {
            return Err(Code::BadParty);
        }
        let session = SessionId(Uuid::new_v4());
        let guard = Guard::reserve(&service.events, Event::News(News::Gone(session))).ok_or(Code::ServerFull)?;
        let (states, told) = watch::channel(SearchState::Searching { waited_ms: 0 });
        let key = PlayerKey(if client_key == [0; 16] { session.0 } else { Uuid::from_bytes(client_key) });
        let wanted = Box::new(Wanted { search, session, key, states, round_trip });
        service.events.try_send(Event::Search(wanted)).map_err(|_| Code::ServerFull)?;
        Ok(Searching { told, session, events: service.events.clone(), _guard: guard })
    }

    /// Whether nobody searches here or has a seat in a match.
    pub(crate) fn is_empty(&self) -> bool {
        self.services.values().all(|service| service.events.capacity() == service.events.max_capacity())
    }

    /// Claims the seat that a pass of a match is for; `None` if it is no such pass.
    ///
    /// # Errors
    ///
    /// [`Code::BadPass`] if its seat is not available any more, [`Code::RoomClosed`], [`Code::ServerFull`].
    pub(crate) async fn claim(&self, pass: &[u8]) -> Option<Result<Way, Code>> {
        let MatchPass { game, claim } = MatchPass::decode(pass)?;
        let service = self.services.get(&*game)?;
        let (reply, answer) = oneshot::channel();
        if service.events.try_send(Event::Claim(claim, reply)).is_err() {
            return Some(Err(Code::ServerFull));
        }
        let admitted = timeout(CLAIM_TIMEOUT, answer).await.ok().and_then(Result::ok).unwrap_or(Err(Code::ServerFull));
        Some(admitted.map(|Admitted { arrival, seat }| Way { arrival, reservation: None, seat: Some(seat) }))
    }

    /// Hands messages of another instance, sent at `sent_ms`, to the service of a game. Returns false if they were not
    /// taken; the sender may then send them again.
    pub(crate) fn take(&self, game: &str, sent_ms: u64, said: Vec<Said>) -> bool {
        let Some(service) = self.services.get(game) else { return false };
        service.events.try_send(Event::Said { sent_ms, said }).is_ok()
    }
}

/// A player's search. Dropping it ends the search, unless the match has begun.
#[derive(Debug)]
pub(crate) struct Searching {
    told: watch::Receiver<SearchState>,
    session: SessionId,
    events: mpsc::Sender<Event>,
    _guard: Guard,
}

impl Searching {
    /// Waits until the state changes. Cancel safe.
    pub(crate) async fn changed(&mut self) {
        if self.told.changed().await.is_err() {
            std::future::pending::<()>().await; // it was over, or the server stops
        }
    }

    /// Returns the state and marks it as seen.
    pub(crate) fn state(&mut self) -> SearchState {
        self.told.borrow_and_update().clone()
    }

    /// Ends the search, also if a match is about to begin. Returns false if the service cannot be told now.
    pub(crate) fn cancel(&self) -> bool {
        self.events.try_send(Event::Cancel(self.session)).is_ok()
    }

    /// Reports that the seat in a match could not be taken. Returns false if the service cannot be told now.
    pub(crate) fn again(&self, id: Uuid) -> bool {
        self.events.try_send(Event::Back { session: self.session, id: MatchId(id) }).is_ok()
    }
}

/// A granted claim.
#[derive(Debug)]
struct Admitted {
    arrival: Arrival,
    seat: MatchSeat,
}

/// The time since 1970, by which instances tell each other the age of a message.
fn unix() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl Parts {
    /// The instances with their load, for opening rooms. One that is draining has no capacity.
    fn hosts(&self) -> Vec<HostLoad> {
        let capacity = if self.here.is_draining() { 0 } else { self.seats };
        let (host, region) = (self.here.id(), self.here.region().to_owned());
        let own = HostLoad { host, region, seats: self.rooms.players() as usize, capacity };
        let other = |peer: &Heartbeat| HostLoad {
            host: peer.instance,
            region: peer.region.clone(),
            seats: peer.players as usize,
            capacity: if peer.draining { 0 } else { peer.capacity as usize },
        };
        self.here.fleet().peers().map(other).chain([own]).collect()
    }

    /// The URL where the players of an instance connect: empty for this one unless it has a public URL, `None` for an
    /// unknown instance.
    fn url(&self, instance: InstanceId) -> Option<String> {
        if instance == self.here.id() {
            return Some(self.here.public_url().map(socket_url).unwrap_or_default());
        }
        self.here.fleet().find(instance).map(|home| socket_url(&home.url))
    }
}
