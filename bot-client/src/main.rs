//! The load swarm's command, with the shipped games.

use std::process::ExitCode;

use tiltyard_bot::{command, player::Players};

fn main() -> ExitCode {
    command::run(&Players::of_shipped_games())
}
