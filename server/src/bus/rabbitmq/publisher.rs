//! Publishing to the broker: three publishers, each a channel with confirms, so that a slow quorum queue delays no
//! event.
//!
//! A publisher sends in batches, and answers when a whole batch is confirmed. This makes returned messages certain:
//! lapin attaches each to whichever confirm completes next, but a return comes before its own confirm, and what is
//! returned is confirmed at once. So when a batch is whole, all its returns have been attached to confirms that have
//! completed; the message id tells them apart.
//!
//! A message waits for the confirms of all queues that it goes to. One of them may be on a node of the cluster that
//! hangs, which its other nodes notice after up to `net_ticktime`. So a batch is not waited for longer than a second: what
//! it lacks is late, and answered when its confirm comes, while the next batches go on.

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::*;

/// The maximum number of messages that are confirmed together.
const BATCH: usize = 256;
/// The maximum wait for a batch.
const BATCH_PATIENCE: Duration = Duration::from_secs(1);
/// The same while messages of former batches are late: the broker is known to hang.
const SHORT_PATIENCE: Duration = Duration::from_millis(100);
/// The maximum time in which messages are sent, or wait, and none is confirmed. After that the session is given up,
/// unless the broker is blocked. Longer than a cluster needs to give a node up by RabbitMQ's defaults: 75 s.
const SILENCE: Duration = Duration::from_secs(90);

/// A message to be sent.
pub(super) struct Job {
    pub(super) kind: MessageKind,
    pub(super) exchange: &'static str,
    pub(super) key: String,
    /// Whether it is returned if no queue takes it.
    pub(super) mandatory: bool,
    /// The AMQP properties, with a message id.
    pub(super) properties: BasicProperties,
    pub(super) body: Bytes,
}

/// The kind of a message, which selects its publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageKind {
    Event,
    Command,
    Durable,
}

/// The publishers of a session.
#[derive(Clone)]
pub(super) struct Publishers {
    events: Publisher,
    commands: Publisher,
    durable: Publisher,
}

#[derive(Clone)]
struct Publisher {
    queue: mpsc::Sender<Queued>,
    permits: Arc<Semaphore>,
}

/// Receives the outcome of a message; closed if the session ends before it is known.
pub(super) type Told = oneshot::Receiver<Result<(), BusError>>;

struct Queued {
    job: Job,
    outcome: oneshot::Sender<Result<(), BusError>>,
    _permit: OwnedSemaphorePermit,
}

impl Publishers {
    /// Opens all publishers; their tasks end with the session.
    pub(super) async fn open(
        connection: &Connection,
        shared: &Shared,
        tasks: &mut JoinSet<Result<(), Fault>>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            events: Publisher::open(connection, shared, tasks).await?,
            commands: Publisher::open(connection, shared, tasks).await?,
            durable: Publisher::open(connection, shared, tasks).await?,
        })
    }

    /// Sends a message. The outcome comes later, or never if the session ends.
    ///
    /// # Errors
    ///
    /// [`BusError::Full`] without a permit, [`BusError::Away`] at the end of a session.
    pub(super) fn push(&self, job: Job) -> Result<Told, BusError> {
        let publisher = self.of(&job);
        let permit = publisher.permits.clone().try_acquire_owned().map_err(|_| BusError::Full)?;
        publisher.put(job, permit)
    }

    /// As [`Self::push`], but waits for a permit.
    ///
    /// # Errors
    ///
    /// [`BusError::Away`] at the end of a session.
    pub(super) async fn push_patiently(&self, job: Job) -> Result<Told, BusError> {
        let publisher = self.of(&job);
        let permit = publisher.permits.clone().acquire_owned().await.map_err(|_| BusError::Away)?;
        publisher.put(job, permit)
    }

    fn of(&self, job: &Job) -> &Publisher {
        match job.kind {
            MessageKind::Event => &self.events,
            MessageKind::Command => &self.commands,
            MessageKind::Durable => &self.durable,
        }
    }
}

impl Publisher {
    async fn open(
        connection: &Connection,
        shared: &Shared,
        tasks: &mut JoinSet<Result<(), Fault>>,
    ) -> Result<Self, Fault> {
        let channel = connection.create_channel().await.map_err(|error| session::lost(&error))?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(|error| session::lost(&error))?;
        // The queue is as large as the number of permits, so that it is never full for the owner of one.
        let unconfirmed = shared.bounds.unconfirmed;
        let (queue, queued) = mpsc::channel(unconfirmed);
        tasks.spawn(run(channel, queued, shared.state.subscribe()));
        Ok(Self { queue, permits: Arc::new(Semaphore::new(unconfirmed)) })
    }

    fn put(&self, job: Job, permit: OwnedSemaphorePermit) -> Result<Told, BusError> {
        let (outcome, told) = oneshot::channel();
        self.queue.try_send(Queued { job, outcome, _permit: permit }).map_err(|_| BusError::Away)?;
        Ok(told)
    }
}

