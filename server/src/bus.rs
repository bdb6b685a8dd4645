//! The bus between instances: the trait [`Bus`] with four verbs, inside this process ([`memory`], the default) or
//! through RabbitMQ ([`rabbitmq`]). One contract suite tests both (tests/it/bus).
//!
//! The bus is the control plane: nothing that ticks waits for it, and nothing is stored for later while the broker is
//! away. It promises little. A confirmed message has arrived at its address; an event can be missed, and
//! [`Incoming::Opened`] says when; a letter can arrive twice; only a reply proves that a command was carried out.
//! Every queue is bounded ([`Bounds`]), and when it is full:
//!
//! | queue | when full |
//! | --- | --- |
//! | messages handed over and not confirmed | [`BusError::Full`], at once |
//! | replies handed over and not confirmed | they wait, and so do further commands in their queue |
//! | requests without their reply | [`BusError::Full`], at once |
//! | events that a mailbox has not taken | the oldest are dropped; their numbers show it |
//! | commands that an instance has not taken | the request fails with [`BusError::Full`] |
//! | letters in an inbox | the publish fails with [`BusError::Full`] |
//! | deliveries handed out and not settled | no more until one is settled |
//! | dead letters | the oldest are dropped |

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use thiserror::Error;
use tokio::sync::watch;

mod names;
mod payload;
mod mailbox;
mod counts;
pub mod topology;
pub mod memory;
pub mod rabbitmq;

pub use counts::{Count, Counts};
pub use mailbox::{Delivery, Incoming, Mailbox, Receipt};
pub use names::{Inbox, Key, Pattern};
pub use payload::{PAYLOAD_BYTES, Payload, SCHEMA, Unreadable};
pub use tiltyard_core::instance::{InstanceId, NameError};

/// The future that a verb returns. It can be sent to another thread.
pub type BusFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BusError>> + Send + 'a>>;

/// The four verbs of an instance on the bus.
///
/// Dropping a returned future gives up waiting; the message may arrive all the same.
pub trait Bus: fmt::Debug + Send + Sync + 'static {
    /// Publishes a message to an address. Completes when the bus has taken charge of it.
    ///
    /// An event that nobody listens for succeeds. A letter or a result needs a queue that takes it.
    ///
    /// # Errors
    ///
    /// [`BusError::Unroutable`] and [`BusError::Full`] say that the message was not taken, [`BusError::Unconfirmed`]
    /// that it may have been.
    fn publish(&self, to: Address, payload: Payload) -> BusFuture<'_, ()>;

    /// Sends a command to an instance and returns its reply. After the deadline the receiver drops the command.
    ///
    /// # Errors
    ///
    /// [`BusError::Unroutable`] if no such instance serves commands: a fast *no*. [`BusError::Late`] proves nothing: the
    /// command may have been carried out.
    fn request(&self, to: &InstanceId, command: Payload, deadline: Duration) -> BusFuture<'_, Payload>;

    /// Returns a mailbox for the commands to this instance, or for events.
    ///
    /// The mailbox lasts until it is dropped, across all interruptions. Dropping a command or an event settles it.
    ///
    /// # Errors
    ///
    /// [`BusError::Full`] beyond [`Bounds::mailboxes`].
    fn serve(&self, what: Serve) -> Result<Mailbox, BusError>;

    /// Returns a mailbox for the letters of an inbox. One claim at a time gets deliveries; when it ends, the next takes
    /// over and gets unsettled letters again. A letter dropped unsettled is put back.
    ///
    /// # Errors
    ///
    /// [`BusError::Full`] beyond [`Bounds::mailboxes`].
    fn claim(&self, inbox: Inbox) -> Result<Mailbox, BusError>;
}

/// The destination of a published message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An event, for all mailboxes with a pattern that fits its key.
    Event(Topic, Key),
    /// A match result as [JSON](Payload::json), to the operator's durable queues. It outlives a restart of the broker.
    Result(Key),
    /// A letter, for whoever has claimed the inbox. It outlives a restart of the broker.
    Inbox(Inbox),
}

/// The streams of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Hellos and heartbeats of instances.
    Cluster,
    /// Changes of rooms, chat messages and presence.
    Lobby,
}

/// The messages that a mailbox of [`Bus::serve`] receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serve {
    /// The commands to this instance. One mailbox at a time.
    Commands,
    /// The events whose keys fit one of these patterns.
    Events(Vec<(Topic, Pattern)>),
}

