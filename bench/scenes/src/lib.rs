//! The scenes that Tiltyard is measured with, as games: crowds that walk and do nothing else, so that figures are about the
//! server and not about rules.
//!
//! [`Walkers`] is the scene of the bytes and of the sockets; [`Population`] and [`Aoi`] are scenes that other projects
//! publish figures of; [`Ballast`] has frames of any size, in [`Still`] nothing happens. All run on the server like any game; a [`Crowd`] plays them without sockets.

pub mod aoi;
pub mod ballast;
pub mod crowd;
pub mod population;
pub mod still;
pub mod walkers;

pub use aoi::Aoi;
pub use ballast::Ballast;
pub use crowd::Crowd;
pub use population::Population;
pub use still::Still;
pub use walkers::Walkers;