/// Waits for the error of a message that was not taken. Never completes for one that was.
pub(super) async fn not_taken(told: Told) -> BusError {
    match told.await {
        Ok(Ok(())) => std::future::pending().await,
        Ok(Err(error)) => error,
        // The session has ended, and with it the queue for the reply.
        Err(_) => BusError::Unconfirmed,
    }
}

/// Publishes one batch after another.
async fn run(channel: Channel, mut queued: mpsc::Receiver<Queued>, state: watch::Receiver<State>) -> Result<(), Fault> {
    let mut batch = Vec::with_capacity(BATCH);
    let mut unconfirmed = Unconfirmed::default();
    loop {
        let silent = time::sleep_until(unconfirmed.last + SILENCE);
        tokio::select! {
            count = queued.recv_many(&mut batch, BATCH) => match count {
                0 => return Ok(()),
                _ => patiently(unconfirmed.publish(&channel, &mut batch), &state).await?,
            },
            Some(done) = unconfirmed.sent.next() => {
                unconfirmed.take(done)?;
                unconfirmed.tell()?;
            }
            () = silent, if !unconfirmed.sent.is_empty() => match *state.borrow() {
                State::Blocked => unconfirmed.last = Instant::now(),
                _ => return Err(silence()),
            },
        }
    }
}

/// Waits for a batch; without a time limit while the broker is blocked.
async fn patiently(
    batch: impl Future<Output = Result<(), Fault>>,
    state: &watch::Receiver<State>,
) -> Result<(), Fault> {
    let mut batch = std::pin::pin!(batch);
    loop {
        match time::timeout(SILENCE, &mut batch).await {
            Ok(outcome) => return outcome,
            Err(_) if *state.borrow() == State::Blocked => {}
            Err(_) => return Err(silence()),
        }
    }
}

fn silence() -> Fault {
    Fault::Lost("the broker confirms nothing".to_owned())
}

/// A message that was sent, with the number of its batch and its confirm.
type Done = (u64, Queued, Result<Confirmation, Error>);

/// What has been sent and is not confirmed: at most one for each permit.
struct Unconfirmed {
    sent: FuturesUnordered<BoxFuture<'static, Done>>,
    /// The number of the newest batch.
    batch: u64,
    /// What is confirmed and not answered, and whether it was taken.
    confirmed: Vec<(Queued, bool)>,
    /// The ids of returned messages that are not answered.
    returned: HashSet<ShortString>,
    /// When the last confirm came, or the first message was sent since all were confirmed.
    last: Instant,
}

impl Default for Unconfirmed {
    fn default() -> Self {
        Self {
            sent: FuturesUnordered::new(),
            batch: 0,
            confirmed: Vec::new(),
            returned: HashSet::new(),
            last: Instant::now(),
        }
    }
}

impl Unconfirmed {
    /// Publishes a batch, and answers what is confirmed of it and of former ones.
    async fn publish(&mut self, channel: &Channel, batch: &mut Vec<Queued>) -> Result<(), Fault> {
        let patience = if self.sent.is_empty() { BATCH_PATIENCE } else { SHORT_PATIENCE };
        if self.sent.is_empty() {
            self.last = Instant::now();
        }
        self.batch += 1;
        let (number, mut open) = (self.batch, batch.len());
        for queued in batch.drain(..) {
            let job = &queued.job;
            let options = BasicPublishOptions { mandatory: job.mandatory, ..BasicPublishOptions::default() };
            let (exchange, key, properties) = (job.exchange.into(), job.key.as_str().into(), job.properties.clone());
            let confirm = channel.basic_publish(exchange, key, options, &job.body, properties).await;
            let confirm = confirm.map_err(|error| session::lost(&error))?;
            self.sent.push(confirm.map(move |confirm| (number, queued, confirm)).boxed());
        }
        let mut deadline = std::pin::pin!(time::sleep(patience));
        while open > 0 {
            tokio::select! {
                Some(done) = self.sent.next() => open -= usize::from(self.take(done)? == number),
                () = &mut deadline => break,
            }
        }
        self.tell()
    }

    /// Takes a confirm, and returns the number of its batch.
    fn take(&mut self, (batch, queued, confirm): Done) -> Result<u64, Fault> {
        let confirm = confirm.map_err(|error| session::lost(&error))?;
        self.last = Instant::now();
        self.confirmed.push((queued, !matches!(confirm, Confirmation::Nack(_))));
        if let Some(message) = confirm.take_message() {
            self.returned.extend(message.delivery.properties.message_id().clone());
        }
        Ok(batch)
    }

    /// Answers all that is confirmed by now.
    fn tell(&mut self) -> Result<(), Fault> {
        while let Some(Some(done)) = self.sent.next().now_or_never() {
            self.take(done)?;
        }
        for (queued, taken) in self.confirmed.drain(..) {
            let outcome = match queued.job.properties.message_id() {
                Some(id) if self.returned.remove(id) => Err(BusError::Unroutable),
                _ if taken => Ok(()),
                _ => Err(BusError::Full),
            };
            let _gave_up = queued.outcome.send(outcome);
        }
        Ok(())
    }
}
