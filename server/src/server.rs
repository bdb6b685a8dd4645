//! A running server: its start, its listeners, and its stop.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use thiserror::Error;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, oneshot},
    task::JoinSet,
    time::timeout,
};
use tracing::{info, warn};

use crate::{
    bus::{self, InstanceId, Link},
    chat::Chat,
    clock::Clock,
    config::{Config, Timing},
    dispatch,
    files::Budget,
    fleet::{Instance, JoinError, Joined, Site, Wanted},
    games::Games,
    gateway::{self, Gateway, Tickets, pages::Pages},
    matchmaking::{Matchmaking, Parts},
    metrics,
    net::http::Permits,
    ops::listener,
    placement::Placement,
    results::Results,
    room::Outside,
    rooms::{Rooms, Terms},
    shard::Shards,
    stop::{self, StopSender},
};

/// The time that the broker has at the end to take the last messages.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// A server inside this process.
///
/// Gateway and operators' port run on the runtime on which it was started, rooms on threads of their own.
#[derive(Debug)]
pub struct Server {
    here: Instance,
    listen: SocketAddr,
    ops_listen: SocketAddr,
    stop: StopSender,
    rooms: Arc<Rooms>,
    placement: Placement,
    matchmaking: Matchmaking,
    /// The tasks that still publish messages at the end.
    last: JoinSet<()>,
    /// The permits to be outside of rooms, and their number.
    outside: (Arc<Semaphore>, u32),
    shards: Vec<oneshot::Receiver<()>>,
    timing: Timing,
}

/// Why a server did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The list of games is invalid.
    #[error("{0}")]
    Games(String),
    /// An address cannot be bound.
    #[error("cannot listen on {addr} ({option})")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The option that sets it.
        option: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The broker's URL is invalid: trying again would not help.
    #[error("{0}")]
    Url(bus::Fault),
    /// `--bus-required` is set, and the broker cannot be used.
    #[error("{0} (--bus-required)")]
    Bus(bus::Fault),
    /// The system has no threads or event queues left.
    #[error("cannot start the threads for rooms")]
    Threads(#[source] io::Error),
}

impl From<JoinError> for StartError {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::Url(fault) => Self::Url(fault),
            JoinError::Bus(fault) => Self::Bus(fault),
        }
    }
}

impl Server {
    /// Starts a server. Players can connect as soon as this returns.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O and time.
    pub async fn start(config: &Config, games: Games) -> Result<Self, StartError> {
        let Config { instance, bus_required, .. } = *config;
        let joined = Joined::open(Wanted { instance, amqp_url: config.amqp_url.as_ref(), bus_required }).await?;
        Self::start_in(config, games, joined).await
    }

    /// Starts a server under this name on an existing end of a bus, for tests with several servers in a process.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    ///
    /// # Panics
    ///
    /// As [`Self::start`].
    pub async fn start_on(config: &Config, games: Games, id: InstanceId, link: Link) -> Result<Self, StartError> {
        Self::start_in(config, games, Joined::on(id, link)).await
    }

