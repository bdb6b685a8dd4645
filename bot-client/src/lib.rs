//! Bots that load and check a server: they stand on [`tiltyard_client`], play, and compare every state that they hold with
//! the hash of the server's.
//!
//! A [`swarm`] goes to rooms of any game; what its bots send is a [`player`]'s. A [`crowd`] searches for matches of the arena.
//! The binary is [`command::run`] with the games that ship; a game that brings a [`Bot`](tiltyard_shared::bot::Bot) has the
//! same with its own:
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
