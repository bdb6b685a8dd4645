//! The task that relays chat between the instances: messages and presences out, those of others in, and the time.
//!
//! It has a mailbox of its own, so that a flood of messages never pushes events of rooms out of theirs, and it learns
//! from the roster who is there. It waits for nobody: what is published goes on beside it.

use std::time::Duration;

use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tiltyard_core::chat::{Channels, Heard};
use tokio::{
    sync::mpsc,
    time::{self, MissedTickBehavior},
};
use tracing::error;

use super::Chat;
use crate::{
    bus::{Address, Delivery, Incoming, Key, Mailbox, Pattern, Payload, Serve, State, Topic},
    fleet::{Instance, messages::LobbyEvent},
    metrics,
};

/// How often the channels' time passes.
const BEAT: Duration = Duration::from_millis(250);

/// Most messages that are under way at a time. Further ones wait, as many as go into the queue.
const UNDER_WAY: usize = 256;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Relay {
    chat: Chat,
    here: Instance,
    waiting: mpsc::Receiver<LobbyEvent>,
    under_way: FuturesUnordered<Publishing>,
}

type Publishing = BoxFuture<'static, ()>;

impl Relay {
    /// A relay of what waits.
    pub(super) fn new(chat: Chat, here: Instance, waiting: mpsc::Receiver<LobbyEvent>) -> Self {
        Self { chat, here, waiting, under_way: FuturesUnordered::new() }
    }

    /// Runs until the server stops.
    pub(crate) async fn run(mut self) {
        let mut stop = self.here.stop();
        match self.here.link().bus.serve(Serve::Events(wanted())) {
            Ok(events) => tokio::select! {
                () = self.live(events) => {}
                () = stop.requested() => {}
            },
            Err(error) => error!(%error, "the bus serves no mailbox: chat stays on this instance"),
        }
    }

    async fn live(&mut self, mut events: Mailbox) {
        let mut beat = time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut state = self.here.link().state.clone();
        let mut state_ends = false;
        loop {
            tokio::select! {
                Some(()) = self.under_way.next() => {}
                Some(event) = self.waiting.recv(), if self.under_way.len() < UNDER_WAY => self.publish(&event),
                Some(incoming) = events.next() => self.take(incoming),
                _ = beat.tick() => self.beat(),
                changed = state.changed(), if !state_ends => {
                    state_ends = changed.is_err();
                    if matches!(*state.borrow_and_update(), State::Away(_)) {
                        self.chat.work(Channels::disconnected);
                    }
                }
            }
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
                match self.chat.work(|channels| channels.hear(&message, now)) {
                    Heard::Told => metrics::chat_words("heard"),
                    Heard::TooMany => metrics::chat_words("dropped"),
                    Heard::Nobody => {}
                }
            }
            LobbyEvent::Presence(presence) if presence.is_bounded() => {
                self.chat.work(|channels| channels.seen(presence, now));
            }
            _ => receipt.dead("out of bounds"),
        }
    }
}

/// All messages and presences.
fn wanted() -> Vec<(Topic, Pattern)> {
    let all = |word| (Topic::Lobby, Pattern::new([word, "#"]).expect("a pattern"));
    vec![all("chat"), all("presence")]
}
