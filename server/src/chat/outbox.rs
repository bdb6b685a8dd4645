//! The messages that wait to be written to a connection in channels. The outbox is bounded: it holds [`MESSAGES`]
//! messages and drops further ones, and of each channel's presence it keeps only the last. So a client that does not
//! read takes no memory and delays nobody.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use tiltyard_shared::protocol::ServerMessage;
use tokio::sync::Notify;

use crate::metrics;

/// The maximum number of waiting messages and refusals.
const MESSAGES: usize = 64;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    /// By channel.
    presence: BTreeMap<String, Bytes>,
    messages: VecDeque<Bytes>,
}

impl Outbox {
    /// Adds a message, given as a value and as bytes.
    pub(super) fn put(&self, message: &ServerMessage, bytes: Bytes) {
        let mut waiting = self.lock();
        if let ServerMessage::Present { channel, .. } = message {
            waiting.presence.insert(channel.clone(), bytes);
        } else if waiting.messages.len() < MESSAGES {
            waiting.messages.push_back(bytes);
        } else {
            metrics::chat_words("dropped");
        }
        self.arrived.notify_one();
    }

    /// Drops the waiting presence of a channel.
    pub(super) fn forget(&self, channel: &str) {
        self.lock().presence.remove(channel);
    }

    /// Takes the next message to write. Presences come before messages.
    pub(super) fn take(&self) -> Option<Bytes> {
        let mut waiting = self.lock();
        waiting.presence.pop_first().map(|(_, bytes)| bytes).or_else(|| waiting.messages.pop_front())
    }

    /// Waits until something has been added since the last call. Cancel safe.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Nothing that can panic runs under the lock.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_only_the_last_presence_counts() {
        let outbox = Outbox::default();
        for number in 0..1_000_u32 {
            let channel = "lobby".to_owned();
            let present = ServerMessage::Present { channel: channel.clone(), visible: number, names: Vec::new() };
            outbox.put(&present, number.to_le_bytes().to_vec().into());
            let said = ServerMessage::ChannelMessage { channel, name: String::new(), text: String::new() };
            outbox.put(&said, number.to_le_bytes().to_vec().into());
        }
        let taken: Vec<_> = std::iter::from_fn(|| outbox.take()).collect();
        assert_eq!(taken.len(), MESSAGES + 1);
        assert_eq!((&taken[0][..], &taken[1][..]), (&999_u32.to_le_bytes()[..], &0_u32.to_le_bytes()[..]));
    }
}
