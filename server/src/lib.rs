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

/// The allocator of a server's binary. After a peak jemalloc gives back what is free again; with glibc's, memory crept up by a
/// tenth over twenty outages of a broker.
#[cfg(target_env = "msvc")]
pub use std::alloc::System as Allocator;
#[cfg(not(target_env = "msvc"))]
pub use tikv_jemallocator::Jemalloc as Allocator;

/// The `main` function of a server that offers these games, in this order, and its [`Allocator`]. Who wants another writes a
/// `main` that calls [`run()`].
#[macro_export]
macro_rules! main {
    ($($game:ty),+ $(,)?) => {
        const _: () = {
            #[global_allocator]
            static ALLOCATOR: $crate::Allocator = $crate::Allocator;
        };

        fn main() -> ::std::process::ExitCode {
            $crate::run($crate::Games::new()$(.with::<$game>())+)
        }
    };
}
