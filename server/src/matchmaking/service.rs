//! The matchmaking service of a game: one task with the three machines of matchmaking, its players, and the rooms of
//! its matches.
//!
//! Input arrives as an [`Event`], a request or the passing of time; the machines' effects are carried out in order.
//! Messages between machines of the same instance do not leave the task.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tiltyard_core::{
    instance::InstanceId,
    matchmaking::{
        MatchId, SessionId, TicketId,
        mode::Mode,
        pool::Pool,
        proposals::{
            Claim, Message, ToHost,
            home::{self, Home},
            host::{self, Host},
            matchmaker::{self, HostLoad, Matchmaker, ROUND_EVERY},
            outbox::{Outcome, Said},
        },
        ticket::Ticket,
    },
};
use tiltyard_shared::protocol::Code;
use tokio::sync::{mpsc, oneshot};
use tracing::error;
use uuid::Uuid;

use super::{
    Admitted, Parts,
    distances::Distances,
    players::{Complete, Players, Wanted},
    publisher::{Publisher, age},
    requests::Statements,
    unix,
};
use crate::{
    bus::{Delivery, Inbox, Incoming, Mailbox, Receipt},
    fleet::{
        driver::{Machine, drive},
        messages::RequestPage,
    },
};

mod effects;

/// The interval at which the machines are told the time.
const TICK: Duration = Duration::from_millis(100);

/// All instances of a fleet match together: the tickets contain the distances of players to the regions.
const WORLD: &str = "world";

/// An event for a service.
#[derive(Debug)]
pub(super) enum Event {
    /// A player starts a search.
    Search(Box<Wanted>),
    /// A player ends a search.
    Cancel(SessionId),
    /// A player could not take the seat in a match.
    Back {
        /// The player.
        session: SessionId,
        /// The match.
        id: MatchId,
    },
    /// A player claims a seat at the door of a match.
    Claim(Claim, oneshot::Sender<Result<Admitted, Code>>),
    /// Messages of another instance.
    Said {
        /// When they were sent, in milliseconds since 1970.
        sent_ms: u64,
        /// The messages.
        said: Vec<Said>,
    },
    /// Something that a guard watched has ended.
    News(News),
}

/// The news that a [`Guard`](crate::room::matched::Guard) sends when it is dropped.
#[derive(Clone, Copy, Debug)]
pub(super) enum News {
    /// A player's search has ended.
    Gone(SessionId),
    /// A player has left a match.
    Left(MatchId, SessionId),
    /// The room of a match has closed.
    Ended(MatchId),
}

/// The matchmaking service of a game.
pub(super) struct Service {
    game: &'static str,
    id: InstanceId,
    parts: Parts,
    configs: BTreeMap<String, Vec<u8>>,
    events: mpsc::Sender<Event>,
    home: Home,
    host: Host,
    matchmaker: Matchmaker,
    players: Players,
    statements: Statements,
    publisher: Publisher,
    inbox: Inbox,
    /// The receipts of requests that the matchmaker has not taken in yet.
    receipts: BTreeMap<u64, Receipt>,
    requests: u64,
    /// Events for the machines, also from one another. Empty between events.
    turns: VecDeque<Turn>,
    /// The claims that wait for an answer.
    claims: Vec<(Claim, oneshot::Sender<Result<Admitted, Code>>)>,
    /// The modes of open rooms, for metrics.
    playing: BTreeMap<MatchId, String>,
    hosts: Vec<HostLoad>,
    next_round: Duration,
    /// When events were handled last.
    handled: Duration,
    distances: Distances,
}

