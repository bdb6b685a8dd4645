//! Matchmaking over a fleet: three release servers on a real RabbitMQ, crowds that search, and processes that are killed,
//! stopped and let go on while they do.
//!
//! `rabbitmq/with-broker cargo test --release -p tiltyard-bot --test matchmaking` runs the short form; `FLEET=full` the full
//! one. Part names after `--` run only those (`crowd`, `matchmaker`, `paused`, `host`, `running`, `tickets`). Prints every
//! claim with what was seen; exit status 0 only if all held. Without `AMQP_URL` there is nothing to run against.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::{env, process::ExitCode};

#[path = "../smoke/binary.rs"]
mod binary;
#[path = "../smoke/checks.rs"]
mod checks;
mod fleet;
mod parts;
mod tickets;

use checks::Checks;

type Part = (&'static str, fn(&mut Checks, bool) -> anyhow::Result<()>);

const PARTS: [Part; 6] = [
    ("crowd", parts::crowd),
    ("matchmaker", parts::matchmaker),
    ("paused", parts::paused),
    ("host", parts::host),
    ("running", parts::running),
    ("tickets", tickets::tickets),
];

fn main() -> ExitCode {
    if env::var_os("AMQP_URL").is_none() {
        println!("NOT RUN: AMQP_URL is not set (rabbitmq/with-broker sets it)");
        return ExitCode::FAILURE;
    }
    let full = env::var_os("FLEET").is_some_and(|form| form == "full");
    let wanted: Vec<String> = env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let mut checks = Checks::default();
    for (name, part) in PARTS.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name))
    {
        println!("{name}");
        if let Err(error) = part(&mut checks, full) {
            checks.check(name, format!("{error:#}"), false);
        }
    }
    if checks.sum_up() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
