//! A lab of lines: what the networks that people have do to a game, with a seed, so that it can be had again.
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
//! In reading order. Pure, with the time as an argument: [`profile`] are the numbers, [`line`](mod@line) what of them holds
//! now, [`way`] what happens to bytes on one way, [`opening`] how a connection comes about, [`packets`] what happens to whole
//! packets. At the rim: [`control`] is what drivers hold, [`proxy`] passes TCP, [`tunnel`] packets between namespaces.

pub mod profile;
pub mod line;
pub mod way;
pub mod opening;
pub mod packets;
pub mod control;
pub mod proxy;
#[cfg(target_os = "linux")]
pub mod tunnel;

pub use control::Control;
pub use line::Line;
pub use profile::{Change, Profile, Ways};
pub use proxy::Proxy;
#[cfg(target_os = "linux")]
pub use tunnel::Tunnel;
pub use way::Way;