impl Service {
    /// Creates a service without searches. The modes have been checked.
    pub(super) fn new(
        game: &'static str,
        modes: Vec<(Mode, Vec<u8>)>,
        parts: &Parts,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let (id, number) = (parts.here.id(), parts.here.incarnation().0);
        let declared: Vec<_> = modes.iter().map(|(mode, _)| mode.clone()).collect();
        let pool = Pool::new(declared.clone()).expect("modes are checked when the server starts");
        let inbox = Inbox::new(game, WORLD).expect("names of games are checked when the server starts");
        Self {
            game,
            id,
            configs: modes.into_iter().map(|(mode, config)| (mode.name, config)).collect(),
            events,
            home: Home::new(id, &declared).numbered_from(number),
            host: Host::new(id, parts.here.region(), declared, parts.seats).numbered_from(number),
            matchmaker: Matchmaker::new(id, pool),
            players: Players::default(),
            statements: Statements::default(),
            publisher: Publisher::new(game, parts.here.link().clone(), inbox.clone()),
            inbox,
            receipts: BTreeMap::new(),
            requests: 0,
            turns: VecDeque::new(),
            claims: Vec::new(),
            playing: BTreeMap::new(),
            hosts: Vec::new(),
            next_round: Duration::ZERO,
            handled: parts.here.clock().now(),
            distances: Distances::default(),
            parts: parts.clone(),
        }
    }

    /// Sets the distances for the regions in tickets.
    pub(super) fn measured_by(self, distances: Distances) -> Self {
        Self { distances, ..self }
    }

    /// Serves until the server stops.
    pub(super) async fn run(self, events: mpsc::Receiver<Event>) {
        let here = self.parts.here.clone();
        match here.link().bus.claim(self.inbox.clone()) {
            Ok(mailbox) => drive(&mut Running { service: self, events, mailbox }, &here, TICK).await,
            Err(error) => error!(game = self.game, %error, "no matchmaking: the inbox cannot be claimed"),
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Search(wanted) => self.search(*wanted),
            Event::Cancel(session) => {
                if let Some(ticket) = self.players.leave(session) {
                    self.turns.push_back(home::Event::Cancel(ticket).into());
                }
            }
            Event::Back { session, id } => {
                if let Some(ticket) = self.players.give_up(session) {
                    self.turns.push_back(home::Event::Back { id, ticket }.into());
                }
            }
            Event::Claim(claim, reply) => {
                self.claims.push((claim, reply));
                self.turns.push_back(host::Event::Claim(claim).into());
            }
            Event::Said { sent_ms, said } => {
                let way = age(sent_ms);
                for Said { age, message } in said {
                    self.hear(way.saturating_add(age), message);
                }
            }
            Event::News(News::Gone(session)) => self.lose(session),
            Event::News(News::Left(room, player)) => self.turns.push_back(host::Event::Left { room, player }.into()),
            Event::News(News::Ended(room)) => {
                self.playing.remove(&room);
                self.turns.push_back(host::Event::Ended(room).into());
            }
        }
    }

    fn search(&mut self, wanted: Wanted) {
        let id = TicketId(Uuid::now_v7());
        let Some(complete) = self.players.come(self.parts.here.clock().now(), id, wanted) else { return };
        let Complete { mode, party, round_trip } = complete;
        let regions = self.distances.of(self.parts.here.region(), round_trip);
        let (avoid, waited) = (Vec::new(), Duration::ZERO);
        let ticket = Ticket { id, home: self.id, mode, party, regions, avoid, waited };
        self.turns.push_back(home::Event::Search(ticket).into());
    }

    /// Handles the loss of a player's connection.
    fn lose(&mut self, player: SessionId) {
        if let Some(ticket) = self.players.leave(player) {
            self.turns.push_back(home::Event::CutOff { ticket, player }.into());
        }
    }

    fn learn(&mut self, to: InstanceId, outcome: Outcome) {
        for message in self.publisher.settle(self.parts.here.clock().now(), to, outcome) {
            self.miss(to, message);
        }
    }

    /// Returns an undelivered message to its sender, which decides what follows.
    fn miss(&mut self, to: InstanceId, message: Message) {
        self.turns.push_back(match message {
            Message::Host(ToHost::Ask { .. }) => home::Event::Undelivered(message).into(),
            _ => matchmaker::Event::Undelivered { to, message }.into(),
        });
    }

    fn hear(&mut self, age: Duration, message: Message) {
        self.turns.push_back(match message {
            Message::Home(message) => home::Event::Message { age, message }.into(),
            Message::Host(message) => host::Event::Message { age, message }.into(),
            Message::Matchmaker(message) => matchmaker::Event::Message { age, message }.into(),
        });
    }

