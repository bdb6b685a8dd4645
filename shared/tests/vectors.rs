//! Golden vectors: files under `shared/vectors` that pin every byte of the protocol. JavaScript runs the same files
//! (`web/test/vectors.test.js`), and whoever writes a client in another language can.
//!
//! Each module builds one file from the real encoders, runs the real decoders over its bytes, and writes down what they
//! found. The test compares that with the file, so a byte that changes is seen in review.
//! `UPDATE_VECTORS=1 cargo test -p tiltyard-shared --test vectors` writes the files anew.

use std::path::PathBuf;

use serde_json::Value;

#[path = "vectors/json.rs"]
mod json;
#[path = "vectors/things.rs"]
mod things;
#[path = "vectors/server.rs"]
mod server;
#[path = "vectors/replay.rs"]
mod replay;
#[path = "vectors/numbers.rs"]
mod numbers;
#[path = "vectors/messages.rs"]
mod messages;
#[path = "vectors/texts.rs"]
mod texts;
#[path = "vectors/quantizers.rs"]
mod quantizers;
#[path = "vectors/wire.rs"]
mod wire;
#[path = "vectors/heads.rs"]
mod heads;
#[path = "vectors/codings.rs"]
mod codings;
#[path = "vectors/chunks.rs"]
mod chunks;
#[path = "vectors/frames.rs"]
mod frames;
#[path = "vectors/refusals.rs"]
mod refusals;
#[path = "vectors/pieces.rs"]
mod pieces;
#[path = "vectors/odd.rs"]
mod odd;
#[path = "vectors/hostile.rs"]
mod hostile;
#[path = "vectors/shapes.rs"]
mod shapes;
#[path = "vectors/protocol.rs"]
mod protocol;
#[path = "vectors/document.rs"]
mod document;

/// Compares what was built with the file of that name, or writes the file.
fn check(name: &str, built: &Value) {
    json::check(&folder(), name, built, "-p tiltyard-shared --test vectors");
}

/// Where the files are.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}
