//! The smoke run: a release server on free ports, real WebSockets, and clients that verify every state they hold.
//!
//! `make smoke` runs all parts; `cargo test --release -p tiltyard-bot --test smoke -- load` only the one named
//! (`load`, `neighbours`, `lines`, `faults`, `games`). Prints every claim with what was seen; exit status 0 only if all held.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::{env, process::ExitCode};

use tiltyard_test_support::checks;

mod browser;
mod faults;
mod games;
mod lines;
mod load;
mod memory;
mod neighbours;
mod proxy;
mod server;
mod slow;
mod witness;

use checks::Checks;

type Part = (&'static str, fn(&mut Checks) -> anyhow::Result<()>);

const PARTS: [Part; 5] = [
    ("load", load::run),
    ("neighbours", neighbours::run),
    ("lines", lines::run),
    ("faults", faults::run),
    ("games", games::run),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let mut checks = Checks::default();
    for (name, part) in PARTS.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name))
    {
        checks.part(name, part);
    }
    if checks.sum_up() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
