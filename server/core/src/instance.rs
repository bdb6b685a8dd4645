//! The names of instances, and the words that make up all names on the bus.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

/// Most bytes of a word.
pub const WORD_BYTES: usize = 48;

/// The error for text that is no name: one to five words of 1 to [`WORD_BYTES`] characters out of `a-z`, `A-Z`, `0-9`,
/// `-` and `_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a name for the bus: words of 1 to 48 letters, digits, - or _, at most five of them")]
pub struct NameError;

/// Whether a text is one word, as fits a routing key, a queue's name and a label of a metric.
pub const fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        if !(bytes[index].is_ascii_alphanumeric() || matches!(bytes[index], b'-' | b'_')) {
            return false;
        }
        index += 1;
    }
    !bytes.is_empty() && bytes.len() <= WORD_BYTES
}

/// The name of an instance: one word, unique in its fleet. Small enough to be copied.
///
/// An operator may give a restarted instance the same name. Whatever must not be mistaken for its predecessor's carries
/// a number that rises over restarts, as [`Incarnation`] does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceId {
    /// The name, then zeros.
    bytes: [u8; WORD_BYTES],
}

/// One life of an instance: its start, in microseconds since 1970. Of two with the same name the younger counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Incarnation(pub u64);

impl InstanceId {
    /// The instance with this name.
    ///
    /// # Errors
    ///
    /// [`NameError`] if it is not one word.
    pub const fn new(name: &str) -> Result<Self, NameError> {
        if !is_word(name) {
            return Err(NameError);
        }
        let (from, mut bytes) = (name.as_bytes(), [0; WORD_BYTES]);
        let mut index = 0;
        while index < from.len() {
            bytes[index] = from[index];
            index += 1;
        }
        Ok(Self { bytes })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        let length = self.bytes.iter().position(|byte| *byte == 0).unwrap_or(WORD_BYTES);
        std::str::from_utf8(&self.bytes[..length]).expect("a word is ASCII")
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InstanceId({self})")
    }
}

impl Serialize for InstanceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for InstanceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::new(&name).map_err(D::Error::custom)
    }
}

/// A name that is known to be valid.
#[cfg(test)]
pub(crate) const fn instance(name: &str) -> InstanceId {
    match InstanceId::new(name) {
        Ok(id) => id,
        Err(NameError) => panic!("not a name"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_nothing_that_a_routing_key_does_not() {
        assert!(InstanceId::new("eu-1_a").is_ok());
        for bad in ["", "a.b", "*", "#", "a b", "ä", &"x".repeat(WORD_BYTES + 1)] {
            assert_eq!(InstanceId::new(bad), Err(NameError), "{bad}");
        }
        let longest = "x".repeat(WORD_BYTES);
        assert_eq!(InstanceId::new(&longest).unwrap().as_str(), longest);
    }

    #[test]
    fn names_are_sorted_and_written_as_text() {
        assert!(instance("a") < instance("a1") && instance("a9") < instance("b"));
        assert_eq!(serde_json::to_string(&instance("eu-1")).unwrap(), "\"eu-1\"");
        assert!(serde_json::from_str::<InstanceId>("\"a.b\"").is_err());
    }
}
