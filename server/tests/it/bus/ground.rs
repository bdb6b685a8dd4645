//! What a contract test stands on: a fleet whose instances share a bus of either kind. Names are new for each test, so that
//! all can run at a time on one broker.

use std::{env, time::Duration};

use tiltyard_server::bus::{
    Address, Bounds, Bus, Delivery, Inbox, Incoming, InstanceId, Key, Link, Mailbox, Pattern, Payload, Topic,
    memory::Hub, rabbitmq,
};
use uuid::Uuid;

use super::raw::Raw;

/// Longer than anything takes that is to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough to see that something does not happen.
pub(crate) const A_MOMENT: Duration = Duration::from_millis(300);

/// What the environment of a test that needs a broker says of it.
pub(crate) fn broker(variable: &str) -> String {
    let value = env::var(variable).ok().filter(|value| !value.is_empty());
    value.unwrap_or_else(|| panic!("{variable} is not set: rabbitmq/with-broker sets it, with a broker of its own"))
}

#[expect(clippy::print_stderr, reason = "what a test measured is for the person who runs it")]
pub(crate) fn report(line: &str) {
    eprintln!("{line}");
}

/// A bus.
#[derive(Clone)]
pub(crate) enum Ground {
    Memory(Hub),
    RabbitMq { url: String, bounds: Bounds },
}

impl Ground {
    pub(crate) fn memory(bounds: Bounds) -> Self {
        Self::Memory(Hub::new(bounds))
    }

    pub(crate) fn rabbitmq(bounds: Bounds) -> Self {
        Self::RabbitMq { url: broker("AMQP_URL"), bounds }
    }

    /// An instance that is connected.
    pub(crate) async fn join(&self, name: &str) -> (InstanceId, Link) {
        let instance = InstanceId::new(&new_name(name)).unwrap();
        let link = match self {
            Self::Memory(hub) => hub.join(instance),
            Self::RabbitMq { url, bounds } => {
                let config = rabbitmq::Config { url: url.clone(), instance, bounds: *bounds };
                rabbitmq::open(config).unwrap()
            }
        };
        link.first_attempt().await.unwrap();
        (instance, link)
    }

    /// Begins to watch dead letters.
    pub(crate) async fn graveyard(&self) -> Graveyard {
        match self {
            Self::Memory(hub) => Graveyard::Memory(hub.clone()),
            Self::RabbitMq { .. } => {
                let raw = Raw::connect(&broker("AMQP_ADMIN_URL")).await;
                raw.watch("tiltyard.dead").await;
                Graveyard::RabbitMq(Box::new(raw))
            }
        }
    }
}

/// Where dead letters are seen.
pub(crate) enum Graveyard {
    Memory(Hub),
    RabbitMq(Box<Raw>),
}

impl Graveyard {
    /// The reasons of the first so many dead letters of a key, in any order.
    pub(crate) async fn reasons(&mut self, key: &str, count: usize) -> Vec<String> {
        let mut reasons = Vec::new();
        let mut seen = 0;
        let waiting = async {
            while reasons.len() < count {
                let (its_key, reason) = match self {
                    Self::RabbitMq(raw) => raw.dead_letter().await,
                    Self::Memory(hub) => {
                        let Some(letter) = hub.dead_letters().into_iter().nth(seen) else {
                            tokio::task::yield_now().await;
                            continue;
                        };
                        seen += 1;
                        (letter.key, letter.reason)
                    }
                };
                if its_key == key {
                    reasons.push(reason);
                }
            }
        };
        soon(waiting).await;
        reasons.sort();
        reasons
    }
}

/// A name that no other test has.
pub(crate) fn new_name(stem: &str) -> String {
    format!("{stem}-{}", &Uuid::new_v4().simple().to_string()[..12])
}

/// An inbox that no other test has.
pub(crate) fn new_inbox() -> Inbox {
    Inbox::new(&new_name("game"), "eu").unwrap()
}

pub(crate) fn key(words: &[&str]) -> Key {
    Key::new(words.iter().copied()).unwrap()
}

pub(crate) fn lobby(words: &[&str]) -> (Topic, Pattern) {
    (Topic::Lobby, Pattern::new(words.iter().copied()).unwrap())
}

/// What is to happen.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it should have happened by now")
}

/// The next message.
pub(crate) async fn next(mailbox: &mut Mailbox) -> Delivery {
    loop {
        if let Incoming::Delivery(delivery) = soon(mailbox.next()).await.expect("the bus is open") {
            return delivery;
        }
    }
}

/// Waits until a mailbox says that it is open.
pub(crate) async fn opened(mailbox: &mut Mailbox) {
    while !matches!(soon(mailbox.next()).await, Some(Incoming::Opened)) {}
}

/// No message comes.
pub(crate) async fn nothing(mailbox: &mut Mailbox) {
    let next = tokio::time::timeout(A_MOMENT, async {
        loop {
            if let Some(Incoming::Delivery(delivery)) = mailbox.next().await {
                return delivery;
            }
        }
    });
    let next = next.await;
    assert!(next.is_err(), "{next:?}");
}

/// Publishes a number to an inbox.
pub(crate) async fn post(bus: &dyn Bus, inbox: &Inbox, number: u32) {
    soon(bus.publish(Address::Inbox(inbox.clone()), Payload::of(&number))).await.unwrap();
}

/// Runs each of these on both buses.
#[macro_export]
macro_rules! on_both_buses {
    ($($name:ident),+ $(,)?) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::bus::ground::Ground::memory(super::bounds())).await;
            })+
        }

        mod over_rabbitmq {
            $(#[tokio::test]
            #[ignore = "needs a broker: make test-broker"]
            async fn $name() {
                super::$name($crate::bus::ground::Ground::rabbitmq(super::bounds())).await;
            })+
        }
    };
}
