//! The only file that names bincode: its standard configuration, always with a limit.
//!
//! bincode's limits count the memory that decoding claims, not wire bytes, so nothing is allocated by a length that the
//! peer made up. Lists escape them; they are `bounded`'s.

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

use super::{CONTROL, ServerMessage, limits};

mod bounded;

use bounded::Bounded;

/// Most memory that decoding one value may claim: generous beside [`limits::MESSAGE_BYTES`].
const LIMIT: usize = 4 * limits::MESSAGE_BYTES;

/// Bytes that are not the value they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodecError {
    /// The bytes end early, claim too much, or name something that is not there.
    #[error("malformed bytes")]
    Malformed,
    /// Bytes are left over after the value.
    #[error("{0} bytes too many")]
    Trailing(usize),
}

/// The bytes of a value.
///
/// # Panics
///
/// If the value's own `Serialize` fails; derived ones never do.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).expect("derived Serialize does not fail")
}

/// The value of bytes, all of them.
///
/// # Errors
///
/// [`CodecError`] if they are not exactly one value.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let config = bincode::config::standard().with_limit::<LIMIT>();
    let seed = Bounded::<PhantomData<T>>::seed(bytes.len());
    let decoded = bincode::serde::seed_decode_from_slice(seed, bytes, config);
    let (value, read) = decoded.map_err(|_| CodecError::Malformed)?;
    if read == bytes.len() { Ok(value) } else { Err(CodecError::Trailing(bytes.len() - read)) }
}

/// The bytes of a whole control message: [`CONTROL`] and the value.
pub fn encode_control(message: &ServerMessage) -> Vec<u8> {
    let mut bytes = vec![CONTROL];
    bytes.extend(encode(message));
    bytes
}
