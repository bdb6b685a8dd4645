//! The scenes that Tiltyard is measured with, as games: crowds that walk and do nothing else, so that figures are about the
//! server and not about rules.
//!
//! [`Walkers`] is the scene of the bytes and of the sockets; [`Population`] is one that another project publishes figures
//! of. Both run on the server like any game.

pub mod population;
pub mod walkers;

pub use population::Population;
pub use walkers::Walkers;
