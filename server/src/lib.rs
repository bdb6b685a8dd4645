//! The Tiltyard room server, for game authors: a binary with every option of ours is one line.
//!
//! ```no_run
//! tiltyard_server::main!(tiltyard_arena::Arena);
//! ```
//!
//! The modules in the order in which a player meets them: [`run()`] is the process (`tools` are its sub-commands for
//! authors) and `server` what runs in it; the `gateway` serves the page and takes connections and their hello; `rooms`
//! knows where they may go, and the `lobby` shows it; in `chat` they talk before; a `room` is one task on a `shard` and owns its players'
//! sockets, each a `socket` over a `line`. `ops` is what operators see, `results` what becomes of matches. Instances are a
//! [`fleet`] over a [`bus`]. The rules of a room are pure and live in `tiltyard-core`.

mod run;
mod config;
mod tools;
mod games;
mod server;
mod stop;
mod clock;
mod gateway;
mod rooms;
mod results;
mod lobby;
mod chat;
mod matchmaking;
mod shard;
mod room;
mod socket;
mod line;
mod ops;
pub mod fleet;
pub mod bus;

pub use config::{Config, ModeConfig, Timing};
pub use games::Games;
pub use run::run;
pub use server::{Server, StartError};

/// The `main` function of a server that offers these games, in this order.
#[macro_export]
macro_rules! main {
    ($($game:ty),+ $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::run($crate::Games::new()$(.with::<$game>())+)
        }
    };
}