/// Errors of the bus, by what the caller can do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BusError {
    /// No connection to the broker, or it takes no messages at the moment. Nothing was sent.
    #[error("the broker is away")]
    Away,
    /// A queue is full. Nothing was taken.
    #[error("a queue of the bus is full")]
    Full,
    /// Nobody is there to take it. Nothing was taken.
    #[error("nobody takes what goes there")]
    Unroutable,
    /// It was sent, but the connection ended or the broker was silent too long: it may have arrived.
    #[error("sent, but not confirmed")]
    Unconfirmed,
    /// No reply before the deadline: the command may have been carried out.
    #[error("no reply before the deadline")]
    Late,
    /// The payload is larger than [`PAYLOAD_BYTES`].
    #[error("a payload larger than the bus takes")]
    TooLarge,
    /// The receiver runs an older version and does not know the command. Nothing was done.
    #[error("the receiver is older, and does not know this command")]
    NotUnderstood,
}

/// The state of the bus, for readiness and for those who judge other instances by their silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The first attempt to reach the broker is under way.
    Connecting,
    /// It works.
    Up,
    /// Connected, but the broker takes no messages (it lacks memory or disk). Events still come.
    Blocked,
    /// No connection; a new attempt is made every 0.2 to 2 s.
    Away(Fault),
}

/// Why there is no connection to the broker, as one line for the operator. No variant holds a password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// This URL can never work.
    #[error("AMQP_URL is not a URL as in amqp://user:password@host:5672/vhost: {0}")]
    Url(String),
    /// None of several addresses has a broker that can be used; in the order of the URL.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Nowhere(Vec<Self>),
    /// Nothing answers at the address, or not in time.
    #[error("no broker answers at {address}: {reason}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// The system's words.
        reason: String,
    },
    /// User or password are wrong, or the user may not use this vhost.
    #[error("the broker at {address} refuses user {user} for vhost {vhost}: {reason}")]
    Refused {
        /// Host and port.
        address: String,
        /// The user of the URL.
        user: String,
        /// The vhost of the URL.
        vhost: String,
        /// The broker's words.
        reason: String,
    },
    /// The broker lacks something that Tiltyard needs, or has it in another shape, or the user lacks a right: its address
    /// and its words.
    #[error("the broker has no usable topology: {0}")]
    Topology(String),
    /// A connection that worked has ended: the broker's address and the reason.
    #[error("connection to the broker lost: {0}")]
    Lost(String),
}

impl Fault {
    /// Whether an operator has to change something before it can work.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Url(_) | Self::Refused { .. } | Self::Topology(_) => true,
            Self::Unreachable { .. } | Self::Lost(_) => false,
            Self::Nowhere(faults) => faults.iter().all(Self::is_configuration),
        }
    }

    /// The fault of several addresses; of one, its own.
    fn of_all(mut faults: Vec<Self>) -> Self {
        if faults.len() == 1 { faults.remove(0) } else { Self::Nowhere(faults) }
    }

    /// The same with the broker's address, where there was none.
    fn at(self, address: &str) -> Self {
        match self {
            Self::Topology(reason) => Self::Topology(format!("{address}: {reason}")),
            Self::Lost(reason) => Self::Lost(format!("{address}: {reason}")),
            named => named,
        }
    }
}

/// An instance's end of the bus. The connection closes when the last [`Bus`] is dropped.
#[derive(Clone, Debug)]
pub struct Link {
    /// The verbs.
    pub bus: Arc<dyn Bus>,
    /// The state of the bus.
    pub state: watch::Receiver<State>,
    /// Its counters.
    pub counts: Arc<Counts>,
}

impl Link {
    /// Waits until the first attempt to reach the broker has ended.
    ///
    /// # Errors
    ///
    /// The [`Fault`] of the attempt. Further attempts are made automatically.
    pub async fn first_attempt(&self) -> Result<(), Fault> {
        let mut state = self.state.clone();
        let state = state.wait_for(|state| *state != State::Connecting).await;
        match state.as_deref() {
            Ok(State::Away(fault)) => Err(fault.clone()),
            Ok(State::Connecting | State::Up | State::Blocked) => Ok(()),
            Err(_) => Err(Fault::Lost("the bus has been closed".to_owned())),
        }
    }
}

/// The bounds of the bus's queues, each with its default. Tests use smaller ones.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Bounds {
    /// Messages of one publisher (events, commands, durable ones) handed over and not confirmed. 1,024.
    pub unconfirmed: usize,
    /// Requests without their reply. 1,024.
    pub requests: usize,
    /// Mailboxes of an instance. 64.
    pub mailboxes: usize,
    /// Deliveries of a mailbox that are handed out and not settled. 256.
    pub prefetch: u16,
    /// Events that wait for a mailbox. 10,000.
    pub events: u32,
    /// Commands that wait for an instance. 1,024.
    pub commands: u32,
    /// Letters in an inbox, for the bus in memory; with RabbitMQ the policy `tickets` sets it. 10,000.
    pub inbox: u32,
    /// Dead letters, for the bus in memory; with RabbitMQ the policy `dead-letters` sets it. 1,000.
    pub dead: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            unconfirmed: 1024,
            requests: 1024,
            mailboxes: 64,
            prefetch: 256,
            events: 10_000,
            commands: 1024,
            inbox: 10_000,
            dead: 1000,
        }
    }
}
