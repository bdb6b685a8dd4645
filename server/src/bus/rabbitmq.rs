//! The bus through RabbitMQ 3.10 or newer. This is the only file that names lapin. Of its children, `addresses`
//! says where brokers are, a `session` is a connection to one, a `publisher` publishes on it, and an `intake` consumes.
//!
//! lapin's own recovery gives up after a while and leaves channels closed, so it is off. Instead two sessions are
//! opened together, declare and consume, run until anything fails in either, and are dropped with all that belongs to
//! them; 0.2 to 2 s later two others are opened, at the next of the broker's addresses. One publishes and one consumes, because a broker that lacks memory
//! stops reading from connections that publish, acknowledgements included.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lapin::{
    Acker, AsyncTcpStream, BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer, Error,
    ErrorKind, Event, ExchangeKind,
    message::Delivery as Message,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicPublishOptions, BasicQosOptions,
        ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
    },
    runtime::default_runtime,
    tcp::TLSConfig,
    types::{AMQPValue, FieldTable, ShortString},
    uri::{AMQPScheme, AMQPUri},
};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, Semaphore, oneshot, watch},
    task::JoinSet,
    time::{self, Instant},
};
use uuid::Uuid;

use super::{
    Address, Bounds, Bus, BusError, BusFuture, Counts, Fault, Inbox, InstanceId, Link, Mailbox, PAYLOAD_BYTES, Payload,
    Serve, State,
    mailbox::{Arrival, Handing, MailboxKind, Outlet, Settlement},
    topology,
};

mod addresses;
mod declare;
mod publisher;
mod wire;
mod intake;
mod session;

use addresses::Turn;
use publisher::{Job, Publishers};
use session::BrokerSession;

/// The maximum wait for the confirm of a publish.
const CONFIRM_PATIENCE: Duration = Duration::from_secs(5);
/// The maximum time to declare what a session needs, and then the queue of each mailbox. A cluster of which a node hangs
/// may need up to 75 s by RabbitMQ's defaults; rabbitmq/cluster.conf makes it 10.
const DECLARE_PATIENCE: Duration = Duration::from_secs(30);
/// The pauses between sessions.
const SHORTEST_PAUSE_MS: u128 = 200;
const LONGEST_PAUSE_MS: u128 = 2000;
/// How often the sessions are checked to be connected still.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The broker, and the name of this instance.
#[derive(Clone)]
pub struct Config {
    /// `amqp://user:password@host:port/vhost`, or `amqps://` for TLS by the system's root certificates. Its query may
    /// set `heartbeat` in seconds; 5 without. Hosts of one cluster stand with commas between them, and so may several
    /// URLs: at most 32 hosts, of which each is passed over if it does not answer within 2 s.
    pub url: String,
    /// This instance. Its name shows in the names of connections and queues.
    pub instance: InstanceId,
    /// The bounds of the queues.
    pub bounds: Bounds,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, instance, bounds } = self;
        f.debug_struct("Config").field("instance", instance).field("bounds", bounds).finish_non_exhaustive()
    }
}

/// Opens an instance's end at this broker. Needs a tokio runtime; its task runs there until the last [`Bus`] is
/// dropped.
///
/// # Errors
///
/// [`Fault::Url`]. [`Link::first_attempt`] and [`Link::state`] tell whether the broker can be reached.
pub fn open(config: Config) -> Result<Link, Fault> {
    let Config { url, instance, bounds } = config;
    let (state, watched) = watch::channel(State::Connecting);
    let shared = Arc::new(Shared {
        brokers: addresses::parse(&url)?,
        instance,
        bounds,
        counts: Arc::default(),
        state,
        publishers: Mutex::default(),
        requests: Mutex::default(),
        subscriptions: Mutex::default(),
        subscription_added: Notify::new(),
        last_subscription: AtomicU64::new(0),
        absent: Mutex::default(),
    });
    let (stop, stopped) = watch::channel(());
    tokio::spawn(run(shared.clone(), stopped));
    let counts = shared.counts.clone();
    Ok(Link { bus: Arc::new(RabbitMq { shared, _stop: stop }), state: watched, counts })
}

/// State shared by the verbs and the sessions.
struct Shared {
    /// One for each host of the URL.
    brokers: Vec<AMQPUri>,
    instance: InstanceId,
    bounds: Bounds,
    counts: Arc<Counts>,
    state: watch::Sender<State>,
    /// Present while there is a session to publish on.
    publishers: Mutex<Option<Publishers>>,
    /// The waiting requests by id. At most [`Bounds::requests`].
    requests: Mutex<HashMap<String, oneshot::Sender<Payload>>>,
    /// The mailboxes to fill in every session. At most [`Bounds::mailboxes`].
    subscriptions: Mutex<Vec<Arc<Subscription>>>,
    subscription_added: Notify,
    last_subscription: AtomicU64,
    /// The operator's queues that were missing when the last session began, and why. At most two.
    absent: Mutex<Vec<(&'static str, String)>>,
}

/// A mailbox and its source, across all sessions.
struct Subscription {
    number: u64,
    source: Source,
    outlet: Outlet,
}

enum Source {
    Served(Serve),
    Inbox(Inbox),
}

/// The verbs.
struct RabbitMq {
    shared: Arc<Shared>,
    _stop: watch::Sender<()>,
}

impl fmt::Debug for RabbitMq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitMq").field("instance", &self.shared.instance).finish_non_exhaustive()
    }
}

