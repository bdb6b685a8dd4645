//! How a desk's messages leave: letters one after the other, commands side by side.
//!
//! Nothing is waited for and nothing kept for later: what the bus does not take is said again by the machines, or costs
//! time and nothing else.

use std::time::Duration;

use tiltyard_core::{
    instance::InstanceId,
    matchmaking::proposals::{MESSAGE, Message, Request, ToHost, ToMatchmaker},
};
use tokio::{sync::mpsc, task::JoinSet};
use tracing::debug;

use super::{letters, unix};
use crate::{
    bus::{Address, BusError, Inbox, Link, Payload},
    fleet::words::{Command, MatchNote},
};

/// Letters that wait to be published. When it is full, new ones are dropped: statements say it all again.
const WAITING_LETTERS: usize = 1024;

/// Commands without a reply. Beyond them new ones are dropped.
const OPEN_COMMANDS: usize = 1024;

/// Sends what a desk has to say.
#[derive(Debug)]
pub(super) struct Carrier {
    game: &'static str,
    link: Link,
    letters: mpsc::Sender<Request>,
    commands: JoinSet<Option<Message>>,
}

impl Carrier {
    /// A carrier for the desk of a game, with its inbox. Needs a tokio runtime.
    pub(super) fn new(game: &'static str, link: Link, inbox: Inbox) -> Self {
        let (letters, waiting) = mpsc::channel(WAITING_LETTERS);
        tokio::spawn(post(link.clone(), inbox, waiting));
        Self { game, link, letters, commands: JoinSet::new() }
    }

    /// To whoever is the matchmaker.
    pub(super) fn publish(&self, request: Request) {
        if self.letters.try_send(request).is_err() {
            debug!(game = self.game, "a letter was dropped: too many wait");
        }
    }

    /// To another instance.
    pub(super) fn send(&mut self, to: InstanceId, message: Message) {
        if self.commands.len() >= OPEN_COMMANDS {
            return debug!(game = self.game, %to, "a message was dropped: too many are on their way");
        }
        let no = instead(&message);
        let note = MatchNote { game: self.game.to_owned(), sent_ms: unix().as_millis() as u64, message };
        let (bus, command) = (self.link.bus.clone(), Payload::of(&Command::Match(Box::new(note))));
        self.commands.spawn(async move {
            match bus.request(&to, command, MESSAGE).await {
                Err(BusError::Unroutable | BusError::Full | BusError::TooLarge) => no,
                Ok(_) | Err(BusError::Away | BusError::Unconfirmed | BusError::Late) => None,
            }
        });
    }

    /// What we have to take for an answer because a message could not be delivered. Cancel safe; waits if there is none.
    pub(super) async fn undelivered(&mut self) -> Message {
        loop {
            match self.commands.join_next().await {
                Some(Ok(Some(message))) => return message,
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }
}

/// A host that is not there keeps no seats.
fn instead(message: &Message) -> Option<Message> {
    match message {
        Message::Host(ToHost::Reserve(reserve)) => Some(Message::Matchmaker(ToMatchmaker::Refused { id: reserve.id })),
        Message::Host(_) | Message::Home(_) | Message::Matchmaker(_) => None,
    }
}

/// Publishes letters in their order, until the desk is gone.
async fn post(link: Link, inbox: Inbox, mut waiting: mpsc::Receiver<Request>) {
    while let Some(request) = waiting.recv().await {
        for letter in letters::pages(request, unix().as_millis() as u64) {
            if let Err(error) = link.bus.publish(Address::Inbox(inbox.clone()), Payload::of(&letter)).await {
                debug!(inbox = inbox.as_str(), %error, "a letter was not taken");
                break;
            }
        }
    }
}

/// How old a message is that was sent then.
pub(super) fn age(sent_ms: u64) -> Duration {
    unix().saturating_sub(Duration::from_millis(sent_ms))
}
