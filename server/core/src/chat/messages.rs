//! Messages between instances about their channels. They come from a broker, so they are checked before they are
//! believed.

use serde::{Deserialize, Serialize};
use tiltyard_shared::protocol::{chat::Channel, limits, text::plain};

use crate::instance::{Incarnation, InstanceId};

/// A message in a channel. Sent once: an instance that misses it never gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// The speaker's instance.
    pub instance: InstanceId,
    /// The channel.
    pub channel: Channel,
    /// The speaker's name.
    pub name: String,
    /// The text.
    pub text: String,
}

/// The members of an instance that want to be seen in a channel: the whole set, each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Their instance.
    pub instance: InstanceId,
    /// The life of that instance.
    pub incarnation: Incarnation,
    /// Rises with each presence from this life, whichever the channel.
    pub number: u64,
    /// The channel.
    pub channel: Channel,
    /// The number of visible members.
    pub visible: u32,
    /// Their names, sorted: the first [`limits::PRESENT_NAMES`] of them.
    pub names: Vec<String>,
}

impl ChatMessage {
    /// Whether everything in it is within its limits.
    pub fn is_bounded(&self) -> bool {
        is_plain(&self.name, limits::NAME_BYTES) && is_plain(&self.text, limits::SAID_BYTES)
    }
}

impl Presence {
    /// Whether everything in it is within its limits.
    pub fn is_bounded(&self) -> bool {
        let visible = self.visible as usize;
        self.names.len() == visible.min(limits::PRESENT_NAMES)
            && self.names.iter().all(|name| is_plain(name, limits::NAME_BYTES))
    }
}

fn is_plain(text: &str, max_bytes: usize) -> bool {
    !text.is_empty() && plain(text, max_bytes).is_ok_and(|plain| plain == text)
}