impl Bus for RabbitMq {
    fn publish(&self, to: Address, payload: Payload) -> BusFuture<'_, ()> {
        Box::pin(async move {
            let outcome = match payload.as_bytes().len() {
                0..=PAYLOAD_BYTES => self.shared.send(Job::published(&to, &payload, &self.shared.instance)).await,
                _ => Err(BusError::TooLarge),
            };
            self.shared.counts.outcome(outcome);
            outcome
        })
    }

    fn request(&self, to: &InstanceId, command: Payload, deadline: Duration) -> BusFuture<'_, Payload> {
        let to = *to;
        Box::pin(async move {
            self.shared.counts.requests.add();
            let reply = self.shared.ask(&to, command, deadline).await;
            if let Err(error) = reply {
                self.shared.counts.outcome(Err(error));
            }
            reply
        })
    }

    fn serve(&self, what: Serve) -> Result<Mailbox, BusError> {
        let kind = if what == Serve::Commands { MailboxKind::Commands } else { MailboxKind::Events };
        self.shared.subscribe(Source::Served(what), kind)
    }

    fn claim(&self, inbox: Inbox) -> Result<Mailbox, BusError> {
        self.shared.subscribe(Source::Inbox(inbox), MailboxKind::Letters)
    }
}

impl Shared {
    /// The publishers, if the broker takes messages.
    fn publishers(&self) -> Result<Publishers, BusError> {
        if *self.state.borrow() == State::Blocked {
            return Err(BusError::Away);
        }
        self.publishers.lock().clone().ok_or(BusError::Away)
    }

    /// Sends a message and waits for the outcome.
    async fn send(&self, job: Job) -> Result<(), BusError> {
        let sent = self.publishers()?.push(job)?;
        time::timeout(CONFIRM_PATIENCE, sent).await.ok().and_then(Result::ok).unwrap_or(Err(BusError::Unconfirmed))
    }

    async fn ask(&self, to: &InstanceId, command: Payload, deadline: Duration) -> Result<Payload, BusError> {
        if command.as_bytes().len() > PAYLOAD_BYTES {
            return Err(BusError::TooLarge);
        }
        let id = Uuid::now_v7().to_string();
        let (answer, answered) = oneshot::channel();
        let _asked = Asked::new(self, &id, answer)?;
        let sent = self.publishers()?.push(Job::command(to, &command, &id, deadline, &self.instance))?;
        let reply = async {
            tokio::select! {
                biased;
                reply = answered => self.counts.reply(reply.map_err(|_| BusError::Late)?),
                error = publisher::not_taken(sent) => Err(error),
            }
        };
        time::timeout(deadline, reply).await.unwrap_or(Err(BusError::Late))
    }

    /// Hands a reply to its request.
    fn answer(&self, id: &str, reply: Payload) {
        match self.requests.lock().remove(id) {
            Some(asked) => drop(asked.send(reply)),
            None => self.counts.unexpected.add(),
        }
    }

    fn subscribe(&self, source: Source, kind: MailboxKind) -> Result<Mailbox, BusError> {
        let mut subscriptions = self.subscriptions.lock();
        subscriptions.retain(|subscription| !subscription.outlet.is_closed());
        let taken = kind == MailboxKind::Commands && subscriptions.iter().any(|other| other.outlet.kind() == kind);
        if taken || subscriptions.len() >= self.bounds.mailboxes {
            return Err(BusError::Full);
        }
        let (mailbox, outlet) = Mailbox::new(self.bounds.prefetch, kind, &self.counts);
        let number = self.last_subscription.fetch_add(1, Ordering::Relaxed) + 1;
        subscriptions.push(Arc::new(Subscription { number, source, outlet }));
        self.subscription_added.notify_one();
        Ok(mailbox)
    }

    /// The subscriptions after this one that still have a mailbox.
    fn subscriptions_after(&self, number: u64) -> Vec<Arc<Subscription>> {
        let open = |other: &&Arc<Subscription>| other.number > number && !other.outlet.is_closed();
        self.subscriptions.lock().iter().filter(open).cloned().collect()
    }
}

/// A request that waits for its reply. Dropping it removes it from the list.
struct Asked<'a> {
    shared: &'a Shared,
    id: &'a str,
}

