//! A lab of lines: it does to a game what real networks do, reproducibly by a seed.
//!
//! ```no_run
//! use tiltyard_lab::{Change, Profile, Proxy};
//!
//! # fn main() -> std::io::Result<()> {
//! let server = "127.0.0.1:8080".parse().expect("an address");
//! let proxy = Proxy::start(&Profile::named("3g").expect("a profile"), 1, server)?;
//! println!("play at ws://{}/ws", proxy.address());
//! proxy.change(Change::Cut);
//! # Ok(())
//! # }
//! ```
//!
//! In reading order. Pure, with the time as an argument: [`profile`] has the numbers, [`line`](mod@line) the conditions
//! that hold now, [`way`] what happens to bytes in one direction, [`opening`] how a connection is opened, [`packets`]
//! what happens to whole packets. At the rim: [`control`] is the handle for drivers, [`proxy`] passes TCP, [`tunnel`]
//! packets between namespaces. Of a run, [`record`] is what a client noted, [`claims`] what must be true of it.

pub mod profile;
pub mod line;
pub mod way;
pub mod opening;
pub mod packets;
pub mod control;
pub mod proxy;
#[cfg(target_os = "linux")]
pub mod tunnel;
pub mod record;
pub mod claims;

pub use control::Control;
pub use line::Line;
pub use profile::{Change, Profile, Ways};
pub use proxy::Proxy;
#[cfg(target_os = "linux")]
pub use tunnel::Tunnel;
pub use way::Way;
