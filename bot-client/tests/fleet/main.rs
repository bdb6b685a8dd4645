//! The fleet's proof over a real RabbitMQ: real processes, real balancers, a real Prometheus, bots that verify every state,
//! while processes are killed, stopped and let go on, and brokers fail.
//!
//! `make test-fleet` runs the parts in short, `make fleet` in full (FLEET=full), `make soak` the longest one (FLEET=soak);
//! their names after `--` choose some. Needs AMQP_URL, as rabbitmq/with-broker sets it; `faults` and `cluster` start brokers
//! of their own to break. Prints every claim with what was seen, at the end a table of what must hold; exit status 0 only if all held.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::{env, process::ExitCode};

use tiltyard_test_support::checks;

mod balancer;
mod bots;
mod broker;
mod cluster;
mod crowds;
mod deploy;
mod faults;
mod fleet;
mod instance;
mod leaving;
mod matches;
mod matchmaking;
mod names;
mod process;
mod prometheus;
mod scale;
mod seats;
mod simulations;
mod stage;
mod stop;
mod table;
mod tickets;

use checks::Checks;

/// How much of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Short,
    Full,
    Soak,
}

impl Form {
    /// FLEET is `full`, `soak` or nothing.
    fn of_environment() -> Self {
        match env::var("FLEET").as_deref() {
            Ok("soak") => Self::Soak,
            Ok("full") => Self::Full,
            _ => Self::Short,
        }
    }
}

type Part = (&'static str, fn(&mut Checks, Form) -> anyhow::Result<()>);

const SIMULATIONS: &str = "simulations";
const CLUSTER: &str = "cluster";

const PARTS: [Part; 14] = [
    (SIMULATIONS, simulations::run),
    ("crowd", matchmaking::crowd),
    ("no-shows", matchmaking::no_shows),
    ("matchmaker", matchmaking::matchmaker),
    ("paused", matchmaking::paused),
    ("host", matchmaking::host),
    ("running", matchmaking::running),
    ("tickets", tickets::run),
    ("deploy", deploy::run),
    ("leaving", leaving::run),
    ("scale", scale::run),
    ("matches", matches::run),
    ("faults", faults::run),
    (CLUSTER, cluster::run),
];

fn main() -> ExitCode {
    let form = Form::of_environment();
    let wanted: Vec<String> = env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    // In short the simulations are not run, which are among `make test-rust`, nor the cluster, which takes minutes.
    let is_wanted = |name: &str| match wanted.as_slice() {
        [] => form != Form::Short || ![SIMULATIONS, CLUSTER].contains(&name),
        wanted => wanted.iter().any(|wanted| wanted == name),
    };
    if let Err(error) = stop::watch() {
        println!("FAIL {error:#}");
        return ExitCode::FAILURE;
    }
    let mut checks = Checks::default();
    for (name, part) in PARTS.iter().filter(|(name, _)| is_wanted(name)) {
        checks.part(name, |checks| part(checks, form));
    }
    table::print(&checks);
    if checks.sum_up() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
