//! A running server: what is started, what listens where, how it stops.

use std::{io, net::SocketAddr, sync::Arc};

use thiserror::Error;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, oneshot},
    time::timeout,
};
use tracing::{info, warn};

use crate::{
    bus::{self, InstanceId, Link},
    clock::Clock,
    config::{Config, Timing},
    fleet::Fleet,
    games::Games,
    gateway::{self, Gateway, MAX_OUTSIDE, pages::Pages},
    matchmaking::{Matchmaking, Parts},
    ops,
    rooms::{Rooms, Terms},
    shard::Shards,
    stop::{self, StopSender},
};

/// A server inside this process.
///
/// Gateway and operators' port live on the runtime on which it was started, rooms on threads of their own.
#[derive(Debug)]
pub struct Server {
    listen: SocketAddr,
    ops_listen: SocketAddr,
    stop: StopSender,
    outside: Arc<Semaphore>,
    shards: Vec<oneshot::Receiver<()>>,
    timing: Timing,
}

/// Why a server did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The games do not go together.
    #[error("{0}")]
    Games(String),
    /// An address is not to be had.
    #[error("cannot listen on {addr} ({option})")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The option that names it.
        option: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// `--bus-required`, and the broker cannot be used.
    #[error("{0} (--bus-required)")]
    Bus(#[from] bus::Fault),
    /// The system gives no threads or event queues.
    #[error("cannot start the threads for rooms")]
    Threads(#[source] io::Error),
}

impl Server {
    /// Starts a server; players can come as soon as this returns.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O and time.
    pub async fn start(config: &Config, games: Games) -> Result<Self, StartError> {
        let fleet = Fleet::open(config).await?;
        Self::start_in(config, games, fleet).await
    }

    /// Starts a server under this name on an end of a bus that is there already, as tests do that have several in a process.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    ///
    /// # Panics
    ///
    /// As [`Self::start`].
    pub async fn start_on(config: &Config, games: Games, id: InstanceId, link: Link) -> Result<Self, StartError> {
        Self::start_in(config, games, Fleet::on(config, id, link)).await
    }

    async fn start_in(config: &Config, games: Games, fleet: Fleet) -> Result<Self, StartError> {
        games.check().map_err(StartError::Games)?;
        let modes = games.modes(&config.mode_config).map_err(StartError::Games)?;
        let (players, listen) = bind(config.listen, "--listen").await?;
        let (operators, ops_listen) = bind(config.ops_listen, "--ops-listen").await?;
        ops::metrics::install();
        let (sender, stop) = stop::channel();
        let (shards, ends) = Shards::start(config.shard_count(), &stop).map_err(StartError::Threads)?;
        let terms = Terms { rooms: config.max_rooms, players: config.max_players, fault: config.test_fault };
        let clock = Clock::start();
        let rooms = Arc::new(Rooms::new(games, shards, terms, stop.clone(), clock, config.timing));
        let (pages, public_url) = (Pages::new(config.web.clone()), config.public_url.clone());
        info!(instance = %fleet.id(), region = fleet.region(), "this instance");
        let seats = config.max_players as usize;
        let parts = Parts { fleet: fleet.clone(), rooms: rooms.clone(), seats, modes, clock, stop: stop.clone() };
        let matchmaking = Matchmaking::start(&parts);
        let gateway =
            Gateway { rooms, matchmaking, pages, public_url, timing: config.timing, stop: stop.clone(), fleet };
        let outside = Arc::new(Semaphore::new(MAX_OUTSIDE as usize));
        tokio::spawn(ops::listener::serve(operators, stop));
        tokio::spawn(gateway::serve(players, gateway, outside.clone()));
        Ok(Self { listen, ops_listen, stop: sender, outside, shards: ends, timing: config.timing })
    }

    /// Where players connect.
    pub fn listen_addr(&self) -> SocketAddr {
        self.listen
    }

    /// Where operators look.
    pub fn ops_addr(&self) -> SocketAddr {
        self.ops_listen
    }

    /// Stops: players are told and their sockets closed. Returns when that is done, at latest after [`Timing::stop`].
    pub async fn stop(mut self) {
        info!("stopping");
        self.stop.stop();
        let everything = async {
            // All places outside of rooms are free again once nobody is there.
            let _ = self.outside.acquire_many(MAX_OUTSIDE).await;
            for shard in &mut self.shards {
                let _ = shard.await;
            }
        };
        match timeout(self.timing.stop, everything).await {
            Ok(()) => info!("stopped"),
            Err(_) => warn!("stopped without waiting any longer: a room or a connection does not end"),
        }
        self.stop.finish();
    }
}

async fn bind(addr: SocketAddr, option: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { addr, option, source };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
