//! The Tiltyard room server, for game authors. This line makes a binary with all options of ours:
//!
//! ```no_run
//! tiltyard_server::main!(tiltyard_arena::Arena);
//! ```
//!
//! The modules as a player meets them: [`run()`] is the process (`cli` and `tools` are its other uses) and `server`
//! runs in it; the `gateway` serves the page and takes connections through their hello; `placement` finds the instance
//! for a wish, `rooms` the room on this instance, and the `lobby` lists the rooms; players talk in `chat` before a
//! game, and `matchmaking` matches them; a `room` is one task on a `shard` and owns its players' sockets, which are
//! from `net`. `ops` is the operators' port, and `results` publishes the results of matches. Instances form a [`fleet`]
//! over a [`bus`], on which `dispatch` answers. The rules of a room are pure and live in `tiltyard-core`.
//!
//! The modules are listed in their order, lowest first: a module names none that is listed after it.

pub mod bus;
mod clock;
mod stop;
mod log;
mod files;
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

/// The allocator of a server's binary. Jemalloc returns memory after a peak; with glibc's allocator, memory grew by a
/// tenth over twenty outages of a broker.
#[cfg(target_env = "msvc")]
pub use std::alloc::System as Allocator;
#[cfg(not(target_env = "msvc"))]
pub use tikv_jemallocator::Jemalloc as Allocator;

/// The `main` function of a server that offers these games, in this order, with [`Allocator`]. To use another
/// allocator, write a `main` that calls [`run()`].
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
