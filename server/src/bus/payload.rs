//! The bytes of a message on the bus: an envelope around MessagePack with names ([`packed`](tiltyard_core::packed)).
//! This module checks that the version of the envelope is known, that the message is not too large, and that it holds
//! exactly one value; its meaning is the business of sender and receiver.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | the version of the envelope: 2 |
//! | 1 | the id of the key that a MAC was made with; 0 without one |
//! | 2 | [`SCHEMA`], little-endian: which messages, fields and variants the sender knows |
//! | 32 | the MAC, unless the key is 0. It is passed over: nobody makes one yet |
//! | rest | the message; of the answer *not understood* nothing |
//!
//! A fleet is updated one instance after the other, so that for a while it has two versions. The older one passes over
//! what it does not know, and counts it: a field silently; a variant with the message around it, or with its part of
//! the message where that part is packed separately. It answers an unknown command with [`BusError::NotUnderstood`].
//!
//! Messages therefore change by additions: a field with a default, or a variant. Each addition raises [`SCHEMA`] by
//! one. Nothing is renamed or removed before all instances that send it are gone. `server/vectors` keeps a sample of
//! every schema, and a test reads all of them.
//!
//! Results are read by other programs and have no envelope: [`Payload::json`].

use bytes::{BufMut as _, Bytes, BytesMut};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;
use tiltyard_core::packed;

use super::BusError;

/// The maximum size of a payload. A longer list is sent in pages.
pub const PAYLOAD_BYTES: usize = 64 * 1024;

/// The set of messages, fields and variants that this version knows. Rises by one when some are added.
pub const SCHEMA: u16 = 1;

/// The version of the envelopes that we write. A receiver dead-letters all others.
const ENVELOPE: u8 = 2;

/// The size of an envelope without a MAC.
const HEAD_BYTES: usize = 4;

/// The size of a MAC.
const MAC_BYTES: usize = 32;

/// The bytes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload(Bytes);

/// Why bytes are not a readable message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// More than [`PAYLOAD_BYTES`]. It is dead-lettered.
    #[error("oversized")]
    Oversized,
    /// An envelope of another version. It is dead-lettered.
    #[error("unknown version")]
    UnknownVersion,
    /// Not exactly one value of the type expected. It is dead-lettered.
    #[error("malformed")]
    Malformed,
    /// As [`Self::Malformed`], but from an instance whose [`SCHEMA`] is newer. It is passed over.
    #[error("of a newer version")]
    Newer,
}

impl Payload {
    /// Puts a message in its envelope.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        Self::enveloped(&packed::pack(value))
    }

    /// A JSON document for other programs.
    ///
    /// # Panics
    ///
    /// If the value cannot be represented in JSON.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Self {
        Self(serde_json::to_vec(value).expect("a value of JSON").into())
    }

    /// Wraps raw bytes.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// All its bytes.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// Decodes the message in the envelope.
    ///
    /// # Errors
    ///
    /// [`Unreadable`].
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Unreadable> {
        let Envelope { schema, body } = self.open()?;
        packed::unpack(body).map_err(|_| if schema > SCHEMA { Unreadable::Newer } else { Unreadable::Malformed })
    }

    /// Decodes the JSON document.
    ///
    /// # Errors
    ///
    /// [`Unreadable::Malformed`].
    pub fn read_json<T: DeserializeOwned>(&self) -> Result<T, Unreadable> {
        serde_json::from_slice(&self.0).map_err(|_| Unreadable::Malformed)
    }

    /// The answer to a command that is unknown here.
    pub(super) fn not_understood() -> Self {
        Self::enveloped(&[])
    }

    /// Returns an answer unless it says that the command was not understood.
    pub(super) fn understood(self) -> Result<Self, BusError> {
        match self.open() {
            Ok(Envelope { body: [], .. }) => Err(BusError::NotUnderstood),
            _ => Ok(self),
        }
    }

    /// Whether the sender is newer. Reads only the envelope.
    pub(super) fn is_newer(&self) -> Result<bool, Unreadable> {
        self.open().map(|envelope| envelope.schema > SCHEMA)
    }

    fn enveloped(body: &[u8]) -> Self {
        let mut bytes = BytesMut::with_capacity(HEAD_BYTES + body.len());
        bytes.put_slice(&[ENVELOPE, 0]);
        bytes.put_u16_le(SCHEMA);
        bytes.put_slice(body);
        Self(bytes.freeze())
    }

    fn open(&self) -> Result<Envelope<'_>, Unreadable> {
        match &*self.0 {
            bytes if bytes.len() > PAYLOAD_BYTES => Err(Unreadable::Oversized),
            &[ENVELOPE, key, low, high, ref rest @ ..] => {
                let mac = if key == 0 { 0 } else { MAC_BYTES };
                let body = rest.get(mac..).ok_or(Unreadable::Malformed)?;
                Ok(Envelope { schema: u16::from_le_bytes([low, high]), body })
            }
            [] | [ENVELOPE, ..] => Err(Unreadable::Malformed),
            _ => Err(Unreadable::UnknownVersion),
        }
    }
}

