//! Publishing to the broker: three publishers, each a channel with confirms, so that a slow quorum queue delays no
//! event.
//!
//! A publisher sends in batches, and answers when a whole batch is confirmed. This makes returned messages certain:
//! lapin attaches each to whichever confirm completes next, but a return comes before its own confirm, so the returns
//! of a batch are all attached to confirms of that batch; the message id tells them apart.

use std::{collections::HashSet, pin::pin};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::*;

/// The maximum number of messages that are confirmed together.
const BATCH: usize = 256;
/// The maximum time for a batch. After that the session is given up, unless the broker is blocked.
const BATCH_PATIENCE: Duration = Duration::from_secs(30);

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
    while queued.recv_many(&mut batch, BATCH).await > 0 {
        let outcomes = patiently(publish(&channel, &batch), &state).await?;
        for (queued, outcome) in batch.drain(..).zip(outcomes) {
            let _gave_up = queued.outcome.send(outcome);
        }
    }
    Ok(())
}

/// Waits for a batch; without a time limit while the broker is blocked.
async fn patiently<T>(
    batch: impl Future<Output = Result<T, Error>>,
    state: &watch::Receiver<State>,
) -> Result<T, Fault> {
    let mut batch = pin!(batch);
    loop {
        match time::timeout(BATCH_PATIENCE, &mut batch).await {
            Ok(outcomes) => return outcomes.map_err(|error| session::lost(&error)),
            Err(_) if *state.borrow() == State::Blocked => {}
            Err(_) => return Err(Fault::Lost("the broker confirms nothing".to_owned())),
        }
    }
}

/// Publishes a batch and returns the outcome of each message.
async fn publish(channel: &Channel, batch: &[Queued]) -> Result<Vec<Result<(), BusError>>, Error> {
    let mut confirms = Vec::with_capacity(batch.len());
    for Queued { job, .. } in batch {
        let options = BasicPublishOptions { mandatory: job.mandatory, ..BasicPublishOptions::default() };
        let (exchange, key, properties) = (job.exchange.into(), job.key.as_str().into(), job.properties.clone());
        confirms.push(channel.basic_publish(exchange, key, options, &job.body, properties).await?);
    }
    let mut returned = HashSet::new();
    let mut taken = Vec::with_capacity(batch.len());
    for confirm in confirms {
        let confirm = confirm.await?;
        taken.push(!matches!(confirm, Confirmation::Nack(_)));
        if let Some(message) = confirm.take_message() {
            returned.extend(message.delivery.properties.message_id().clone());
        }
    }
    let outcome = |(queued, taken): (&Queued, bool)| match queued.job.properties.message_id() {
        Some(id) if returned.contains(id) => Err(BusError::Unroutable),
        _ if taken => Ok(()),
        _ => Err(BusError::Full),
    };
    Ok(batch.iter().zip(taken).map(outcome).collect())
}