    async fn start_in(config: &Config, games: Games, joined: Joined) -> Result<Self, StartError> {
        games.check().map_err(StartError::Games)?;
        let modes = games.modes(&config.mode_config).map_err(StartError::Games)?;
        let (players, listen) = bind(config.listen, "--listen").await?;
        let (operators, ops_listen) = bind(config.ops_listen, "--ops-listen").await?;
        metrics::install();
        let budget = Budget::of_process(config.max_players, config.shard_count());
        metrics::capacity(budget.players);
        let (sender, stop) = stop::channel();
        let (shards, ends) = Shards::start(config.shard_count(), &stop).map_err(StartError::Threads)?;
        let (clock, capacity, timing) = (Clock::start(), budget.players, config.timing);
        let site = Site { region: config.region.clone(), public_url: config.public_url.clone(), listen, capacity };
        let here = Instance::new(joined, site, clock, stop.clone());
        info!(instance = %here.id(), region = here.region(), "this instance");
        let (results, publisher) = Results::new(here.clone());
        let terms = Terms { rooms: config.max_rooms, players: capacity };
        let outside = Outside { results: results.clone(), stop, clock, timing, fault: config.test_fault };
        let rooms = Arc::new(Rooms::new(games.clone(), shards, terms, here.lobby().clone(), outside));
        let placement = Placement::new(here.clone(), games.clone(), rooms.clone());
        let parts = Parts { here: here.clone(), rooms: rooms.clone(), seats: capacity as usize, modes };
        let matchmaking = Matchmaking::start(parts);
        let (chat, relay) = Chat::new(here.clone());
        let dispatch =
            dispatch::run(here.clone(), rooms.clone(), placement.clone(), matchmaking.clone(), sender.clone());
        let mut last = JoinSet::new();
        last.spawn(dispatch);
        last.spawn(publisher.run());
        tokio::spawn(relay.run());
        let [outside, sockets] = [budget.outside, budget.sockets].map(|count| Arc::new(Semaphore::new(count as usize)));
        let permits = Permits { outside: outside.clone(), sockets };
        let gateway = Gateway {
            here: here.clone(),
            games,
            rooms: rooms.clone(),
            placement: placement.clone(),
            matchmaking: matchmaking.clone(),
            chat,
            tickets: Tickets::default(),
            pages: Pages::new(config.web.clone()),
            timing,
        };
        tokio::spawn(listener::serve(operators, here.clone(), results, budget.operators));
        tokio::spawn(gateway::serve(players, gateway, permits));
        let outside = (outside, budget.outside);
        Ok(Self {
            here,
            listen,
            ops_listen,
            stop: sender,
            rooms,
            placement,
            matchmaking,
            last,
            outside,
            shards: ends,
            timing,
        })
    }

    /// The address where players connect.
    pub fn listen_addr(&self) -> SocketAddr {
        self.listen
    }

    /// The address of the operators' port.
    pub fn ops_addr(&self) -> SocketAddr {
        self.ops_listen
    }

    /// Its name among the instances.
    pub fn id(&self) -> InstanceId {
        self.here.id()
    }

    /// The number of instances that it knows, itself included.
    pub fn instances(&self) -> usize {
        self.here.fleet().len() + 1
    }

    /// Drains: takes no new rooms and players from now on, which the other instances hear; clients that wait in the
    /// lobby are sent to one of them.
    pub fn drain(&self) {
        self.stop.drain();
    }

    /// Waits until the server drains, also if an operator has asked for it over the bus.
    pub async fn draining(&self) {
        self.here.stop().draining().await;
    }

    /// Waits until there are no rooms and no searches left.
    pub async fn emptied(&self) {
        let stop = self.here.stop();
        loop {
            let next = stop.next_end();
            if self.rooms.is_empty() && self.matchmaking.is_empty() {
                return;
            }
            next.await;
        }
    }

    /// Sends the players who are still in rooms to other instances that take them, each with a pass for a new room like
    /// theirs. Takes at most 5 s.
    pub async fn send_players_on(&self) {
        self.placement.send_players_on().await;
    }

    /// Stops: tells the players, and closes their sockets. Returns when that is done, at the latest after
    /// [`Timing::stop`].
    pub async fn stop(mut self) {
        info!("stopping");
        self.stop.stop();
        let everything = async {
            // All permits outside of rooms are released once nobody is left there.
            let (outside, all) = &self.outside;
            let _ = outside.acquire_many(*all).await;
            for shard in &mut self.shards {
                let _ = shard.await;
            }
        };
        match timeout(self.timing.stop, everything).await {
            Ok(()) => info!("stopped"),
            Err(_) => warn!("stopped without waiting any longer: a room or a connection does not end"),
        }
        self.stop.finish();
        let words = async { while self.last.join_next().await.is_some() {} };
        if timeout(LAST_WORDS, words).await.is_err() {
            warn!("stopped without waiting for the broker any longer");
        }
    }
}

async fn bind(addr: SocketAddr, option: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { addr, option, source };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