    /// Takes a delivery from the inbox. Other instances may be served from it too: whichever is, is a matchmaker.
    fn read(&mut self, delivery: Delivery) {
        let Some((page, receipt)) = delivery.open::<RequestPage>() else { return };
        let Some(known) = page.known() else { return receipt.dead("out of bounds") };
        if known.len() < page.requests.len() {
            receipt.passed_over();
        }
        let age = age(page.sent_ms);
        let now = self.parts.here.clock().now();
        let requests: Vec<_> = match page.pages {
            0 | 1 => known,
            // Only the last page of a statement waits to be taken in: the whole statement is repeated soon.
            _ => known.into_iter().filter_map(|part| self.statements.take(now, &page, part)).collect(),
        };
        if requests.is_empty() {
            return receipt.ack();
        }
        for request in requests {
            self.requests += 1;
            self.turns.push_back(matchmaker::Event::Request { delivery: self.requests, age, request }.into());
        }
        // The last one is taken in after all others.
        self.receipts.insert(self.requests, receipt);
    }

    fn tick(&mut self) {
        let now = self.parts.here.clock().now();
        self.players.expire(now);
        for (to, message) in self.publisher.run_out(now) {
            self.miss(to, message);
        }
        self.turns.extend([home::Event::Tick.into(), host::Event::Tick.into(), matchmaker::Event::Tick.into()]);
        if now < self.next_round {
            return;
        }
        self.next_round = now + ROUND_EVERY;
        if self.parts.here.is_draining() {
            self.turns.extend([home::Event::Drain.into(), host::Event::Drain.into()]);
        }
        self.look_around();
        let seed = Uuid::new_v4().as_u64_pair().0;
        self.turns.push_back(matchmaker::Event::Round { unix: unix(), seed }.into());
    }

    /// Tells the matchmaker the instances, if they have changed.
    fn look_around(&mut self) {
        let hosts = self.parts.hosts();
        if hosts == self.hosts {
            return;
        }
        let gone = |load: &&HostLoad| !hosts.iter().any(|other| other.host == load.host);
        for load in self.hosts.iter().filter(gone) {
            self.turns.push_back(matchmaker::Event::Gone(load.host).into());
        }
        self.turns.push_back(matchmaker::Event::Hosts(hosts.clone()).into());
        self.hosts = hosts;
    }
}

/// A running service.
struct Running {
    service: Service,
    events: mpsc::Receiver<Event>,
    mailbox: Mailbox,
}

impl Machine for Running {
    async fn next(&mut self) {
        let Self { service, events, mailbox } = self;
        tokio::select! {
            Some(event) = events.recv() => {
                service.take(event);
                service.parts.here.stop().note_end();
            }
            delivery = next_delivery(mailbox) => service.read(delivery),
            (to, outcome) = service.publisher.answered() => service.learn(to, outcome),
        }
    }

    fn tick(&mut self) {
        self.service.tick();
    }

    async fn carry_out(&mut self) {
        self.service.settle().await;
        self.service.publisher.send(self.service.parts.here.clock().now());
    }
}

/// Waits for the next page of a request. Never ends: a closed bus stays silent.
async fn next_delivery(mailbox: &mut Mailbox) -> Delivery {
    loop {
        match mailbox.next().await {
            Some(Incoming::Delivery(delivery)) => return delivery,
            Some(Incoming::Opened) => {}
            None => std::future::pending().await,
        }
    }
}

/// An event for one of the machines.
#[derive(Debug)]
enum Turn {
    Home(home::Event),
    Host(host::Event),
    Matchmaker(matchmaker::Event),
}

impl From<home::Event> for Turn {
    fn from(event: home::Event) -> Self {
        Self::Home(event)
    }
}

impl From<host::Event> for Turn {
    fn from(event: host::Event) -> Self {
        Self::Host(event)
    }
}

impl From<matchmaker::Event> for Turn {
    fn from(event: matchmaker::Event) -> Self {
        Self::Matchmaker(event)
    }
}
