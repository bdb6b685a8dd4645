//! The fleet's proof over a real RabbitMQ: real processes, real balancers, a real Prometheus, bots that verify every state.
//!
//! `make test-fleet` runs the parts in short, `make fleet` in full (FLEET=full); their names after `--` choose some.
//! Needs AMQP_URL, for `faults` RABBITMQ_CTL too: rabbitmq/with-broker sets both. Prints every claim with what was seen;
//! exit status 0 only if all held.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::{env, process::ExitCode};

mod balancer;
mod bots;
mod broker;
#[path = "../smoke/binary.rs"]
mod binary;
#[path = "../smoke/checks.rs"]
mod checks;
mod deploy;
mod faults;
mod fleet;
mod http;
mod instance;
mod matches;
mod process;
mod prometheus;
mod scale;
mod seats;
mod tickets;

use checks::Checks;

type Part = (&'static str, fn(&mut Checks) -> anyhow::Result<()>);

const PARTS: [Part; 4] =
    [("deploy", deploy::run), ("scale", scale::run), ("matches", matches::run), ("faults", faults::run)];

fn main() -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let mut checks = Checks::default();
    for (name, part) in PARTS.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name))
    {
        if let Err(error) = part(&mut checks) {
            checks.check(name, format!("{error:#}"), false);
        }
    }
    if checks.sum_up() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
