//! The messages of an instance to others, until they are known to have arrived.
//!
//! One batch at a time is under way to each instance, and later messages go with the next. So the commands under way
//! grow with the instances and not with the players, and no instance is sent more than it takes. What was refused or
//! not answered is sent again, since every machine tolerates a repeated message. What nobody waits for any more comes
//! back *undelivered*: the matchmaker then frees whatever the message was about.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{ANSWER, GO_AFTER, MESSAGE, Message, ToHome, ToHost};
use crate::{matchmaking::InstanceId, packed};

#[cfg(test)]
mod tests;

/// Most messages that wait for one instance. Further ones come back undelivered.
pub const WAITING: usize = 8_192;

/// Most messages of a batch.
pub const BATCH: usize = 256;

/// Most bytes of a batch of several messages.
pub const BATCH_BYTES: usize = 16 * 1024;

/// Time until a batch that was not taken is sent again.
pub const AGAIN: Duration = Duration::from_millis(100);

/// A message in a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// How long it had waited when the batch was sent.
    pub age: Duration,
    /// The message.
    pub message: Message,
}

/// The outcome of a batch, by what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Taken,
    /// It was refused, or not answered in time: it may still have arrived.
    NotTaken,
    /// The instance does not exist, or cannot take anything so large, or understands nothing of it.
    Nobody,
}

/// The messages that wait, by instance.
#[derive(Debug, Default)]
pub struct Outbox(BTreeMap<InstanceId, Peer>);

#[derive(Debug, Default)]
struct Peer {
    waiting: VecDeque<Waiting>,
    /// How many of the first messages are under way.
    under_way: usize,
    /// When the next batch may go.
    next: Duration,
}

#[derive(Debug)]
struct Waiting {
    since: Duration,
    bytes: usize,
    message: Message,
}

impl Outbox {
    /// Adds a message. Returns it if too many wait for that instance.
    pub fn say(&mut self, now: Duration, to: InstanceId, message: Message) -> Option<Message> {
        let peer = self.0.entry(to).or_default();
        if peer.waiting.len() >= WAITING {
            return Some(message);
        }
        let bytes = packed::pack(&message).len();
        peer.waiting.push_back(Waiting { since: now, bytes, message });
        None
    }

    /// The next batch that can go. [`Self::settle`] must be told its outcome.
    pub fn next(&mut self, now: Duration) -> Option<(InstanceId, Vec<Said>)> {
        let ready = |peer: &Peer| peer.under_way == 0 && peer.next <= now && !peer.waiting.is_empty();
        let (to, peer) = self.0.iter_mut().find(|(_, peer)| ready(peer))?;
        peer.under_way = peer.batch();
        let said =
            |waiting: &Waiting| Said { age: now.saturating_sub(waiting.since), message: waiting.message.clone() };
        Some((*to, peer.waiting.iter().take(peer.under_way).map(said).collect()))
    }

    /// Takes the outcome of the batch under way. Returns the undelivered messages.
    pub fn settle(&mut self, now: Duration, to: InstanceId, outcome: Outcome) -> Vec<Message> {
        let Some(peer) = self.0.get_mut(&to) else { return Vec::new() };
        let under_way = std::mem::take(&mut peer.under_way);
        match outcome {
            Outcome::Taken => drop(peer.waiting.drain(..under_way)),
            Outcome::NotTaken | Outcome::Nobody => peer.next = now + AGAIN,
        }
        peer.give_back(|waiting| waiting.is_over(now) || outcome == Outcome::Nobody && waiting.message.is_question())
    }

    /// Returns the messages that are undelivered because their time is over. Call it at least four times a second.
    pub fn run_out(&mut self, now: Duration) -> Vec<(InstanceId, Message)> {
        let mut over = Vec::new();
        for (to, peer) in &mut self.0 {
            over.extend(peer.give_back(|waiting| waiting.is_over(now)).into_iter().map(|message| (*to, message)));
        }
        self.0.retain(|_, peer| !peer.waiting.is_empty());
        over
    }
}

impl Peer {
    /// How many of the first messages go together: at least one.
    fn batch(&self) -> usize {
        let mut bytes = 0;
        let fits = |waiting: &&Waiting| {
            bytes += waiting.bytes;
            bytes <= BATCH_BYTES
        };
        self.waiting.iter().take(BATCH).take_while(fits).count().max(1)
    }

    /// Takes these messages out, except those under way.
    fn give_back(&mut self, which: impl Fn(&Waiting) -> bool) -> Vec<Message> {
        let rest = self.waiting.split_off(self.under_way);
        let (back, kept): (Vec<_>, Vec<_>) = rest.into_iter().partition(which);
        self.waiting.extend(kept);
        back.into_iter().map(|waiting| waiting.message).collect()
    }
}

impl Waiting {
    fn is_over(&self, now: Duration) -> bool {
        self.since + self.message.patience() <= now
    }
}

impl Message {
    /// How long after it was added somebody still waits for it.
    fn patience(&self) -> Duration {
        match self {
            Self::Host(ToHost::Reserve(_)) | Self::Home(ToHome::Agree { .. }) | Self::Matchmaker(_) => ANSWER,
            // Players who were told to go already wait for those who were not.
            Self::Home(ToHome::Go(_)) => GO_AFTER,
            Self::Host(_) | Self::Home(_) => MESSAGE,
        }
    }

    /// Whether others can be asked instead if the instance does not exist.
    fn is_question(&self) -> bool {
        matches!(self, Self::Host(ToHost::Reserve(_)) | Self::Home(ToHome::Agree { .. }))
    }
}
