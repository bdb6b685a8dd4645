//! An instance of the next version: what it sends has fields that nobody knows yet, and between its messages are some of kinds
//! that nobody knows.

use std::{sync::Arc, time::Duration};

use rmpv::Value;
use tiltyard_core::packed;
use tiltyard_server::bus::{
    Address, Bus, BusError, BusFuture, Inbox, InstanceId, Link, Mailbox, Payload, SCHEMA, Serve,
};

/// Before the message: the version of the envelope, no key, and the schema.
const HEAD_BYTES: usize = 4;

#[derive(Debug)]
struct Later(Arc<dyn Bus>);

/// This end of the bus, as the next version would use it.
pub(crate) fn later(link: Link) -> Link {
    Link { bus: Arc::new(Later(link.bus.clone())), ..link }
}

impl Bus for Later {
    fn publish(&self, to: Address, payload: Payload) -> BusFuture<'_, ()> {
        if matches!(to, Address::Result(_)) {
            return self.0.publish(to, payload);
        }
        Box::pin(async move {
            self.0.publish(to.clone(), unheard_of()).await?;
            self.0.publish(to, with_more(&payload)).await
        })
    }

    fn request(&self, to: &InstanceId, command: Payload, deadline: Duration) -> BusFuture<'_, Payload> {
        let to = *to;
        Box::pin(async move {
            match self.0.request(&to, unheard_of(), deadline).await {
                Ok(reply) => panic!("a command that nobody knows was answered by {reply:?}"),
                // At once, so that whoever asks can do something else.
                Err(BusError::NotUnderstood) => {}
                Err(error) => return Err(error),
            }
            self.0.request(&to, with_more(&command), deadline).await
        })
    }

    fn serve(&self, what: Serve) -> Result<Mailbox, BusError> {
        self.0.serve(what)
    }

    fn claim(&self, inbox: Inbox) -> Result<Mailbox, BusError> {
        self.0.claim(inbox)
    }
}

/// A message of a kind that nobody knows.
fn unheard_of() -> Payload {
    envelope(&Value::Map(vec![("Foretold".into(), Value::Map(vec![("of".into(), 7.into())]))]))
}

/// The message with more fields in it, wherever there are some.
fn with_more(payload: &Payload) -> Payload {
    envelope(&more(read(&payload.as_bytes()[HEAD_BYTES..])))
}

fn more(value: Value) -> Value {
    match value {
        // Names of variants begin with a capital, those of fields do not.
        Value::Map(entries) if entries.iter().any(|(name, _)| is_variant(name)) => {
            Value::Map(entries.into_iter().map(|(name, value)| (name, more(value))).collect())
        }
        Value::Map(entries) => {
            let entries = entries.into_iter().map(|(name, value)| match (name.as_str(), value) {
                (Some("said"), Value::Array(said)) => (name, Value::Array(more_said(said))),
                (_, value) => (name, more(value)),
            });
            Value::Map(entries.chain([("later".into(), Value::Array(vec![1.into(), "x".into()]))]).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(more).collect()),
        other => other,
    }
}

fn is_variant(name: &Value) -> bool {
    name.as_str().is_some_and(|name| name.starts_with(|first: char| first.is_ascii_uppercase()))
}

/// What is said to a matchmaking service, each packed for itself, and something that no service knows.
fn more_said(said: Vec<Value>) -> Vec<Value> {
    let repacked = |said: Value| Value::Binary(packed::pack(&more(read(said.as_slice().unwrap()))));
    let unknown = Value::Map(vec![("age".into(), packed_zero()), ("message".into(), "Foretold".into())]);
    said.into_iter().map(repacked).chain([Value::Binary(packed::pack(&unknown))]).collect()
}

fn packed_zero() -> Value {
    read(&packed::pack(&Duration::ZERO))
}

fn read(mut bytes: &[u8]) -> Value {
    rmpv::decode::read_value(&mut bytes).unwrap()
}

fn envelope(message: &Value) -> Payload {
    let ours = Payload::of(message);
    let mut bytes = ours.as_bytes().to_vec();
    bytes[2..HEAD_BYTES].copy_from_slice(&(SCHEMA + 1).to_le_bytes());
    Payload::from_bytes(bytes)
}
