//! Pong for two, as the guide in docs/pong.md builds it, and its text, with which `tiltyard new` begins a project.

#[path = "src/lib.rs"]
mod pong;

pub use pong::*;

/// The text of the rules: the guide's `src/lib.rs`.
pub const SOURCE: &str = include_str!("src/lib.rs");
