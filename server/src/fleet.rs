//! This instance in its fleet: who it is, its end of the bus, and what it knows of the others. Without a broker it is a fleet
//! of one, over a bus inside this process, and all works alike.

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
    /// Its name; otherwise one by chance.
    pub(crate) instance: Option<InstanceId>,
    /// The broker; without one it stays alone.
    pub(crate) amqp_url: Option<&'a AmqpUrl>,
    /// Whether it had rather not start than be without the broker at first.
    pub(crate) bus_required: bool,
}

/// Why an instance did not join.
#[derive(Debug, Error)]
pub(crate) enum JoinError {
    /// What is to name the broker is no URL of one: trying again would not help.
    #[error("{0}")]
    Url(bus::Fault),
    /// The broker cannot be used, and has to be.
    #[error("{0}")]
    Bus(bus::Fault),
}

/// A name among the instances, and an end of their bus.
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

    /// With an end of the bus that is there already.
    pub(crate) fn on(id: InstanceId, link: Link) -> Self {
        Self { id, link, alone: false }
    }
}

/// Where an instance is, and how much it holds.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The region.
    pub(crate) region: String,
    /// Where the outside finds this instance, if it is not where it listens: `wss://host`, and a path if need be.
    pub(crate) public_url: Option<String>,
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// Players that it takes.
    pub(crate) capacity: u32,
}

/// This instance: what all parts of it share. Cheap to clone.
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

    /// Its life.
    pub(crate) fn incarnation(&self) -> Incarnation {
        self.0.incarnation
    }

    /// Where it is.
    pub(crate) fn region(&self) -> &str {
        &self.0.site.region
    }

    /// Where the outside finds it, if an operator says so.
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

    /// When it stops.
    pub(crate) fn stop(&self) -> Stop {
        self.0.stop.clone()
    }

    /// Whether nobody new comes in.
    pub(crate) fn is_draining(&self) -> bool {
        self.0.stop.is_draining()
    }
}

/// Where players connect to an instance of this public URL.
pub(crate) fn socket_url(public: &str) -> String {
    format!("{}/ws", public.trim_end_matches('/'))
}

/// `i-` and eight hexadecimal digits.
pub(crate) fn random_id() -> InstanceId {
    let number = Uuid::new_v4().simple().to_string();
    InstanceId::new(&format!("i-{}", &number[..8])).expect("hexadecimal digits are a word")
}
