//! What instances tell each other of their channels. Whatever arrives has come over a broker, so it is checked before it is
//! believed.

use serde::{Deserialize, Serialize};
use tiltyard_shared::protocol::{chat::Channel, limits, text::plain};

use crate::instance::{Incarnation, InstanceId};

/// Something was said in a channel. Told once: who misses it never hears it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Where the speaker is.
    pub instance: InstanceId,
    /// In which channel.
    pub channel: Channel,
    /// The speaker's name.
    pub name: String,
    /// What was said.
    pub text: String,
}

/// Who of an instance wants to be seen in a channel: all of it, each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Where they are.
    pub instance: InstanceId,
    /// In which life of that instance.
    pub incarnation: Incarnation,
    /// Rises with each presence that this life tells, of any channel.
    pub number: u64,
    /// In which channel.
    pub channel: Channel,
    /// How many there are.
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
