//! Chat by channel: the names of channels, and requests to join them.
//!
//! Names are claimed by clients, and messages are not kept: a client that is absent when one is sent never gets it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Code, limits, text};

/// A request to join a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinChannel {
    /// The client's number of this request.
    pub request: u32,
    /// The name of a [`Channel`].
    pub channel: String,
    /// The name in the channel: [plain text](text::plain) of 1 to [`limits::NAME_BYTES`].
    pub name: String,
    /// Whether others see the name in the list of members. An invisible member hears and speaks all the same.
    pub visible: bool,
}

impl JoinChannel {
    /// Checks what a client sent. Returns the channel, and the plain form of the name.
    ///
    /// # Errors
    ///
    /// [`Code::BadChannel`], [`Code::BadName`].
    pub fn check(&self) -> Result<(Channel, String), Code> {
        let channel = Channel::new(&self.channel)?;
        let name = text::plain(&self.name, limits::NAME_BYTES).ok().filter(|name| !name.is_empty());
        name.map(|name| (channel, name)).ok_or(Code::BadName)
    }
}

/// The name of a channel: 1 to [`limits::CHANNEL_BYTES`] characters out of `a-z`, `0-9`, `-` and `_`, so that no two
/// look the same, and each is one word of a key on the bus. A channel exists while somebody is in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Channel(String);

impl Channel {
    /// The channel with this name.
    ///
    /// # Errors
    ///
    /// [`Code::BadChannel`] if it is not a valid name.
    pub fn new(name: &str) -> Result<Self, Code> {
        let is_clear = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        let fits = (1..=limits::CHANNEL_BYTES).contains(&name.len()) && name.bytes().all(is_clear);
        if fits { Ok(Self(name.to_owned())) } else { Err(Code::BadChannel) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({})", self.0)
    }
}

impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Channel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_have_names_that_look_different() {
        for name in ["lobby", "connect4", "a-b_c", &"x".repeat(32)] {
            assert_eq!(Channel::new(name).map(|channel| channel.as_str().to_owned()), Ok(name.to_owned()));
        }
        for name in ["", "Lobby", "a.b", "#", "a b", "ä", "a\n", &"x".repeat(33)] {
            assert_eq!(Channel::new(name), Err(Code::BadChannel), "{name:?}");
        }
    }

    #[test]
    fn a_wish_is_checked_before_anybody_looks_at_it() {
        let wish = |channel: &str, name: &str| {
            JoinChannel { request: 0, channel: channel.to_owned(), name: name.to_owned(), visible: true }.check()
        };
        assert_eq!(wish("lobby", " Ann  Lee "), Ok((Channel("lobby".to_owned()), "Ann Lee".to_owned())));
        assert_eq!(wish("LOBBY", "Ann"), Err(Code::BadChannel));
        for name in ["", "  ", "A\u{202e}", &"n".repeat(33)] {
            assert_eq!(wish("lobby", name), Err(Code::BadName), "{name:?}");
        }
    }
}
