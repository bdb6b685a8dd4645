//! The bytes of a message on the bus: a version byte, then bincode. What is in them is the business of their users; that
//! they are of a version we know, not too large, and exactly one value is checked here.

use bytes::{BufMut as _, Bytes, BytesMut};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;
use tiltyard_shared::protocol::codec;

/// Most bytes of a payload. A list that needs more is sent in pages.
pub const PAYLOAD_BYTES: usize = 32 * 1024;

/// The version of every payload that we write. A receiver dead-letters every other one.
const VERSION: u8 = 1;

/// The bytes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload(Bytes);

/// Why bytes are not a message for us. They are dead-lettered with this as the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// More than [`PAYLOAD_BYTES`].
    #[error("oversized")]
    Oversized,
    /// Not of our version, as from a newer instance.
    #[error("unknown version")]
    UnknownVersion,
    /// Not exactly one value of the type expected.
    #[error("malformed")]
    Malformed,
}

impl Payload {
    /// The payload of a value.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        let body = codec::encode(value);
        let mut bytes = BytesMut::with_capacity(1 + body.len());
        bytes.put_u8(VERSION);
        bytes.extend_from_slice(&body);
        Self(bytes.freeze())
    }

    /// Bytes as they are.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// All its bytes.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// Why it is not one.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Unreadable> {
        self.check()?;
        codec::decode(&self.0[1..]).map_err(|_| Unreadable::Malformed)
    }

    /// Looks at size and version only.
    pub(super) fn check(&self) -> Result<(), Unreadable> {
        match self.0.first() {
            _ if self.0.len() > PAYLOAD_BYTES => Err(Unreadable::Oversized),
            None => Err(Unreadable::Malformed),
            Some(&VERSION) => Ok(()),
            Some(_) => Err(Unreadable::UnknownVersion),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_a_version_and_exactly_one_value() {
        let payload = Payload::of(&("arena", 7_u32));
        assert_eq!(payload.as_bytes()[0], VERSION);
        assert_eq!(payload.read(), Ok(("arena".to_owned(), 7_u32)));
        let bytes = payload.as_bytes();
        assert_eq!(Payload::from_bytes(bytes.slice(..3)).read::<(String, u32)>(), Err(Unreadable::Malformed));
        assert_eq!(payload.read::<String>(), Err(Unreadable::Malformed));
        assert_eq!(Payload::from_bytes(vec![2, 0]).read::<u8>(), Err(Unreadable::UnknownVersion));
        assert_eq!(Payload::from_bytes(vec![]).read::<()>(), Err(Unreadable::Malformed));
        assert_eq!(Payload::from_bytes(vec![VERSION; PAYLOAD_BYTES + 1]).read::<u8>(), Err(Unreadable::Oversized));
    }
}
