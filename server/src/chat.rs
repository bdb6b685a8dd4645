//! Chat on this instance: [`Channels`] under a lock, and the [outboxes](outbox) of the connections that are in them.
//!
//! A connection's task says what its client wants by its [`Attending`], and writes what its outbox holds when its
//! socket takes it. What other instances shall hear goes to the [`relay`], the task beside it, which also brings what
//! they say.

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

/// Messages and presences that wait for the relay. When it is full, they are dropped: the members here hear the
/// messages, a presence is told again.
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
    /// Chat in which nobody is, and the relay that has to run.
    pub(crate) fn new(here: Instance) -> (Self, Relay) {
        let (outgoing, waiting) = mpsc::channel(OUTGOING);
        let state = State { channels: Channels::new(here.id(), here.incarnation()), outboxes: BTreeMap::new() };
        let chat = Self(Arc::new(Inner { state: Mutex::new(state), outgoing, clock: here.clock() }));
        (chat.clone(), Relay::new(chat, here, waiting))
    }

    /// A connection that may be in channels, until what is returned is dropped.
    pub(crate) fn join(&self) -> Attending {
        let outbox = Arc::new(Outbox::default());
        let mut state = self.lock();
        let id = state.channels.join(self.0.clock.now());
        state.outboxes.insert(id, outbox.clone());
        Attending { chat: self.clone(), id, outbox, counted: None }
    }

    /// Works with the channels, and carries out what they want done.
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

    /// Nothing that can panic runs under the lock but the channels themselves, which are whole after each call.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock()
    }
}

/// A connection that is in channels, or was: its limits hold as long as it lives. Dropped, it is in none.
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

    /// Is in a channel from now on, or there in another way.
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

    /// Is in a channel no longer.
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

    /// Says something.
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

    /// The client shall know that something was refused.
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
