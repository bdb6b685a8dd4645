//! Messages between instances as bytes: MessagePack with the names of fields and variants.
//!
//! Instances of two versions are in one fleet while it is updated. An older one skips a field that a newer one has
//! added; a newer one takes the default for a field that is missing, so each added field has `#[serde(default)]`. A
//! variant that the older one does not know is [`Malformed`]: where others are beside it, each is [`Packed`] for
//! itself.

use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_bytes::{ByteBuf, Bytes};
use thiserror::Error;

/// Deepest nesting of what is read.
const DEPTH: usize = 32;

/// The error for bytes that are not exactly one value of the expected type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("malformed")]
pub struct Malformed;

/// Encodes a value.
pub fn pack<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("what instances say has only what MessagePack has")
}

/// Decodes a value.
///
/// # Errors
///
/// [`Malformed`].
pub fn unpack<T: DeserializeOwned>(mut bytes: &[u8]) -> Result<T, Malformed> {
    let mut deserializer = rmp_serde::Deserializer::new(&mut bytes);
    deserializer.set_max_depth(DEPTH);
    let value = T::deserialize(&mut deserializer).map_err(|_| Malformed)?;
    if bytes.is_empty() { Ok(value) } else { Err(Malformed) }
}

/// A value in bytes of its own. Of several in a message, a reader that does not know the kind of one can still read the
/// others.
///
/// In human-readable formats such as JSON it is the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed<T> {
    bytes: Vec<u8>,
    of: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Packed<T> {
    /// Packs a value.
    pub fn of(value: &T) -> Self {
        Self { bytes: pack(value), of: PhantomData }
    }

    /// Its size in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Reads the value.
    ///
    /// # Errors
    ///
    /// [`Malformed`].
    pub fn read(&self) -> Result<T, Malformed> {
        unpack(&self.bytes)
    }
}

impl<T: Serialize + DeserializeOwned> Serialize for Packed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return self.read().ok().serialize(serializer);
        }
        Bytes::new(&self.bytes).serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Packed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { bytes: ByteBuf::deserialize(deserializer)?.into_vec(), of: PhantomData })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Older {
        name: String,
        bytes: Vec<u8>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Newer {
        name: String,
        bytes: Vec<u8>,
        #[serde(default)]
        colour: Option<u32>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Known {
        Here(Older),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Later {
        Here(Newer),
        There { name: String },
    }

    fn older() -> Older {
        Older { name: "eu-1".to_owned(), bytes: vec![0, 200] }
    }

    fn newer(colour: Option<u32>) -> Newer {
        Newer { name: "eu-1".to_owned(), bytes: vec![0, 200], colour }
    }

    #[test]
    fn a_field_may_be_added() {
        assert_eq!(unpack(&pack(&newer(Some(7)))), Ok(older()));
        assert_eq!(unpack(&pack(&older())), Ok(newer(None)));
        assert_eq!(unpack(&pack(&Later::Here(newer(Some(7))))), Ok(Known::Here(older())));
    }

    #[test]
    fn bytes_are_exactly_one_value() {
        let bytes = pack(&older());
        assert_eq!(unpack::<Older>(&bytes), Ok(older()));
        for end in 0..bytes.len() {
            assert_eq!(unpack::<Older>(&bytes[..end]), Err(Malformed), "{end}");
        }
        assert_eq!(unpack::<Older>(&[bytes, vec![0]].concat()), Err(Malformed));
        // Long before the stack is at its end, and without room for what a length promises.
        assert_eq!(unpack::<Older>(&[0x91; 60_000]), Err(Malformed));
        assert_eq!(unpack::<Vec<u64>>(&[0xdd, 0xff, 0xff, 0xff, 0xff]), Err(Malformed));
    }

    #[test]
    fn what_is_packed_for_itself_does_not_keep_the_others_from_being_read() {
        let said = vec![Packed::of(&Later::There { name: "x".to_owned() }), Packed::of(&Later::Here(newer(None)))];
        let read: Vec<Packed<Known>> = unpack(&pack(&said)).unwrap();
        let read: Vec<_> = read.iter().map(Packed::read).collect();
        assert_eq!(read, [Err(Malformed), Ok(Known::Here(older()))]);
        let shown = serde_json::to_value(&said).unwrap();
        assert_eq!(shown[0]["There"]["name"], "x");
    }
}
