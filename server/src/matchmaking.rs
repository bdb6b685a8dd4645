//! Matchmaking in this instance: a service for each game that has modes, with which players search and matched players
//! claim their seats.
//!
//! What is decided, and how messages may be lost, doubled and late, is [`tiltyard_core::matchmaking`]'s. A [`service`]
//! is the task that keeps its three machines and carries out what they want: requests and commands over the bus, rooms,
//! and what [`players`] are told. [`requests`] are its requests in pages, [`pass`] what a matched player shows at the
//! door, [`publisher`] how messages leave, [`distances`] how far the regions are. Alone, an instance does the same over
//! the bus inside its process.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tiltyard_core::{
    directory::messages::Heartbeat,
    instance::InstanceId,
    matchmaking::{
        MatchId, SessionId,
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

/// Players who search and matched players in their seats, of one game: each has a place in the service's queue for the
/// news of its end. When it is full, searches and claims are refused.
const SERVICE_QUEUE: usize = 128 * 1024;

/// A service has so long to answer a claim.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(3);

/// The services of an instance. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Matchmaking {
    services: Arc<BTreeMap<&'static str, Handle>>,
    parts: Parts,
}

/// What is known of a service outside of it.
#[derive(Debug)]
struct Handle {
    events: mpsc::Sender<Event>,
    modes: BTreeMap<String, Mode>,
}

/// What services need from the server.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// This instance.
    pub(crate) here: Instance,
    /// Where matches are played.
    pub(crate) rooms: Arc<Rooms>,
    /// Most players of this instance.
    pub(crate) seats: usize,
    /// The modes that are played here.
    pub(crate) modes: ModeTable,
}

impl Matchmaking {
    /// Starts a service for each game that has modes. Needs a tokio runtime, on which they run until the server stops.
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

    /// Where the party of this search meets, if that is not here: at the instance whose name, hashed with the party's code,
    /// gives the most. So all find the same one without asking, and of a party that has to move only one instance changes.
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

    /// Where who comes alone searches while this instance drains: where the fewest play. A balancer that does not know of
    /// the drain would send them here again and again.
    fn away_from_here(&self) -> Option<String> {
        if !self.parts.here.is_draining() {
            return None;
        }
        let fleet = self.parts.here.fleet();
        let others = fleet.peers().filter(|peer| !peer.draining);
        others.min_by_key(|peer| peer.players).map(|peer| socket_url(&peer.url))
    }

    /// Looks for a match until what is returned is dropped. `round_trip` is the way to the player and back.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownMode`], [`Code::BadParty`] and what else [`Search::check`] says, [`Code::ServerFull`].
    pub(crate) fn search(&self, search: Search, round_trip: Option<Duration>) -> Result<Searching, Code> {
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
        let wanted = Box::new(Wanted { search, session, states, round_trip });
        service.events.try_send(Event::Search(wanted)).map_err(|_| Code::ServerFull)?;
        Ok(Searching { told, session, events: service.events.clone(), _guard: guard })
    }

    /// Whether nobody searches here, and nobody sits in a match.
    pub(crate) fn is_empty(&self) -> bool {
        self.services.values().all(|service| service.events.capacity() == service.events.max_capacity())
    }

    /// The way to the seat that a pass of a match is for; `None` if it is no such pass.
    ///
    /// # Errors
    ///
    /// [`Code::BadPass`] if there is no seat for it any more, [`Code::RoomClosed`], [`Code::ServerFull`].
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

    /// Takes what another instance said then to the service of a game. Whether it was taken; if not, the sender may say
    /// it again.
    pub(crate) fn take(&self, game: &str, sent_ms: u64, said: Vec<Said>) -> bool {
        let Some(service) = self.services.get(game) else { return false };
        service.events.try_send(Event::Said { sent_ms, said }).is_ok()
    }
}

/// A player who looks for a match. When it is dropped the search ends, unless the match has begun.
#[derive(Debug)]
pub(crate) struct Searching {
    told: watch::Receiver<SearchState>,
    session: SessionId,
    events: mpsc::Sender<Event>,
    _guard: Guard,
}

impl Searching {
    /// Waits until the state is another. Cancel safe.
    pub(crate) async fn changed(&mut self) {
        if self.told.changed().await.is_err() {
            std::future::pending::<()>().await; // it was over, or the server stops
        }
    }

    /// The state, seen from now on.
    pub(crate) fn state(&mut self) -> SearchState {
        self.told.borrow_and_update().clone()
    }

    /// The search is over, also if a match is about to begin. False if that cannot be told now.
    pub(crate) fn cancel(&self) -> bool {
        self.events.try_send(Event::Cancel(self.session)).is_ok()
    }

    /// The seat in a match could not be taken. False if that cannot be told now.
    pub(crate) fn again(&self, id: Uuid) -> bool {
        self.events.try_send(Event::Back { session: self.session, id: MatchId(id) }).is_ok()
    }
}

/// A claim that was granted.
#[derive(Debug)]
struct Admitted {
    arrival: Arrival,
    seat: MatchSeat,
}

/// Time since 1970, by which instances tell each other how old a message is.
fn unix() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl Parts {
    /// The instances that rooms can be opened on. One that is draining takes none.
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

    /// Where the players of an instance connect: empty for this one unless a balancer is before it, `None` for one that is
    /// not known.
    fn url(&self, instance: InstanceId) -> Option<String> {
        if instance == self.here.id() {
            return Some(self.here.public_url().map(socket_url).unwrap_or_default());
        }
        self.here.fleet().find(instance).map(|home| socket_url(&home.url))
    }
}
