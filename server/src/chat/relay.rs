//! The task that relays chat between instances: it publishes messages and presences, takes those of others, and passes
//! on the time.
//!
//! It has a mailbox of its own, so that a flood of messages never pushes room events out of theirs, and it learns from
//! the roster which instances are there. It never waits for a publish: those run beside it.

use std::{future, time::Duration};

use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tiltyard_core::chat::{Channels, Heard};
use tokio::sync::mpsc;
use tracing::error;

use super::Chat;
use crate::{
    bus::{Address, Delivery, Incoming, Key, Mailbox, Pattern, Payload, Serve, Topic},
    fleet::{
        Instance,
        driver::{Machine, drive},
        messages::LobbyEvent,
    },
    metrics,
};

/// The interval at which it tells the channels the time.
const BEAT: Duration = Duration::from_millis(250);

/// The maximum number of publishes under way. Further messages wait in the queue as long as it has room.
const UNDER_WAY: usize = 256;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Relay {
    chat: Chat,
    here: Instance,
    waiting: mpsc::Receiver<LobbyEvent>,
    under_way: FuturesUnordered<Publishing>,
}

/// A running relay.
struct Running {
    relay: Relay,
    events: Mailbox,
}

type Publishing = BoxFuture<'static, ()>;

impl Relay {
    /// A relay for the messages of a queue.
    pub(super) fn new(chat: Chat, here: Instance, waiting: mpsc::Receiver<LobbyEvent>) -> Self {
        Self { chat, here, waiting, under_way: FuturesUnordered::new() }
    }

    /// Runs until the server stops.
    pub(crate) async fn run(self) {
        let here = self.here.clone();
        match here.link().bus.serve(Serve::Events(wanted())) {
            Ok(events) => drive(&mut Running { relay: self, events }, &here, BEAT).await,
            Err(error) => error!(%error, "the bus serves no mailbox: chat stays on this instance"),
        }
    }

    fn beat(&self) {
        let alive = self.here.fleet().peers().map(|peer| (peer.instance, peer.incarnation)).collect();
        let now = self.here.clock().now();
        self.chat.work(|channels| {
            channels.peers(alive);
            channels.tick(now);
        });
    }

    fn publish(&self, event: &LobbyEvent) {
        let words = match event {
            LobbyEvent::Chat(message) => ["chat", message.channel.as_str()],
            LobbyEvent::Presence(presence) => ["presence", presence.channel.as_str()],
            LobbyEvent::Room(_) => return,
        };
        let key = Key::new(words).expect("a channel's name is a word");
        let (bus, payload) = (self.here.link().bus.clone(), Payload::of(event));
        self.under_way.push(Box::pin(async move {
            // A message is told once; a presence is told again.
            let _ = bus.publish(Address::Event(Topic::Lobby, key), payload).await;
        }));
    }

    fn take(&self, incoming: Incoming) {
        let now = self.chat.0.clock.now();
        match incoming {
            Incoming::Opened => self.chat.work(|channels| channels.connected(now)),
            Incoming::Delivery(delivery) => self.hear(delivery, now),
        }
    }

    fn hear(&self, delivery: Delivery, now: Duration) {
        let Some((event, receipt)) = delivery.open() else { return };
        match event {
            LobbyEvent::Chat(message) if message.is_bounded() => {
                match self.chat.work(|channels| channels.hear(now, &message)) {
                    Heard::Told => metrics::chat_words("heard"),
                    Heard::TooMany => metrics::chat_words("dropped"),
                    Heard::Nobody => {}
                }
            }
            LobbyEvent::Presence(presence) if presence.is_bounded() => {
                self.chat.work(|channels| channels.seen(now, presence));
            }
            _ => receipt.dead("out of bounds"),
        }
    }
}

impl Machine for Running {
    async fn next(&mut self) {
        let Self { relay, events } = self;
        tokio::select! {
            Some(()) = relay.under_way.next() => {}
            Some(event) = relay.waiting.recv(), if relay.under_way.len() < UNDER_WAY => relay.publish(&event),
            Some(incoming) = events.next() => relay.take(incoming),
            else => future::pending().await,
        }
    }

    fn tick(&mut self) {
        self.relay.beat();
    }

    fn disconnected(&mut self) {
        self.relay.chat.work(Channels::disconnected);
    }
}

/// The topics and patterns of all messages and presences.
fn wanted() -> Vec<(Topic, Pattern)> {
    let all = |word| (Topic::Lobby, Pattern::new([word, "#"]).expect("a pattern"));
    vec![all("chat"), all("presence")]
}
