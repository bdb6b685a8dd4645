//! The load swarm's command, with the games that ship.

use std::process::ExitCode;

use tiltyard_bot::{command, player::Players};

fn main() -> ExitCode {
    command::run(&Players::of_shipped_games())
}
