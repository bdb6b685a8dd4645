//! Golden vectors: files under `shared/vectors` that pin every byte of the protocol. JavaScript runs the same files
//! (`web/test/vectors.test.js`), and whoever writes a client in another language can.
//!
//! Each module builds one file from the real encoders, runs the real decoders over its bytes, and writes down what they
//! found. The test compares that with the file, so a byte that changes is seen in review.
//! `UPDATE_VECTORS=1 cargo test -p tiltyard-shared --test vectors` writes the files anew.

use std::{env, fs, path::PathBuf};

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
#[path = "vectors/hostile.rs"]
mod hostile;
#[path = "vectors/document.rs"]
mod document;

/// Compares what was built with the file of that name, or writes the file.
fn check(name: &str, built: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name);
    let text = json::format(built);
    if env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, text).expect("the folder of the vectors can be written");
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept == text {
        return;
    }
    let (number, (old, new)) = kept
        .lines()
        .chain(std::iter::repeat("(end)"))
        .zip(text.lines().chain(std::iter::once("(end)")))
        .enumerate()
        .find(|(_, (old, new))| old != new)
        .expect("different texts differ in a line or in length");
    panic!(
        "shared/vectors/{name} differs from what the code does, first in line {}:\n  file: {old}\n  code: {new}\n\
         If the change is meant: UPDATE_VECTORS=1 cargo test -p tiltyard-shared --test vectors",
        number + 1
    );
}
