//! AMQP without the bus, for what a test does that no instance does; the only test file that names lapin. And rabbitmqctl.

use std::{process::Command, sync::Mutex};

use futures_util::StreamExt as _;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Consumer,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
        ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
    },
    types::{AMQPValue, FieldTable},
};

use super::ground::{broker, soon};

/// A connection with a channel.
pub(crate) struct Raw {
    connection: Connection,
    channel: Channel,
    watched: Mutex<Option<Consumer>>,
}

/// What somebody tries at the broker.
#[derive(Debug)]
pub(crate) enum Attempt<'a> {
    DeclareExchange(&'a str),
    DeleteExchange(&'a str),
    DeclareQueue(&'a str),
    DeleteQueue(&'a str),
    Purge(&'a str),
    Consume(&'a str),
    Bind { queue: &'a str, exchange: &'a str },
    Publish { exchange: &'a str, key: &'a str },
}

impl Raw {
    pub(crate) async fn connect(url: &str) -> Self {
        let connection = soon(Connection::connect(url, ConnectionProperties::default())).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        Self { connection, channel, watched: Mutex::default() }
    }

    /// Begins to receive what an exchange gets.
    pub(crate) async fn watch(&self, exchange: &str) {
        let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let queue = self.channel.queue_declare("".into(), options, FieldTable::default()).await.unwrap();
        let (name, table) = (queue.name().clone(), FieldTable::default());
        let bind =
            self.channel.queue_bind(name.clone(), exchange.into(), "#".into(), QueueBindOptions::default(), table);
        bind.await.unwrap();
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let consumer = self.channel.basic_consume(name, "".into(), options, FieldTable::default()).await.unwrap();
        *self.watched.lock().unwrap() = Some(consumer);
    }

    /// The key and the reason of the next dead letter.
    pub(crate) async fn dead_letter(&self) -> (String, String) {
        let mut consumer = self.watched.lock().unwrap().take().unwrap();
        let message = consumer.next().await.unwrap().unwrap();
        *self.watched.lock().unwrap() = Some(consumer);
        let headers = message.properties.headers().clone().unwrap_or_default();
        let text = |name: &str| match headers.inner().get(name) {
            Some(AMQPValue::LongString(text)) => text.to_string(),
            _ => String::new(),
        };
        (text("x-tiltyard-key"), text("x-tiltyard-reason"))
    }

    /// Hands over the message id and the bytes of all that comes to a queue, acknowledged, until that is enough.
    pub(crate) async fn take(&self, queue: &str, mut enough: impl FnMut(String, Vec<u8>) -> bool) {
        let (options, table) = (BasicConsumeOptions::default(), FieldTable::default());
        let mut consumer = self.channel.basic_consume(queue.into(), "".into(), options, table).await.unwrap();
        loop {
            let message = soon(consumer.next()).await.unwrap().unwrap();
            message.acker.ack(BasicAckOptions::default()).await.unwrap();
            if enough(message.properties.message_id().clone().unwrap().to_string(), message.data) {
                return;
            }
        }
    }

    /// Publishes bytes.
    pub(crate) async fn publish(&self, exchange: &str, key: &str, bytes: &[u8]) {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let confirm =
            self.channel.basic_publish(exchange.into(), key.into(), options, bytes, properties).await.unwrap();
        assert!(confirm.await.unwrap().is_ack());
    }

    /// Tries something on a channel of its own.
    ///
    /// # Errors
    ///
    /// The broker's refusal.
    pub(crate) async fn attempt(&self, attempt: &Attempt<'_>) -> Result<(), String> {
        let channel = self.connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        soon(tried(&channel, attempt)).await.map_err(|error| error.to_string())
    }
}

async fn tried(channel: &Channel, attempt: &Attempt<'_>) -> lapin::Result<()> {
    let table = FieldTable::default();
    match *attempt {
        Attempt::DeclareExchange(name) => {
            let kind = lapin::ExchangeKind::Topic;
            channel.exchange_declare(name.into(), kind, ExchangeDeclareOptions::default(), table).await
        }
        Attempt::DeleteExchange(name) => channel.exchange_delete(name.into(), ExchangeDeleteOptions::default()).await,
        Attempt::DeclareQueue(name) => {
            let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
            channel.queue_declare(name.into(), options, table).await.map(drop)
        }
        Attempt::DeleteQueue(name) => channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.map(drop),
        Attempt::Purge(name) => channel.queue_purge(name.into(), QueuePurgeOptions::default()).await.map(drop),
        Attempt::Consume(name) => {
            channel.basic_consume(name.into(), "".into(), BasicConsumeOptions::default(), table).await.map(drop)
        }
        Attempt::Bind { queue, exchange } => {
            channel.queue_bind(queue.into(), exchange.into(), "#".into(), QueueBindOptions::default(), table).await
        }
        Attempt::Publish { exchange, key } => {
            let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
            channel.basic_publish(exchange.into(), key.into(), options, b"x", properties).await?.await.map(drop)
        }
    }
}

/// As [`ctl`], beside what the test does meanwhile: on a busy machine a command takes longer than two heartbeats, which stop
/// where a test waits for it.
pub(crate) async fn ctl_beside(arguments: &[&str]) -> String {
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let run = move || ctl(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// What a command of rabbitmqctl prints.
pub(crate) fn ctl(arguments: &[&str]) -> String {
    let command = broker("RABBITMQ_CTL");
    let headers = arguments[0].starts_with("list_").then_some("--no-table-headers");
    let output = Command::new(command).arg("-q").args(arguments).args(headers).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
