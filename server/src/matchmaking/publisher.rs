//! Sends the messages of a service: requests in order, and to each instance one batch at a time.
//!
//! The service never waits for them. The machines repeat a request that the bus does not take, with everything that is
//! still open; the [`Outbox`] repeats messages to an instance or gives them back.

use std::{pin::pin, time::Duration};

use futures_util::{StreamExt as _, stream};
use tiltyard_core::{
    instance::InstanceId,
    matchmaking::proposals::{
        MESSAGE, Message, Request,
        outbox::{Outbox, Outcome},
    },
    packed::Packed,
};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use tracing::debug;

use super::{requests, unix};
use crate::{
    bus::{Address, BusError, Inbox, Link, Payload},
    fleet::messages::{Command, MatchNote},
    metrics,
};

/// The queue of requests to be published. When it is full, new ones are dropped: statements repeat them.
const WAITING_REQUESTS: usize = 1024;

/// The maximum number of published pages of requests that are not confirmed. Requests that wait meanwhile go together.
const OPEN_PAGES: usize = 16;

/// A batch that is not known to be taken after this time is sent again.
const PATIENCE: Duration = Duration::from_secs(1);

/// Sends the messages of a service.
#[derive(Debug)]
pub(super) struct Publisher {
    game: &'static str,
    link: Link,
    requests: mpsc::Sender<Request>,
    outbox: Outbox,
    /// The batches under way, at most one to each instance.
    commands: JoinSet<(InstanceId, Outcome)>,
}

impl Publisher {
    /// Creates the publisher for the service of a game with this inbox. Needs a tokio runtime.
    pub(super) fn new(game: &'static str, link: Link, inbox: Inbox) -> Self {
        let (requests, waiting) = mpsc::channel(WAITING_REQUESTS);
        tokio::spawn(publish_in_order(link.clone(), inbox, waiting));
        Self { game, link, requests, outbox: Outbox::default(), commands: JoinSet::new() }
    }

    /// Sends a request to whoever is the matchmaker.
    pub(super) fn publish(&self, request: Request) {
        if self.requests.try_send(request).is_err() {
            debug!(game = self.game, "a request was dropped: too many wait");
        }
    }

    /// Adds a message to the next batch to another instance. Returns the message if it cannot be sent.
    pub(super) fn say(&mut self, now: Duration, to: InstanceId, message: Message) -> Option<Message> {
        self.outbox.say(now, to, message)
    }

    /// Sends all batches that can go now.
    pub(super) fn send(&mut self, now: Duration) {
        while let Some((to, said)) = self.outbox.next(now) {
            let said = said.iter().map(Packed::of).collect();
            let note = MatchNote { game: self.game.to_owned(), sent_ms: unix().as_millis() as u64, said };
            let (bus, command) = (self.link.bus.clone(), Payload::of(&Command::Match(Box::new(note))));
            self.commands.spawn(async move {
                let reply = timeout(PATIENCE, bus.request(&to, command, MESSAGE)).await;
                (to, outcome(&reply.unwrap_or(Err(BusError::Late))))
            });
        }
    }

    /// Waits for the outcome of a batch, and returns it with the batch's instance. Cancel safe.
    pub(super) async fn answered(&mut self) -> (InstanceId, Outcome) {
        loop {
            match self.commands.join_next().await {
                Some(Ok(answered)) => return answered,
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// Handles the outcome of a batch. Returns undelivered messages.
    pub(super) fn settle(&mut self, now: Duration, to: InstanceId, outcome: Outcome) -> Vec<Message> {
        metrics::match_command(
            self.game,
            match outcome {
                Outcome::Taken => "taken",
                Outcome::NotTaken => "again",
                Outcome::Nobody => "nobody",
            },
        );
        self.outbox.settle(now, to, outcome)
    }

    /// Returns messages that are undelivered because their time is over.
    pub(super) fn run_out(&mut self, now: Duration) -> Vec<(InstanceId, Message)> {
        self.outbox.run_out(now)
    }
}

fn outcome(reply: &Result<Payload, BusError>) -> Outcome {
    match reply {
        Ok(_) => Outcome::Taken,
        Err(BusError::Unroutable | BusError::TooLarge | BusError::NotUnderstood) => Outcome::Nobody,
        Err(BusError::Full | BusError::Away | BusError::Unconfirmed | BusError::Late) => Outcome::NotTaken,
    }
}

/// Publishes requests in their order, several pages at a time, until the service is gone.
async fn publish_in_order(link: Link, inbox: Inbox, mut waiting: mpsc::Receiver<Request>) {
    let pages = stream::poll_fn(move |cx| waiting.poll_recv(cx))
        .ready_chunks(WAITING_REQUESTS)
        .flat_map(|requests| stream::iter(requests::pages(requests, unix().as_millis() as u64)));
    let publish = |page| link.bus.publish(Address::Inbox(inbox.clone()), Payload::of(&page));
    let mut published = pin!(pages.map(publish).buffered(OPEN_PAGES));
    while let Some(outcome) = published.next().await {
        if let Err(error) = outcome {
            debug!(inbox = inbox.as_str(), %error, "a request was not taken");
        }
    }
}

/// The age of a message sent at this time, in milliseconds since 1970.
pub(super) fn age(sent_ms: u64) -> Duration {
    unix().saturating_sub(Duration::from_millis(sent_ms))
}
