//! The exchanges and queues that sessions need at the broker, and those of the operator, which they only fill. Exchanges
//! and the operator's queues are looked up first, and declared only if missing: a user with least privilege may not
//! declare them.

use super::{
    topology::{EXCHANGES, Exchange, Kind, QUEUES, Queue},
    *,
};

const NOT_FOUND: u16 = 404;
/// The maximum time to look for one of the operator's queues. Its cluster may have lost its majority.
const QUEUE_PATIENCE: Duration = Duration::from_secs(1);

/// Ensures that every exchange exists.
pub(super) async fn exchanges(connection: &Connection) -> Result<(), Fault> {
    let mut channel = connection.create_channel().await.map_err(|error| session::lost(&error))?;
    for exchange in EXCHANGES {
        if missing(declare_exchange(&channel, exchange, true).await)? {
            channel = connection.create_channel().await.map_err(|error| session::lost(&error))?;
            declare_exchange(&channel, exchange, false).await.map_err(|error| session::lost(&error))?;
        }
    }
    Ok(())
}

/// Creates what is missing of the operator's queues, if this user may. A session does not depend on them: others consume
/// them, and whoever fills them sees what is returned. So this fails only with the connection.
///
/// Returns those that are still missing, each with the reason.
pub(super) async fn operators_queues(connection: &Connection) -> Result<Vec<(&'static str, String)>, Fault> {
    let mut absent = Vec::new();
    for queue in QUEUES {
        match time::timeout(QUEUE_PATIENCE, ensure(connection, queue)).await {
            Ok(Ok(())) => {}
            Ok(Err(Fault::Lost(reason))) if !connection.status().connected() => return Err(Fault::Lost(reason)),
            Ok(Err(fault)) => absent.push((queue.name, fault.to_string())),
            Err(_) => absent.push((queue.name, format!("no answer within {QUEUE_PATIENCE:?}"))),
        }
    }
    Ok(absent)
}

/// Ensures that a queue exists.
async fn ensure(connection: &Connection, queue: Queue) -> Result<(), Fault> {
    let open = async || connection.create_channel().await.map_err(|error| session::lost(&error));
    if missing(declare_queue(&open().await?, queue, true).await)? {
        let channel = open().await?;
        declare_queue(&channel, queue, false).await.map_err(|error| session::lost(&error))?;
        bind(&channel, queue.name, queue.source, queue.key).await?;
    }
    Ok(())
}

/// Whether the broker closed the channel because something does not exist.
fn missing(declared: Result<(), Error>) -> Result<bool, Fault> {
    match declared {
        Ok(()) => Ok(false),
        Err(error) => match error.kind() {
            ErrorKind::ProtocolError(told) if told.get_id() == NOT_FOUND => Ok(true),
            _ => Err(session::lost(&error)),
        },
    }
}

async fn declare_exchange(channel: &Channel, exchange: Exchange, passive: bool) -> Result<(), Error> {
    let kind = match exchange.kind {
        Kind::Topic => ExchangeKind::Topic,
        Kind::Direct => ExchangeKind::Direct,
        Kind::Fanout => ExchangeKind::Fanout,
    };
    let options = ExchangeDeclareOptions { passive, durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(exchange.name.into(), kind, options, FieldTable::default()).await
}

async fn declare_queue(channel: &Channel, queue: Queue, passive: bool) -> Result<(), Error> {
    let options = QueueDeclareOptions { passive, durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.name.into(), options, quorum()).await.map(drop)
}

/// Declares and binds the durable queue of an inbox.
pub(super) async fn inbox(channel: &Channel, inbox: &Inbox) -> Result<ShortString, Fault> {
    let name = topology::inbox_queue(inbox);
    let mut arguments = quorum();
    arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.as_str().into(), options, arguments).await.map_err(|error| session::lost(&error))?;
    bind(channel, &name, topology::TICKETS.name, inbox.as_str()).await?;
    Ok(name.into())
}

/// Declares a queue that lives as long as its consumer. When full it drops its oldest message, or refuses new ones.
pub(super) async fn exclusive(channel: &Channel, name: &str, limit: u32, refuses: bool) -> Result<(), Fault> {
    let overflow = if refuses { "reject-publish" } else { "drop-head" };
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(limit.into()));
    arguments.insert("x-overflow".into(), AMQPValue::LongString(overflow.into()));
    let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), options, arguments).await.map(drop).map_err(|error| session::lost(&error))
}

/// Binds a queue to an exchange.
pub(super) async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), Fault> {
    let bound = channel.queue_bind(
        queue.into(),
        exchange.into(),
        key.into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    bound.await.map_err(|error| session::lost(&error))
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments
}
