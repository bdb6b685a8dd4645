//! The only file that names bincode: its standard configuration, always with a limit.
//!
//! bincode's limits count the memory that decoding claims, not wire bytes, so a length made up by the peer allocates
//! nothing. Lists escape these limits; `bounded` handles them.

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

/// The error for bytes that are not the expected value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodecError {
    /// The bytes end early, claim too much, or name something that does not exist.
    #[error("malformed bytes")]
    Malformed,
    /// Bytes are left over after the value.
    #[error("{0} bytes too many")]
    Trailing(usize),
    /// A message of a later version, by its index.
    #[error("unknown message {0}")]
    Unknown(u32),
}

/// Encodes a value.
///
/// # Panics
///
/// If the value's own `Serialize` fails; derived ones never do.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).expect("derived Serialize does not fail")
}

/// Decodes a value from all of the bytes.
///
/// # Errors
///
/// [`CodecError`] if they are not exactly one value.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (value, read) = decode_start(bytes)?;
    if read == bytes.len() { Ok(value) } else { Err(CodecError::Trailing(bytes.len() - read)) }
}

/// Decodes the value at the start of the bytes. Returns also what follows it.
///
/// # Errors
///
/// [`CodecError::Malformed`]
pub(crate) fn decode_first<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), CodecError> {
    let (value, read) = decode_start(bytes)?;
    Ok((value, &bytes[read..]))
}

/// Decodes a value that this or another server has saved: as [`decode`], but it may be as large as a room.
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

/// Decodes the value at the start of the bytes. Returns also its length.
fn decode_start<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), CodecError> {
    let config = bincode::config::standard().with_limit::<LIMIT>();
    let seed = Bounded::<PhantomData<T>>::seed(bytes.len());
    bincode::serde::seed_decode_from_slice(seed, bytes, config).map_err(|_| CodecError::Malformed)
}

/// Decodes a client's message. Bytes after its last field are of a later version and skipped.
///
/// # Errors
///
/// [`CodecError::Unknown`] for a message of a later version, [`CodecError::Malformed`] for bytes that are no message.
pub fn decode_client(bytes: &[u8]) -> Result<ClientMessage, CodecError> {
    decode_message(bytes, ClientMessage::KINDS)
}

/// Decodes a server's message from the bytes after [`CONTROL`]; otherwise as [`decode_client`].
///
/// # Errors
///
/// As [`decode_client`].
pub fn decode_server(bytes: &[u8]) -> Result<ServerMessage, CodecError> {
    decode_message(bytes, ServerMessage::KINDS)
}

fn decode_message<T: DeserializeOwned>(bytes: &[u8], kinds: u32) -> Result<T, CodecError> {
    // A number below 251 takes a single byte.
    let kind = match bytes.first() {
        Some(&kind @ ..251) => u32::from(kind),
        _ => decode_start::<u32>(bytes)?.0,
    };
    if kind < kinds { Ok(decode_start(bytes)?.0) } else { Err(CodecError::Unknown(kind)) }
}

/// The protocol version of a client, from the part of its hello that never changes.
///
/// # Errors
///
/// [`CodecError::Malformed`] if the bytes are no hello of any version.
pub fn decode_version(bytes: &[u8]) -> Result<u16, CodecError> {
    /// The beginning of every version's hello.
    #[derive(Deserialize)]
    enum Beginning {
        Hello { protocol: u16, client: String },
    }
    let (Beginning::Hello { protocol, client }, _) = decode_start(bytes)?;
    drop(client);
    Ok(protocol)
}

/// Encodes the goodbye that every version understands: code, message, and the number of frames handed over.
pub fn encode_first_goodbye(code: Code, frames: u64) -> Vec<u8> {
    let goodbye = ServerMessage::Goodbye { code, message: code.to_string(), frames, retry_within_ms: 0 };
    let mut bytes = encode_control(&goodbye);
    // Version 1 takes nothing after the frames: the last field is this one byte.
    bytes.pop();
    bytes
}

/// Encodes a control message: [`CONTROL`] and the value.
pub fn encode_control(message: &ServerMessage) -> Vec<u8> {
    let mut bytes = vec![CONTROL];
    bytes.extend(encode(message));
    bytes
}
