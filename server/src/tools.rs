//! What a server's binary can do beside serving: for authors of games, show a game's schema, learn codings, begin a new
//! project; for operators, ask a server how it is, look at a fleet, listen to it, run one on this machine. [`crate::cli`] says
//! how each is asked for.

use std::io::{self, Write as _};

use anyhow::Context as _;

pub(crate) mod cluster;
pub(crate) mod fleet;
pub(crate) mod health;
pub(crate) mod project;
pub(crate) mod tap;
pub(crate) mod types;

/// Writes to standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).context("cannot write to standard output")
}