impl<'a> Asked<'a> {
    fn new(shared: &'a Shared, id: &'a str, answer: oneshot::Sender<Payload>) -> Result<Self, BusError> {
        let mut requests = shared.requests.lock();
        if requests.len() >= shared.bounds.requests {
            return Err(BusError::Full);
        }
        requests.insert(id.to_owned(), answer);
        Ok(Self { shared, id })
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.shared.requests.lock().remove(self.id);
    }
}

/// Runs two sessions at a time until the bus is dropped.
async fn run(shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
    let mut turn = Turn::first(shared.brokers.len(), &shared.instance);
    loop {
        let Err(fault) = sessions(&shared, &mut turn, &mut stopped).await else { return };
        shared.counts.disconnected.add();
        let new = shared.state.send_if_modified(|state| {
            let away = State::Away(fault.clone());
            let new = *state != away;
            *state = away;
            new
        });
        if new {
            tracing::warn!(%fault, "the bus is away; trying again every 0.2 to 2 s");
        }
        let pause = SHORTEST_PAUSE_MS + Uuid::new_v4().as_u128() % (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS);
        tokio::select! {
            () = time::sleep(Duration::from_millis(u64::try_from(pause).unwrap_or_default())) => {}
            _ = stopped.changed() => return,
        }
    }
}

/// Connects, declares, consumes, and runs until something fails or the bus is dropped. Then everything is closed.
async fn sessions(shared: &Arc<Shared>, turn: &mut Turn, stopped: &mut watch::Receiver<()>) -> Result<(), Fault> {
    let [mut publishing, mut consuming] = tokio::select! {
        opened = session::connect(shared, turn) => opened?,
        _ = stopped.changed() => return Ok(()),
    };
    let ended = tokio::select! {
        Err(fault) = hold(shared, &mut publishing, &mut consuming) => Err(fault.at(publishing.address())),
        _ = stopped.changed() => Ok(()),
    };
    *shared.publishers.lock() = None;
    tokio::join!(publishing.close(), consuming.close());
    ended
}

/// Runs both sessions until one fails.
async fn hold(
    shared: &Arc<Shared>,
    publishing: &mut BrokerSession,
    consuming: &mut BrokerSession,
) -> Result<Infallible, Fault> {
    let session = &Uuid::new_v4().simple().to_string()[..8];
    let mut tasks = JoinSet::new();
    let connections = [&publishing.connection, &consuming.connection];
    let publishers = in_time(prepare(shared, connections, session, &mut tasks)).await?;
    *shared.publishers.lock() = Some(publishers);
    shared.counts.connected.add();
    let mut last_subscription = 0;
    let mut look = time::interval(LOOK_INTERVAL);
    loop {
        for subscription in shared.subscriptions_after(last_subscription) {
            let filling = intake::fill(shared.clone(), &subscription, &consuming.connection, session);
            tasks.spawn(in_time(filling).await?);
            last_subscription = subscription.number;
        }
        if !publishing.blocked() && shared.state.send_if_modified(up) {
            tracing::info!(broker = %publishing.address(), "the bus is up");
        }
        tokio::select! {
            Some(ended) = tasks.join_next() => ended.map_err(|error| Fault::Lost(error.to_string()))??,
            event = publishing.event() => event?,
            event = consuming.event() => event?,
            () = shared.subscription_added.notified() => {}
            _ = look.tick() => {
                publishing.check()?;
                consuming.check()?;
            }
        }
        if publishing.blocked() && shared.state.send_if_modified(blocked) {
            tracing::warn!("the broker takes no messages: it lacks memory or disk");
        }
    }
}

/// Declares what sessions need, and opens the publishers and the queue for replies.
async fn prepare(
    shared: &Arc<Shared>,
    [publishing, consuming]: [&Connection; 2],
    session: &str,
    tasks: &mut JoinSet<Result<(), Fault>>,
) -> Result<Publishers, Fault> {
    declare::exchanges(publishing).await?;
    let absent = declare::operators_queues(publishing).await?;
    if std::mem::replace(&mut *shared.absent.lock(), absent.clone()) != absent {
        for (queue, reason) in absent {
            tracing::warn!(queue, reason, "an operator's queue is missing: what goes there waits or is dropped");
        }
    }
    tasks.spawn(intake::replies(shared.clone(), consuming, session).await?);
    Publishers::open(publishing, shared, tasks).await
}

/// What a broker does soon, unless it hangs while its connections live.
async fn in_time<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let hangs = || Fault::Lost(format!("the broker has declared nothing for {DECLARE_PATIENCE:?}"));
    time::timeout(DECLARE_PATIENCE, work).await.unwrap_or_else(|_| Err(hangs()))
}

/// Sets the state to up. Returns whether it changed.
fn up(state: &mut State) -> bool {
    std::mem::replace(state, State::Up) != State::Up
}

/// Sets the state to blocked. Returns whether it changed.
fn blocked(state: &mut State) -> bool {
    std::mem::replace(state, State::Blocked) != State::Blocked
}
