//! The bus inside one process, for servers without a broker and for tests that simulate a fleet.
//!
//! It keeps the same promises as the bus over RabbitMQ, by queues in memory. Nothing outlives the [`Hub`]; results have
//! no consumer.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::{Mutex, MutexGuard};
use tokio::{
    sync::{Semaphore, oneshot, watch},
    time,
};

use super::{
    Address, Bounds, Bus, BusError, BusFuture, Counts, Inbox, InstanceId, Key, Link, Mailbox, PAYLOAD_BYTES, Pattern,
    Payload, Serve, State, Topic,
    mailbox::{Arrival, Handing, MailboxKind, Outlet, Settlement},
};

mod queue;

use queue::{Message, Overflow, Queue};

/// The shared state of the instances of one process.
#[derive(Clone, Debug)]
pub struct Hub {
    shared: Arc<Shared>,
}

/// A message that could not be handled, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The reason.
    pub reason: String,
    /// The key it was sent with.
    pub key: String,
    /// The message.
    pub payload: Payload,
}

#[derive(Debug)]
struct Shared {
    bounds: Bounds,
    router: Mutex<Router>,
}

/// The topics and patterns of a queue.
type Wants = Vec<(Topic, Pattern)>;

#[derive(Debug, Default)]
struct Router {
    commands: BTreeMap<InstanceId, Arc<Queue>>,
    events: Vec<(Wants, Arc<Queue>)>,
    inboxes: HashMap<Inbox, Arc<Queue>>,
    dead: VecDeque<DeadLetter>,
}

impl Hub {
    /// Creates a hub without instances.
    pub fn new(bounds: Bounds) -> Self {
        Self { shared: Arc::new(Shared { bounds, router: Mutex::default() }) }
    }

    /// Adds an instance and returns its end. Its tasks run on the tokio runtime on which its mailboxes are requested.
    pub fn join(&self, instance: InstanceId) -> Link {
        let counts = Arc::<Counts>::default();
        counts.connected.add();
        let (up, state) = watch::channel(State::Up);
        let bounds = &self.shared.bounds;
        let bus = Memory {
            instance,
            shared: self.shared.clone(),
            counts: counts.clone(),
            requests: Semaphore::new(bounds.requests),
            mailboxes: Arc::new(Semaphore::new(bounds.mailboxes)),
            _up: up,
        };
        Link { bus: Arc::new(bus), state, counts }
    }

    /// The newest dead letters, oldest first.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.shared.router().dead.iter().cloned().collect()
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self::new(Bounds::default())
    }
}

impl Shared {
    fn router(&self) -> MutexGuard<'_, Router> {
        self.router.lock()
    }

    fn queue(&self, limit: u32, overflow: Overflow) -> Arc<Queue> {
        Arc::new(Queue::new(limit as usize, overflow))
    }

    fn bury(&self, letter: DeadLetter) {
        let mut router = self.router();
        router.dead.push_back(letter);
        if router.dead.len() > self.bounds.dead {
            router.dead.pop_front();
        }
    }

    /// Removes the queue of a mailbox.
    fn forget(&self, queue: &Arc<Queue>) {
        let mut router = self.router();
        router.commands.retain(|_, other| !Arc::ptr_eq(other, queue));
        router.events.retain(|(_, other)| !Arc::ptr_eq(other, queue));
    }
}

/// An instance's end.
struct Memory {
    instance: InstanceId,
    shared: Arc<Shared>,
    counts: Arc<Counts>,
    requests: Semaphore,
    mailboxes: Arc<Semaphore>,
    _up: watch::Sender<State>,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl Bus for Memory {
    fn publish(&self, to: Address, payload: Payload) -> BusFuture<'_, ()> {
        Box::pin(async move {
            let outcome = self.put(to, payload);
            self.counts.outcome(outcome);
            outcome
        })
    }

    fn request(&self, to: &InstanceId, command: Payload, deadline: Duration) -> BusFuture<'_, Payload> {
        let to = *to;
        self.counts.requests.add();
        Box::pin(async move {
            let reply = self.ask(&to, command, deadline).await;
            if let Err(error) = reply {
                self.counts.outcome(Err(error));
            }
            reply
        })
    }

    fn serve(&self, what: Serve) -> Result<Mailbox, BusError> {
        let bounds = &self.shared.bounds;
        match what {
            Serve::Commands => {
                let queue = self.shared.queue(bounds.commands, Overflow::Refuse);
                let mut router = self.shared.router();
                if router.commands.get(&self.instance).is_some_and(|queue| !queue.is_abandoned()) {
                    return Err(BusError::Full);
                }
                let mailbox = self.open(queue.clone(), MailboxKind::Commands)?;
                router.commands.insert(self.instance, queue);
                Ok(mailbox)
            }
            Serve::Events(patterns) => {
                let queue = self.shared.queue(bounds.events, Overflow::DropOldest);
                let mailbox = self.open(queue.clone(), MailboxKind::Events)?;
                self.shared.router().events.push((patterns, queue));
                Ok(mailbox)
            }
        }
    }

    fn claim(&self, inbox: Inbox) -> Result<Mailbox, BusError> {
        let limit = self.shared.bounds.inbox;
        let mut router = self.shared.router();
        let queue = router.inboxes.entry(inbox).or_insert_with(|| self.shared.queue(limit, Overflow::Refuse)).clone();
        self.open(queue, MailboxKind::Letters)
    }
}

