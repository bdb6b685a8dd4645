//! The Tiltyard room server, for game authors: a binary with every option of ours is one line.
//!
//! ```no_run
//! tiltyard_server::main!(tiltyard_arena::Arena);
//! ```
//!
//! The modules as a player meets them: [`run()`] is the process (`cli` and `tools` are what else it does) and `server` what
//! runs in it; the `gateway` serves the page and takes connections and their hello; `placement` knows where in the fleet a
//! wish leads, `rooms` where on this instance, and the `lobby` shows it; in `chat` they talk before, by `matchmaking` they are
//! matched; a `room` is one task on a `shard` and owns its players' sockets, which are `net`'s. `ops` is what operators see,
//! `results` what becomes of matches. Instances are a [`fleet`] over a [`bus`], on which `dispatch` answers. The rules of a
//! room are pure and live in `tiltyard-core`.
//!
//! Below they stand in their order, lowest first: a module names none that stands after it.

pub mod bus;
mod clock;
mod stop;
mod log;
mod metrics;
mod lobby;
mod shard;
mod config;
mod net;
pub mod fleet;
mod chat;
mod results;
mod room;
mod games;
mod rooms;
mod matchmaking;
mod placement;
mod tools;
mod cli;
mod gateway;
mod dispatch;
mod ops;
mod server;
mod run;

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
