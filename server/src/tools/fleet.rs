//! An operator's requests to a fleet over its bus: list its instances and rooms, and drain one. The operator joins as
//! somebody who hosts nothing, so that no instance lists it.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, bail};
use serde_json::json;
use tiltyard_core::{
    directory::{
        Listing,
        messages::{Heartbeat, RoomPage},
    },
    instance::InstanceId,
};
use tokio::time::{Instant, timeout, timeout_at};

use super::columns;
use crate::{
    bus::{Address, Bounds, BusError, Incoming, Key, Link, Mailbox, Payload, Serve, Topic, rabbitmq},
    config::AmqpUrl,
    fleet::{
        messages::{ClusterEvent, Command, Reply},
        random_id,
    },
};

/// The maximum wait for an instance's answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The wait for further answers to a hello after each one.
const QUIET: Duration = Duration::from_millis(500);

/// Prints all instances.
///
/// # Errors
///
/// If the fleet cannot be asked.
pub(crate) async fn instances(url: Option<&AmqpUrl>, as_json: bool) -> anyhow::Result<String> {
    let instances = Operator::connect(url).await?.instances().await?;
    if as_json {
        return Ok(format!("{}\n", json!(instances.values().collect::<Vec<_>>())));
    }
    let mut rows = vec![["INSTANCE", "REGION", "PLAYERS", "CAPACITY", "ROOMS", "STATE", "URL"].map(str::to_owned)];
    for beat in instances.values() {
        let state = if beat.draining { "draining" } else { "open" };
        let numbers = [beat.players, beat.capacity, beat.rooms].map(|number| number.to_string());
        let [players, capacity, hosted] = numbers;
        let name = beat.instance.to_string();
        rows.push([name, beat.region.clone(), players, capacity, hosted, state.to_owned(), beat.url.clone()]);
    }
    Ok(columns(rows))
}

/// Prints all rooms, or those of one instance.
///
/// # Errors
///
/// If the fleet cannot be asked, or there is no such instance.
pub(crate) async fn rooms(url: Option<&AmqpUrl>, of: Option<InstanceId>, as_json: bool) -> anyhow::Result<String> {
    let operator = Operator::connect(url).await?;
    let instances = match of {
        Some(one) => vec![one],
        None => operator.instances().await?.into_keys().collect(),
    };
    let mut found = Vec::new();
    for instance in instances {
        let rooms = operator.rooms(instance).await;
        match rooms {
            Ok(rooms) => found.extend(rooms.into_iter().map(|listing| (instance, listing))),
            // It has left the fleet between the two requests.
            Err(Failure::Gone) if of.is_none() => {}
            Err(failure) => bail!("{instance} {failure}"),
        }
    }
    if as_json {
        let rooms = found.iter().map(
            |(instance, Listing { entry, private })| json!({ "instance": instance, "private": private, "room": entry }),
        );
        return Ok(format!("{}\n", json!(rooms.collect::<Vec<_>>())));
    }
    let head = ["ROOM", "CODE", "GAME", "PLAYERS", "SEATS", "STATE", "INSTANCE", "TITLE"];
    let mut rows = vec![head.map(str::to_owned)];
    for (instance, Listing { entry, private }) in found {
        let state = match (private, entry.locked) {
            (true, _) => "private",
            (false, true) => "locked",
            (false, false) => "open",
        };
        let (players, seats) = (entry.players.to_string(), entry.seats.to_string());
        let room = entry.room.to_string();
        rows.push([room, entry.code, entry.game, players, seats, state.to_owned(), instance.to_string(), entry.title]);
    }
    Ok(columns(rows))
}

/// Asks an instance to drain.
///
/// # Errors
///
/// If it cannot be asked.
pub(crate) async fn drain(url: Option<&AmqpUrl>, instance: InstanceId) -> anyhow::Result<String> {
    match Operator::connect(url).await?.ask(instance, &Command::Drain).await {
        Ok(_) => Ok(format!("{instance} drains\n")),
        Err(failure) => bail!("{instance} {failure}"),
    }
}

/// Why an instance did not answer. The text follows its name.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("is not there: nobody takes commands under this name")]
    Gone,
    #[error("does not answer: {0}")]
    Silent(BusError),
    #[error("answers what makes no sense; is it another version?")]
    Strange,
}

/// An operator's end of the fleet's bus.
struct Operator {
    id: InstanceId,
    link: Link,
}

impl Operator {
    async fn connect(url: Option<&AmqpUrl>) -> anyhow::Result<Self> {
        let url = url.context("which broker? --amqp-url or AMQP_URL names it")?.text().to_owned();
        let instance = random_id();
        let link = rabbitmq::open(rabbitmq::Config { url, instance, bounds: Bounds::default() })?;
        link.first_attempt().await?;
        Ok(Self { id: instance, link })
    }

    /// Collects the instances that answer a hello.
    async fn instances(&self) -> anyhow::Result<BTreeMap<InstanceId, Heartbeat>> {
        let mut commands = self.link.bus.serve(Serve::Commands)?;
        timeout(PATIENCE, commands.next()).await.context("the broker does not answer")?;
        let hello = Payload::of(&ClusterEvent::Hello { from: self.id });
        self.link.bus.publish(Address::Event(Topic::Cluster, Key::new(["hello"])?), hello).await?;
        let mut found = BTreeMap::new();
        let mut end = Instant::now() + 2 * QUIET;
        while let Ok(Some(heartbeat)) = timeout_at(end, next(&mut commands)).await {
            end = end.max(Instant::now() + QUIET);
            found.insert(heartbeat.instance, heartbeat);
        }
        Ok(found)
    }

    async fn rooms(&self, of: InstanceId) -> Result<Vec<Listing>, Failure> {
        let (mut rooms, mut after) = (Vec::new(), None);
        loop {
            let Reply::Rooms(page) = self.ask(of, &Command::Rooms { after }).await? else {
                return Err(Failure::Strange);
            };
            let RoomPage { rooms: some, next, .. } = page;
            rooms.extend(some.into_iter().map(|(_, listing)| listing));
            if next.is_none() || next <= after {
                return Ok(rooms);
            }
            after = next;
        }
    }

    async fn ask(&self, instance: InstanceId, command: &Command) -> Result<Reply, Failure> {
        match self.link.bus.request(&instance, Payload::of(command), PATIENCE).await {
            Ok(reply) => reply.read().map_err(|_| Failure::Strange),
            Err(BusError::Unroutable) => Err(Failure::Gone),
            Err(error) => Err(Failure::Silent(error)),
        }
    }
}

/// Waits for the next instance that answers.
async fn next(commands: &mut Mailbox) -> Option<Heartbeat> {
    loop {
        let Incoming::Delivery(delivery) = commands.next().await? else { continue };
        if let Some((Command::Here(heartbeat), receipt)) = delivery.open() {
            receipt.reply(Payload::of(&Reply::Done));
            return Some(heartbeat);
        }
    }
}
