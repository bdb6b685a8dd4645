//! The only file that names bincode: its standard configuration, always with a limit.
//!
//! bincode's limits count the memory that decoding claims, not wire bytes, so nothing is allocated by a length that the
//! peer made up. Lists escape them; they are `bounded`'s.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;

use super::{CONTROL, ClientMessage, Code, ServerMessage, limits};

mod bounded;

use bounded::Bounded;

/// Most memory that decoding one value may claim: generous beside [`limits::MESSAGE_BYTES`].
const LIMIT: usize = 4 * limits::MESSAGE_BYTES;

/// Most memory that decoding a saved state may claim.
const SAVED_LIMIT: usize = 1 << 28;

/// Bytes that are not the value they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodecError {
    /// The bytes end early, claim too much, or name something that is not there.
    #[error("malformed bytes")]
    Malformed,
    /// Bytes are left over after the value.
    #[error("{0} bytes too many")]
    Trailing(usize),
    /// A message of a later version, by its index.
    #[error("unknown message {0}")]
    Unknown(u32),
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
    let (value, read) = decode_start(bytes)?;
    if read == bytes.len() { Ok(value) } else { Err(CodecError::Trailing(bytes.len() - read)) }
}

/// The value at the start of bytes, and what follows it.
///
/// # Errors
///
/// [`CodecError::Malformed`]
pub(crate) fn decode_first<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), CodecError> {
    let (value, read) = decode_start(bytes)?;
    Ok((value, &bytes[read..]))
}

/// The value of bytes that this or another server has saved: as [`decode`], but it may be as large as a room.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_saved<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let config = bincode::config::standard().with_limit::<SAVED_LIMIT>();
    let seed = Bounded::<PhantomData<T>>::seed(bytes.len());
    let decoded = bincode::serde::seed_decode_from_slice(seed, bytes, config);
    let (value, read) = decoded.map_err(|_| CodecError::Malformed)?;
    if read == bytes.len() { Ok(value) } else { Err(CodecError::Trailing(bytes.len() - read)) }
}

/// The value at the start of bytes, and how many it took.
fn decode_start<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), CodecError> {
    let config = bincode::config::standard().with_limit::<LIMIT>();
    let seed = Bounded::<PhantomData<T>>::seed(bytes.len());
    bincode::serde::seed_decode_from_slice(seed, bytes, config).map_err(|_| CodecError::Malformed)
}

/// The client's message of these bytes. Bytes behind its last field are of a later version and passed over.
///
/// # Errors
///
/// [`CodecError::Unknown`] for a message of a later version, [`CodecError::Malformed`] for what is none.
pub fn decode_client(bytes: &[u8]) -> Result<ClientMessage, CodecError> {
    decode_message(bytes, ClientMessage::KINDS)
}

/// The server's message of these bytes, which follow [`CONTROL`]; otherwise as [`decode_client`].
///
/// # Errors
///
/// As [`decode_client`].
pub fn decode_server(bytes: &[u8]) -> Result<ServerMessage, CodecError> {
    decode_message(bytes, ServerMessage::KINDS)
}

fn decode_message<T: DeserializeOwned>(bytes: &[u8], kinds: u32) -> Result<T, CodecError> {
    // A number below 251 is its only byte.
    let kind = match bytes.first() {
        Some(&kind @ ..251) => u32::from(kind),
        _ => decode_start::<u32>(bytes)?.0,
    };
    if kind < kinds { Ok(decode_start(bytes)?.0) } else { Err(CodecError::Unknown(kind)) }
}

/// The version that a client speaks, from the part of its hello that never changes.
///
/// # Errors
///
/// [`CodecError::Malformed`] if the bytes are no hello of any version.
pub fn decode_version(bytes: &[u8]) -> Result<u16, CodecError> {
    /// What every version's hello begins with.
    #[derive(Deserialize)]
    enum Beginning {
        Hello { protocol: u16, client: String },
    }
    let (Beginning::Hello { protocol, client }, _) = decode_start(bytes)?;
    drop(client);
    Ok(protocol)
}

/// The whole goodbye that every version understands: code, message, and how many frames were handed over.
pub fn encode_first_goodbye(code: Code, frames: u64) -> Vec<u8> {
    let goodbye = ServerMessage::Goodbye { code, message: code.to_string(), frames, retry_within_ms: 0 };
    let mut bytes = encode_control(&goodbye);
    // Version 1 takes nothing behind the frames: the last field is this one byte.
    bytes.pop();
    bytes
}

/// The bytes of a whole control message: [`CONTROL`] and the value.
pub fn encode_control(message: &ServerMessage) -> Vec<u8> {
    let mut bytes = vec![CONTROL];
    bytes.extend(encode(message));
    bytes
}
