//! This instance in its fleet: who it is, and its end of the bus. Without a broker it is a fleet of one, over a bus inside
//! this process, and all works alike.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use tiltyard_core::instance::Incarnation;
use uuid::Uuid;

use crate::{
    bus::{Bounds, InstanceId, Link, memory::Hub, rabbitmq},
    config::Config,
    server::StartError,
};

pub mod words;
pub(crate) mod member;
pub(crate) mod seats;

/// This instance among the others. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Fleet(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: InstanceId,
    incarnation: Incarnation,
    region: String,
    link: Link,
    /// Whether there is no broker.
    alone: bool,
}

impl Fleet {
    /// The instance of a configuration, on its broker or alone. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StartError::Url`], and with `--bus-required` [`StartError::Bus`]. Otherwise the server goes on without the broker,
    /// and tries again.
    pub(crate) async fn open(config: &Config) -> Result<Self, StartError> {
        let id = config.instance.unwrap_or_else(random_id);
        let Some(url) = &config.amqp_url else {
            return Ok(Self::new(config, id, Hub::default().join(id), true));
        };
        let broker = rabbitmq::Config { url: url.text().to_owned(), instance: id, bounds: Bounds::default() };
        let link = rabbitmq::open(broker).map_err(StartError::Url)?;
        if config.bus_required {
            link.first_attempt().await.map_err(StartError::Bus)?;
        }
        Ok(Self::new(config, id, link, false))
    }

    /// An instance with an end of the bus that is there already.
    pub(crate) fn on(config: &Config, id: InstanceId, link: Link) -> Self {
        Self::new(config, id, link, false)
    }

    fn new(config: &Config, id: InstanceId, link: Link, alone: bool) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let incarnation = Incarnation(u64::try_from(now.as_micros()).unwrap_or_default());
        Self(Arc::new(Inner { id, incarnation, region: config.region.clone(), link, alone }))
    }

    /// Its name.
    pub(crate) fn id(&self) -> InstanceId {
        self.0.id
    }

    /// Its life.
    pub(crate) fn incarnation(&self) -> Incarnation {
        self.0.incarnation
    }

    /// Where it is.
    pub(crate) fn region(&self) -> &str {
        &self.0.region
    }

    /// Whether there is no broker, and so no other instance.
    pub(crate) fn is_alone(&self) -> bool {
        self.0.alone
    }

    /// Its end of the bus.
    pub(crate) fn link(&self) -> &Link {
        &self.0.link
    }
}

/// `i-` and eight hexadecimal digits.
pub(crate) fn random_id() -> InstanceId {
    let number = Uuid::new_v4().simple().to_string();
    InstanceId::new(&format!("i-{}", &number[..8])).expect("hexadecimal digits are a word")
}
