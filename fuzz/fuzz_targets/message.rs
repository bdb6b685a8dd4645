//! What a client or a server says, as bytes: what can be read is written and read the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tiltyard_shared::protocol::{ServerMessage, codec};

fuzz_target!(|data: &[u8]| {
    if let Ok(message) = codec::decode_client(data) {
        assert_eq!(codec::decode(&codec::encode(&message)), Ok(message));
    }
    if let Ok(message) = codec::decode::<ServerMessage>(data) {
        assert_eq!(codec::decode(&codec::encode(&message)), Ok(message));
    }
});