struct Envelope<'a> {
    schema: u16,
    body: &'a [u8],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_an_envelope_and_exactly_one_value() {
        let payload = Payload::of(&("arena", 7_u32));
        assert_eq!(payload.as_bytes()[..4], [ENVELOPE, 0, 1, 0]);
        assert_eq!(payload.read(), Ok(("arena".to_owned(), 7_u32)));
        let bytes = payload.as_bytes();
        for end in [0, 3, 4, 5, bytes.len() - 1] {
            let cut = Payload::from_bytes(bytes.slice(..end));
            assert_eq!(cut.read::<(String, u32)>(), Err(Unreadable::Malformed), "{end}");
        }
        assert_eq!(payload.read::<String>(), Err(Unreadable::Malformed));
        assert_eq!(Payload::from_bytes(vec![1, 0, 1, 0, 7]).read::<u8>(), Err(Unreadable::UnknownVersion));
        let large = Payload::from_bytes(vec![ENVELOPE; PAYLOAD_BYTES + 1]);
        assert_eq!(large.read::<u8>(), Err(Unreadable::Oversized));
    }

    #[test]
    fn what_a_newer_sender_says_is_read_if_it_is_known_and_else_passed_over() {
        let newer = |body: &[u8]| Payload::from_bytes([&[ENVELOPE, 0, 2, 0], body].concat());
        assert_eq!(newer(&packed::pack(&7_u32)).read(), Ok(7_u32));
        assert_eq!(newer(&packed::pack(&7_u32)).read::<String>(), Err(Unreadable::Newer));
        assert_eq!((newer(&[]).is_newer(), Payload::of(&7_u32).is_newer()), (Ok(true), Ok(false)));
    }

    #[test]
    fn a_mac_is_passed_over() {
        let signed = [&[ENVELOPE, 9, 1, 0][..], &[0xaa; MAC_BYTES], &packed::pack(&7_u32)].concat();
        assert_eq!(Payload::from_bytes(signed.clone()).read(), Ok(7_u32));
        let cut = Payload::from_bytes(signed[..20].to_vec());
        assert_eq!(cut.read::<u32>(), Err(Unreadable::Malformed));
    }

    #[test]
    fn an_answer_without_a_message_says_that_the_command_was_not_understood() {
        assert_eq!(Payload::not_understood().understood(), Err(BusError::NotUnderstood));
        let answer = Payload::of(&());
        assert_eq!(answer.clone().understood(), Ok(answer));
        let strange = Payload::from_bytes(vec![1]);
        assert_eq!(strange.clone().understood(), Ok(strange), "whoever reads it says what is wrong with it");
    }

    #[test]
    fn a_document_has_no_envelope() {
        let payload = Payload::json(&["a", "b"]);
        assert_eq!(&payload.as_bytes()[..], br#"["a","b"]"#);
        assert_eq!(payload.read_json(), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(payload.read_json::<u8>(), Err(Unreadable::Malformed));
    }
}
