//! Bots that load and check a server: they use [`tiltyard_client`], play, and compare every state with the hash of the
//! server's state.
//!
//! A [`swarm`] plays in rooms of any game; a [`player`] decides what its bots send. A [`crowd`] searches for matches of
//! the arena. The binary is [`command::run`] with the shipped games; a game with a [`Bot`](tiltyard_shared::bot::Bot)
//! of its own makes the same binary with it:
//!
//! ```no_run
//! # use tiltyard_arena::bot::Bot as MyBot;
//! use tiltyard_bot::{command, player::Players};
//!
//! fn main() -> std::process::ExitCode {
//!     command::run(&Players::default().with::<MyBot>())
//! }
//! ```

pub mod player;
pub mod swarm;
pub mod crowd;
pub mod command;
