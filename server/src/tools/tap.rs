//! `tiltyard tap`: prints events between instances live, as one JSON object a line.
//!
//! It listens as an instance does, by an exclusive queue of its own, so that nobody else misses anything. Commands,
//! tickets and results go to one receiver each and are not seen.

use std::{
    io::{self, Write as _},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    bus::{Bounds, Delivery, Incoming, Mailbox, Pattern, Serve, State, Topic, rabbitmq},
    config::AmqpUrl,
    fleet::{
        messages::{self, Channel},
        random_id,
    },
};

/// Prints events whose keys fit the pattern until standard output closes or a signal ends the process.
///
/// # Errors
///
/// If the pattern is invalid, or the broker cannot be used.
pub(crate) async fn listen(url: Option<&AmqpUrl>, pattern: &str) -> anyhow::Result<()> {
    let pattern = Pattern::new(pattern.split('.')).with_context(|| format!("{pattern:?} is not a pattern"))?;
    let url = url.context("which broker? --amqp-url or AMQP_URL names it")?.text().to_owned();
    let link = rabbitmq::open(rabbitmq::Config { url, instance: random_id(), bounds: Bounds::default() })?;
    link.first_attempt().await?;
    let events = |topic| link.bus.serve(Serve::Events(vec![(topic, pattern.clone())]));
    let (mut cluster, mut lobby) = (events(Topic::Cluster)?, events(Topic::Lobby)?);
    let mut state = link.state.clone();
    loop {
        let line = tokio::select! {
            line = next(&mut cluster, Channel::Cluster) => line,
            line = next(&mut lobby, Channel::Lobby) => line,
            line = interruption(&mut state) => line,
        };
        let Some(line) = line else { return Ok(()) };
        if writeln!(io::stdout().lock(), "{line}").is_err() {
            return Ok(()); // whoever read it has gone
        }
    }
}

/// Waits for the next event of a topic; `None` once the bus is closed.
async fn next(mailbox: &mut Mailbox, channel: Channel) -> Option<Value> {
    loop {
        match mailbox.next().await? {
            Incoming::Opened => {}
            Incoming::Delivery(delivery) => return Some(line(channel, &delivery)),
        }
    }
}

fn line(channel: Channel, delivery: &Delivery) -> Value {
    let exchange = if channel == Channel::Cluster { Topic::Cluster } else { Topic::Lobby }.exchange().name;
    let mut line = json!({ "at_ms": now_ms(), "exchange": exchange, "key": delivery.key() });
    match messages::json(channel, delivery.payload()) {
        Ok(event) => line["event"] = event,
        Err(reason) => line["unreadable"] = json!(reason.to_string()),
    }
    line
}

/// Waits for the next change of the bus's state, and returns it as a line.
async fn interruption(state: &mut watch::Receiver<State>) -> Option<Value> {
    state.changed().await.ok()?;
    let told = match &*state.borrow_and_update() {
        State::Connecting => "connecting".to_owned(),
        State::Up => "up".to_owned(),
        State::Blocked => "the broker takes no messages".to_owned(),
        State::Away(fault) => fault.to_string(),
    };
    Some(json!({ "at_ms": now_ms(), "broker": told }))
}

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}
