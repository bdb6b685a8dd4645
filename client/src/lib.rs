//! The Rust client of Tiltyard.
//!
//! A game's client opens a [`Client`], takes its [`Event`]s, sends inputs, and shows its replica:
//!
//! ```no_run
//! use tiltyard_client::{Client, Event, Options};
//! # use tiltyard_arena::Arena;
//! use tiltyard_shared::protocol::Target;
//!
//! # async fn play(input: <Arena as tiltyard_shared::game::Game>::Input) -> Result<(), tiltyard_client::Error> {
//! let options = Options::new("ws://127.0.0.1:8080/ws");
//! let mut client = Client::<Arena>::enter(options, Target::Game("arena".into())).await?;
//! loop {
//!     match client.next().await? {
//!         Event::Frame(_) => println!("{} entities", client.replica().shown().count()),
//!         Event::Goodbye { message, .. } => return Ok(println!("over: {message}")),
//!         _ => {}
//!     }
//!     client.send(&input).ok();
//! }
//! # }
//! ```
//!
//! The modules in reading order. Pure, with the time as an argument: [`clock`], [`lead`], [`playout`], [`pulse`],
//! [`resyncs`], [`inputs`], [`game`], [`session`], which combines them to the protocol, [`backoff`], and
//! [`connection`]. At the rim: [`socket`], [`link`], [`handshake`], [`client`], [`search`].

pub mod clock;
pub mod lead;
pub mod playout;
pub mod pulse;
pub mod resyncs;
pub mod inputs;
pub mod error;
pub mod game;
pub mod session;
pub mod backoff;
pub mod connection;
pub mod socket;
pub mod link;
pub mod handshake;
pub mod client;
pub mod search;

pub use client::{Client, Options};
pub use error::{Error, Violation};
pub use game::AnyGame;
pub use search::Searching;
pub use session::{Event, Session};
