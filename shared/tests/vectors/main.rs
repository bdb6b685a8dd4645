//! Golden vectors: files under `shared/vectors` that pin every byte of the protocol. JavaScript runs the same files
//! (`web/test/vectors.test.js`), and whoever writes a client in another language can.
//!
//! Each module builds one file from the real encoders, runs the real decoders over its bytes, and writes down what they
//! found. The test compares that with the file, so a byte that changes is seen in review.
//! `UPDATE_VECTORS=1 cargo test -p tiltyard-shared --test vectors` writes the files anew.

use std::path::PathBuf;

use serde_json::Value;
use tiltyard_test_support::vectors::{json, replay};

mod things;
mod server;
mod numbers;
mod messages;
mod texts;
mod quantizers;
mod wire;
mod heads;
mod codings;
mod chunks;
mod frames;
mod refusals;
mod pieces;
mod odd;
mod hostile;
mod shapes;
mod protocol;
mod document;

/// Compares what was built with the file of that name, or writes the file.
fn check(name: &str, built: &Value) {
    json::check(&folder(), name, built, "-p tiltyard-shared --test vectors");
}

/// Where the files are.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}