impl Memory {
    fn put(&self, to: Address, payload: Payload) -> Result<(), BusError> {
        if payload.as_bytes().len() > PAYLOAD_BYTES {
            return Err(BusError::TooLarge);
        }
        match to {
            Address::Event(topic, key) => self.put_event(topic, &key, &payload),
            Address::Result(_) => {}
            Address::Inbox(inbox) => {
                let router = self.shared.router();
                let queue = router.inboxes.get(&inbox).ok_or(BusError::Unroutable)?;
                queue.push(Message::new(inbox.as_str(), payload)).map_err(|_| BusError::Full)?;
            }
        }
        Ok(())
    }

    fn put_event(&self, topic: Topic, key: &Key, payload: &Payload) {
        for (patterns, queue) in &self.shared.router().events {
            let wanted = patterns.iter().any(|(one, pattern)| *one == topic && pattern.fits(key));
            if wanted && queue.push(Message::new(key.as_str(), payload.clone())).is_ok_and(|dropped| dropped) {
                self.counts.dropped.add();
            }
        }
    }

    async fn ask(&self, to: &InstanceId, command: Payload, deadline: Duration) -> Result<Payload, BusError> {
        if command.as_bytes().len() > PAYLOAD_BYTES {
            return Err(BusError::TooLarge);
        }
        let _permit = self.requests.try_acquire().map_err(|_| BusError::Full)?;
        let (answer, answered) = oneshot::channel();
        let mut message = Message::new(to.as_str(), command);
        message.deadline = Some(SystemTime::now() + deadline);
        message.answer = Some(answer);
        let queue = self.shared.router().commands.get(to).cloned().ok_or(BusError::Unroutable)?;
        queue.push(message).map_err(|_| BusError::Full)?;
        let reply = time::timeout(deadline, answered).await.ok().and_then(Result::ok).ok_or(BusError::Late)?;
        self.counts.reply(reply)
    }

    /// Opens a mailbox that is filled from a queue.
    fn open(&self, queue: Arc<Queue>, kind: MailboxKind) -> Result<Mailbox, BusError> {
        let permit = self.mailboxes.clone().try_acquire_owned().map_err(|_| BusError::Full)?;
        let (mailbox, outlet) = Mailbox::new(self.shared.bounds.prefetch, kind, &self.counts);
        let shared = self.shared.clone();
        tokio::spawn(async move {
            deliver(&shared, &queue, &outlet).await;
            if kind != MailboxKind::Letters {
                queue.abandon();
                shared.forget(&queue);
            }
            drop(permit);
        });
        Ok(mailbox)
    }
}

/// Fills a mailbox from a queue until the mailbox is dropped. An inbox is delivered only when it is this claim's turn.
async fn deliver(shared: &Shared, queue: &Queue, outlet: &Outlet) {
    let _turn = tokio::select! {
        turn = queue.turn() => turn,
        () = outlet.closed() => return,
    };
    let mut handing = outlet.begin();
    handing.opened().await;
    let mut out = BTreeMap::new();
    let mut tag = 0;
    loop {
        tokio::select! {
            settled = handing.settled() => {
                let Some((tag, settlement)) = settled else { break };
                if let Some(message) = out.remove(&tag) {
                    settle(shared, queue, message, settlement);
                }
            }
            message = queue.pop(), if out.len() < usize::from(outlet.prefetch()) => {
                tag += 1;
                hand(&handing, tag, &message).await;
                out.insert(tag, message);
            }
        }
    }
    out.into_values().for_each(|message| queue.put_back(message));
}

async fn hand(handing: &Handing, tag: u64, message: &Message) {
    let Message { key, payload, redelivered, deadline, .. } = message;
    let (key, payload) = (key.clone(), payload.clone());
    handing.hand(Arrival { tag, key, payload, redelivered: *redelivered, deadline: *deadline }).await;
}

fn settle(shared: &Shared, queue: &Queue, message: Message, settlement: Settlement) {
    match settlement {
        Settlement::Acknowledged => {}
        Settlement::Requeued => queue.put_back(message),
        Settlement::Replied(reply) => {
            if let Some(answer) = message.answer {
                let _gone = answer.send(reply);
            }
        }
        Settlement::Dead(reason) => shared.bury(DeadLetter { reason, key: message.key, payload: message.payload }),
    }
}
