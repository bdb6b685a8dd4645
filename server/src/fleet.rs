//! This instance in its fleet: its name, its end of the bus, and what it knows of the others. Without a broker it is a
//! fleet of one over a bus inside this process, and everything works the same way.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use thiserror::Error;
use tiltyard_core::{
    directory::{FleetView, roster::Profile},
    instance::Incarnation,
};
use tracing::info;
use uuid::Uuid;

use crate::{
    bus::{self, Bounds, InstanceId, Link, memory::Hub, rabbitmq},
    clock::Clock,
    config::AmqpUrl,
    lobby::Lobby,
    stop::Stop,
};

pub mod messages;
pub(crate) mod driver;

/// How an instance is to join a fleet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// Its name; `None` for a random one.
    pub(crate) instance: Option<InstanceId>,
    /// The broker; `None` to stay alone.
    pub(crate) amqp_url: Option<&'a AmqpUrl>,
    /// Whether to fail rather than start without the broker.
    pub(crate) bus_required: bool,
}

/// Why an instance did not join.
#[derive(Debug, Error)]
pub(crate) enum JoinError {
    /// The broker's URL is invalid: trying again would not help.
    #[error("{0}")]
    Url(bus::Fault),
    /// The broker is required and cannot be used.
    #[error("{0}")]
    Bus(bus::Fault),
}

/// An instance's name and its end of the bus.
#[derive(Debug)]
pub(crate) struct Joined {
    id: InstanceId,
    link: Link,
    /// Whether there is no broker.
    alone: bool,
}

impl Joined {
    /// Joins the fleet at a broker, or stays alone. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`JoinError`]. Unless the broker is required, the instance goes on without it, and tries again.
    pub(crate) async fn open(wanted: Wanted<'_>) -> Result<Self, JoinError> {
        let id = wanted.instance.unwrap_or_else(random_id);
        let Some(url) = wanted.amqp_url else {
            return Ok(Self { id, link: Hub::default().join(id), alone: true });
        };
        let broker = rabbitmq::Config { url: url.text().to_owned(), instance: id, bounds: Bounds::default() };
        let link = rabbitmq::open(broker).map_err(JoinError::Url)?;
        if wanted.bus_required {
            link.first_attempt().await.map_err(JoinError::Bus)?;
        }
        Ok(Self::on(id, link))
    }

    /// Uses an end of the bus that exists already.
    pub(crate) fn on(id: InstanceId, link: Link) -> Self {
        Self { id, link, alone: false }
    }
}

/// Where an instance is, and its capacity.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The region.
    pub(crate) region: String,
    /// The URL for clients from outside, if it is not the address it listens on: `wss://host`, and a path if need be.
    pub(crate) public_url: Option<String>,
    /// The address it listens on.
    pub(crate) listen: SocketAddr,
    /// The maximum number of players.
    pub(crate) capacity: u32,
}

/// This instance: the state that all parts of it share. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Instance(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    joined: Joined,
    incarnation: Incarnation,
    site: Site,
    lobby: Arc<Lobby>,
    clock: Clock,
    stop: Stop,
}

impl Instance {
    /// An instance that knows nobody yet.
    pub(crate) fn new(joined: Joined, site: Site, clock: Clock, stop: Stop) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let incarnation = Incarnation(u64::try_from(now.as_micros()).unwrap_or_default());
        let url = site.public_url.clone().unwrap_or_else(|| format!("ws://{}", site.listen));
        if site.public_url.is_none() && !joined.alone {
            info!(url, "other instances send players to this address; --public-url names another");
        }
        let (id, region, capacity) = (joined.id, site.region.clone(), site.capacity);
        let lobby = Arc::new(Lobby::new(Profile { id, incarnation, region, url, capacity }, clock));
        Self(Arc::new(Inner { joined, incarnation, site, lobby, clock, stop }))
    }

    /// Its name.
    pub(crate) fn id(&self) -> InstanceId {
        self.0.joined.id
    }

    /// Its incarnation.
    pub(crate) fn incarnation(&self) -> Incarnation {
        self.0.incarnation
    }

    /// Its region.
    pub(crate) fn region(&self) -> &str {
        &self.0.site.region
    }

    /// Its public URL, if an operator has configured one.
    pub(crate) fn public_url(&self) -> Option<&str> {
        self.0.site.public_url.as_deref()
    }

    /// Whether there is no broker, and so no other instance.
    pub(crate) fn is_alone(&self) -> bool {
        self.0.joined.alone
    }

    /// Its end of the bus.
    pub(crate) fn link(&self) -> &Link {
        &self.0.joined.link
    }

    /// The rooms of the fleet and the other instances, as far as they are known here.
    pub(crate) fn lobby(&self) -> &Arc<Lobby> {
        &self.0.lobby
    }

    /// The other instances, as far as they are known here.
    pub(crate) fn fleet(&self) -> Arc<FleetView> {
        self.0.lobby.fleet()
    }

    /// Its clock.
    pub(crate) fn clock(&self) -> Clock {
        self.0.clock
    }

    /// The handle by which it sees that the server drains or stops.
    pub(crate) fn stop(&self) -> Stop {
        self.0.stop.clone()
    }

    /// Whether it drains and takes nobody new.
    pub(crate) fn is_draining(&self) -> bool {
        self.0.stop.is_draining()
    }
}

/// The WebSocket URL of an instance with this public URL.
pub(crate) fn socket_url(public: &str) -> String {
    format!("{}/ws", public.trim_end_matches('/'))
}

/// `i-` and eight hexadecimal digits.
pub(crate) fn random_id() -> InstanceId {
    let number = Uuid::new_v4().simple().to_string();
    InstanceId::new(&format!("i-{}", &number[..8])).expect("hexadecimal digits are a word")
}
