//! Consuming from the broker: each mailbox has a channel of its own with its own prefetch, and so have the replies to
//! this instance. All acknowledgements are manual.

use std::{pin::Pin, task::Context};

use futures_util::Stream as _;

use super::{wire::Held, *};

/// The task that a session runs for a mailbox.
pub(super) trait Task: Future<Output = Result<(), Fault>> + Send + 'static {}

impl<T: Future<Output = Result<(), Fault>> + Send + 'static> Task for T {}

/// Consumes the replies to this instance's requests.
pub(super) async fn replies(shared: Arc<Shared>, connection: &Connection, session: &str) -> Result<impl Task, Fault> {
    let bounds = &shared.bounds;
    let channel = open_channel(connection, bounds.prefetch).await?;
    let queue = topology::instance_queue(&shared.instance, session, "replies");
    declare::exclusive(&channel, &queue, u32::try_from(bounds.requests).unwrap_or(u32::MAX), false).await?;
    let key = topology::reply_key(shared.instance.as_str());
    declare::bind(&channel, &queue, topology::COMMAND.name, &key).await?;
    let mut consumer = consume(&channel, queue.into()).await?;
    Ok(async move {
        loop {
            let message = next(&mut consumer).await?;
            message.acker.ack(BasicAckOptions::default()).await.map_err(|error| session::lost(&error))?;
            let id = message.properties.correlation_id().clone().unwrap_or_default();
            shared.answer(id.as_str(), Payload::from_bytes(message.data));
        }
    })
}

/// Fills a mailbox until it is dropped.
pub(super) async fn fill(
    shared: Arc<Shared>,
    subscription: &Subscription,
    connection: &Connection,
    session: &str,
) -> Result<impl Task + use<>, Fault> {
    let outlet = subscription.outlet.clone();
    let channel = open_channel(connection, outlet.prefetch()).await?;
    let queue = declare_source(&shared, subscription, &channel, session).await?;
    let consumer = consume(&channel, queue).await?;
    let intake =
        Intake { shared, channel, consumer, handing: outlet.begin(), out: HashMap::new(), burials: JoinSet::new() };
    Ok(intake.run())
}

/// Declares and binds the queue that a mailbox consumes.
async fn declare_source(
    shared: &Shared,
    subscription: &Subscription,
    channel: &Channel,
    session: &str,
) -> Result<ShortString, Fault> {
    let (instance, bounds) = (&shared.instance, &shared.bounds);
    match &subscription.source {
        Source::Inbox(inbox) => declare::inbox(channel, inbox).await,
        Source::Served(Serve::Commands) => {
            let queue = topology::instance_queue(instance, session, &format!("commands-{}", subscription.number));
            declare::exclusive(channel, &queue, bounds.commands, true).await?;
            declare::bind(channel, &queue, topology::COMMAND.name, instance.as_str()).await?;
            Ok(queue.into())
        }
        Source::Served(Serve::Events(patterns)) => {
            let queue = topology::instance_queue(instance, session, &format!("events-{}", subscription.number));
            declare::exclusive(channel, &queue, bounds.events, false).await?;
            for (topic, pattern) in patterns {
                declare::bind(channel, &queue, topic.exchange().name, pattern.as_str()).await?;
            }
            Ok(queue.into())
        }
    }
}

async fn open_channel(connection: &Connection, prefetch: u16) -> Result<Channel, Fault> {
    let channel = connection.create_channel().await.map_err(|error| session::lost(&error))?;
    channel.basic_qos(prefetch, BasicQosOptions::default()).await.map_err(|error| session::lost(&error))?;
    Ok(channel)
}

async fn consume(channel: &Channel, queue: ShortString) -> Result<Consumer, Fault> {
    let consumer = channel.basic_consume(queue, "".into(), BasicConsumeOptions::default(), FieldTable::default());
    consumer.await.map_err(|error| session::lost(&error))
}

async fn next(consumer: &mut Consumer) -> Result<Message, Fault> {
    match std::future::poll_fn(|cx: &mut Context<'_>| Pin::new(&mut *consumer).poll_next(cx)).await {
        Some(Ok(message)) => Ok(message),
        Some(Err(error)) => Err(session::lost(&error)),
        None => Err(Fault::Lost("a queue is gone".to_owned())),
    }
}

/// The consumer of a mailbox.
struct Intake {
    shared: Arc<Shared>,
    channel: Channel,
    consumer: Consumer,
    handing: Handing,
    /// Unsettled messages by delivery tag. At most `prefetch`.
    out: HashMap<u64, Held>,
    /// Dead letters on their way; their messages are still unacknowledged.
    burials: JoinSet<()>,
}

impl Intake {
    async fn run(mut self) -> Result<(), Fault> {
        self.handing.opened().await;
        loop {
            tokio::select! {
                biased;
                settled = self.handing.settled() => match settled {
                    Some((tag, settlement)) => self.settle(tag, settlement).await?,
                    None => break,
                },
                message = next(&mut self.consumer) => {
                    let (held, arrival) = Held::of(message?);
                    self.out.insert(arrival.tag, held);
                    self.handing.hand(arrival).await;
                }
            }
            while self.burials.try_join_next().is_some() {}
        }
        // The broker immediately gives unsettled messages to the next claim.
        self.channel.close(200, "goodbye".into()).await.map_err(|error| session::lost(&error))
    }

    async fn settle(&mut self, tag: u64, settlement: Settlement) -> Result<(), Fault> {
        let Some(held) = self.out.remove(&tag) else { return Ok(()) };
        let settled = match settlement {
            Settlement::Acknowledged => held.acker.ack(BasicAckOptions::default()).await,
            Settlement::Requeued => held.acker.nack(put_back()).await,
            Settlement::Replied(reply) => {
                if let (Some(reply), Ok(publishers)) =
                    (Job::reply(&held.properties, &reply, &self.shared.instance), self.shared.publishers())
                {
                    // Further commands wait in their queue until there is room for it.
                    let _ended = publishers.push_patiently(reply).await;
                }
                held.acker.ack(BasicAckOptions::default()).await
            }
            Settlement::Dead(reason) => {
                self.burials.spawn(bury(self.shared.clone(), held, reason));
                Ok(true)
            }
        };
        settled.map(drop).map_err(|error| session::lost(&error))
    }
}

/// Sends a dead letter, and acknowledges the original only then. On failure the original is put back and comes again; but
/// where the operator has no queue for dead letters, it is dropped.
async fn bury(shared: Arc<Shared>, held: Held, reason: String) {
    let buried = shared.send(Job::dead(&held, &reason, &shared.instance)).await;
    // An error means that the connection is gone, which its session knows.
    let _gone = match buried {
        Ok(()) => held.acker.ack(BasicAckOptions::default()).await,
        Err(BusError::Unroutable) => {
            shared.counts.unburied.add();
            held.acker.ack(BasicAckOptions::default()).await
        }
        Err(_) => held.acker.nack(put_back()).await,
    };
}

fn put_back() -> BasicNackOptions {
    BasicNackOptions { requeue: true, ..BasicNackOptions::default() }
}
