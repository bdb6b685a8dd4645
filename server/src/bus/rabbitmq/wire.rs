//! The AMQP form of messages: exchange and routing key of each kind, and the use of the properties.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::{
    publisher::{Job, MessageKind},
    *,
};

/// `delivery_mode`: the message outlives a restart of the broker.
const PERSISTENT: u8 = 2;

impl Job {
    /// A message of [`Bus::publish`].
    pub(super) fn published(to: &Address, payload: &Payload, from: &InstanceId) -> Self {
        let (kind, exchange, key) = match to {
            Address::Event(topic, key) => (MessageKind::Event, topic.exchange().name, key.as_str()),
            Address::Result(key) => (MessageKind::Durable, topology::RESULTS.name, key.as_str()),
            Address::Inbox(inbox) => (MessageKind::Durable, topology::TICKETS.name, inbox.as_str()),
        };
        let durable = kind == MessageKind::Durable;
        let mut properties = properties(&Uuid::now_v7().to_string(), from);
        if durable {
            properties = properties.with_delivery_mode(PERSISTENT);
        }
        if matches!(to, Address::Result(_)) {
            properties = properties.with_content_type(topology::RESULT_TYPE.into());
        }
        Self { kind, exchange, key: key.to_owned(), mandatory: durable, properties, body: payload.as_bytes().clone() }
    }

    /// A command. The broker, too, drops it after its deadline.
    pub(super) fn command(to: &InstanceId, command: &Payload, id: &str, deadline: Duration, from: &InstanceId) -> Self {
        let mut headers = FieldTable::default();
        headers.insert(topology::DEADLINE.into(), AMQPValue::LongLongInt(unix_ms(SystemTime::now() + deadline)));
        let properties = properties(id, from)
            .with_reply_to(from.as_str().into())
            .with_expiration(deadline.as_millis().to_string().into())
            .with_headers(headers);
        let (kind, exchange) = (MessageKind::Command, topology::COMMAND.name);
        Self { kind, exchange, key: to.to_string(), mandatory: true, properties, body: command.as_bytes().clone() }
    }

    /// The reply to a command.
    pub(super) fn reply(command: &BasicProperties, reply: &Payload, from: &InstanceId) -> Option<Self> {
        let to = InstanceId::new(command.reply_to().as_ref()?.as_str()).ok()?;
        let id = command.message_id().clone()?;
        let properties = properties(&Uuid::now_v7().to_string(), from).with_correlation_id(id);
        let (kind, exchange) = (MessageKind::Command, topology::COMMAND.name);
        let key = topology::reply_key(to.as_str());
        Some(Self { kind, exchange, key, mandatory: false, properties, body: reply.as_bytes().clone() })
    }

    /// A dead letter: the beginning of the original, and the reason.
    pub(super) fn dead(message: &Held, reason: &str, by: &InstanceId) -> Self {
        let mut headers = FieldTable::default();
        for (header, value) in [
            (topology::REASON, reason),
            (topology::REASON_EXCHANGE, message.exchange.as_str()),
            (topology::REASON_KEY, message.key.as_str()),
            (topology::REASON_INSTANCE, by.as_str()),
        ] {
            headers.insert(header.into(), AMQPValue::LongString(value.into()));
        }
        let properties =
            properties(&Uuid::now_v7().to_string(), by).with_delivery_mode(PERSISTENT).with_headers(headers);
        let body = message.body.slice(..message.body.len().min(PAYLOAD_BYTES));
        let (kind, exchange) = (MessageKind::Durable, topology::DEAD.name);
        Self { kind, exchange, key: String::new(), mandatory: true, properties, body }
    }
}

fn properties(id: &str, from: &InstanceId) -> BasicProperties {
    BasicProperties::default().with_message_id(id.into()).with_app_id(format!("tiltyard {from}").into())
}

/// A message that has been handed out and is not settled.
pub(super) struct Held {
    pub(super) acker: Acker,
    pub(super) exchange: ShortString,
    pub(super) key: ShortString,
    pub(super) properties: BasicProperties,
    pub(super) body: Bytes,
}

impl Held {
    /// Splits a delivery into what is kept to settle it and what is handed out.
    pub(super) fn of(message: Message) -> (Self, Arrival) {
        let Message { delivery_tag, exchange, routing_key, redelivered, properties, data, acker } = message;
        let body = Bytes::from(data);
        let arrival = Arrival {
            tag: delivery_tag,
            key: routing_key.to_string(),
            payload: Payload::from_bytes(body.clone()),
            redelivered,
            deadline: deadline(&properties),
        };
        (Self { acker, exchange, key: routing_key, properties, body }, arrival)
    }
}

fn deadline(properties: &BasicProperties) -> Option<SystemTime> {
    match properties.headers().as_ref()?.inner().get(topology::DEADLINE)? {
        AMQPValue::LongLongInt(ms) => UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(*ms).unwrap_or(0))),
        _ => None,
    }
}

fn unix_ms(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
