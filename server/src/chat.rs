//! Chat on this instance: [`Channels`] under a lock, and the [outboxes](outbox) of the connections that are in them.
//!
//! A connection's task makes its client's requests through its [`Attending`], and writes the contents of its outbox
//! when its socket takes more. Messages for other instances go to the [`relay`], the task beside it, which also brings
//! theirs.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use tiltyard_core::chat::{Channels, Effect, MemberId};
use tiltyard_shared::protocol::{Code, ServerMessage, chat::JoinChannel, codec};
use tokio::sync::mpsc;

use crate::{
    clock::Clock,
    fleet::{Instance, messages::LobbyEvent},
    metrics,
};

mod relay;
mod outbox;

use outbox::Outbox;
pub(crate) use relay::Relay;

/// The queue to the relay, in messages and presences. When it is full, further ones are dropped: a dropped message is
/// still heard by the members here, and a presence is repeated anyway.
const OUTGOING: usize = 1_024;

/// Chat. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Chat(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    outgoing: mpsc::Sender<LobbyEvent>,
    clock: Clock,
}

#[derive(Debug)]
struct State {
    channels: Channels,
    outboxes: BTreeMap<MemberId, Arc<Outbox>>,
}

impl Chat {
    /// Creates an empty chat, and the relay to run for it.
    pub(crate) fn new(here: Instance) -> (Self, Relay) {
        let (outgoing, waiting) = mpsc::channel(OUTGOING);
        let state = State { channels: Channels::new(here.id(), here.incarnation()), outboxes: BTreeMap::new() };
        let chat = Self(Arc::new(Inner { state: Mutex::new(state), outgoing, clock: here.clock() }));
        (chat.clone(), Relay::new(chat, here, waiting))
    }

    /// Adds a connection, which may join channels until the returned value is dropped.
    pub(crate) fn join(&self) -> Attending {
        let outbox = Arc::new(Outbox::default());
        let mut state = self.lock();
        let id = state.channels.join(self.0.clock.now());
        state.outboxes.insert(id, outbox.clone());
        Attending { chat: self.clone(), id, outbox, counted: None }
    }

    /// Works on the channels and carries out their effects.
    fn work<T>(&self, work: impl FnOnce(&mut Channels) -> T) -> T {
        let mut state = self.lock();
        let State { channels, outboxes } = &mut *state;
        let result = work(channels);
        for effect in channels.take_effects() {
            let event = match effect {
                Effect::Tell(members, message) => {
                    let bytes = Bytes::from(codec::encode_control(&message));
                    let outboxes = members.iter().filter_map(|member| outboxes.get(member));
                    outboxes.for_each(|outbox| outbox.put(&message, bytes.clone()));
                    continue;
                }
                Effect::Chat(message) => LobbyEvent::Chat(message),
                Effect::Presence(presence) => LobbyEvent::Presence(presence),
            };
            if let Err(mpsc::error::TrySendError::Full(LobbyEvent::Chat(_))) = self.0.outgoing.try_send(event) {
                metrics::chat_words("dropped");
            }
        }
        result
    }

    /// Nothing that can panic runs under the lock but the channels themselves, which are consistent after each call.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock()
    }
}

/// A connection that is or was in channels. Its limits hold as long as it lives. Dropped, it leaves all channels.
#[derive(Debug)]
pub(crate) struct Attending {
    chat: Chat,
    id: MemberId,
    outbox: Arc<Outbox>,
    counted: Option<metrics::ChatClient>,
}

impl Attending {
    /// Whether it is in any channel.
    pub(crate) fn is_somewhere(&self) -> bool {
        self.counted.is_some()
    }

    /// Joins a channel, or changes how it is in it.
    ///
    /// # Errors
    ///
    /// As [`Channels::attend`].
    pub(crate) fn attend(&mut self, wish: &JoinChannel) -> Result<(), Code> {
        let now = self.chat.0.clock.now();
        self.chat.work(|channels| channels.attend(now, self.id, wish))?;
        self.counted.get_or_insert_with(metrics::ChatClient::new);
        Ok(())
    }

    /// Leaves a channel.
    ///
    /// # Errors
    ///
    /// [`Code::NotInChannel`].
    pub(crate) fn depart(&mut self, channel: &str) -> Result<(), Code> {
        if self.chat.work(|channels| channels.depart(self.id, channel))? == 0 {
            self.counted = None;
        }
        self.outbox.forget(channel);
        Ok(())
    }

    /// Sends a message to a channel.
    ///
    /// # Errors
    ///
    /// As [`Channels::say`].
    pub(crate) fn say(&self, channel: &str, text: &str) -> Result<(), Code> {
        let now = self.chat.0.clock.now();
        let said = self.chat.work(|channels| channels.say(now, self.id, channel, text));
        metrics::chat_words(if said.is_ok() { "said" } else { "refused" });
        said
    }

    /// Tells the client that a request was refused.
    pub(crate) fn refuse(&self, request: u32, code: Code) {
        let message = ServerMessage::refused(request, code);
        self.outbox.put(&message, codec::encode_control(&message).into());
    }

    /// Waits until there may be something to write. Cancel safe.
    pub(crate) async fn arrived(&self) {
        self.outbox.arrived().await;
    }

    /// The next message to write.
    pub(crate) fn next(&self) -> Option<Bytes> {
        self.outbox.take()
    }
}

impl Drop for Attending {
    fn drop(&mut self) {
        let Self { chat, id, .. } = self;
        chat.work(|channels| channels.leave(*id));
        chat.lock().outboxes.remove(id);
    }
}
