//! Bots that load and check a server: they stand on [`tiltyard_client`], play, and compare every state that they hold with
//! the hash of the server's.
//!
//! A [`swarm`] goes to rooms, a [`crowd`] searches for matches.

pub mod swarm;
pub mod crowd;
