//! The files of golden vectors: their text, and what a replica holds as they say it.

pub mod json;
pub mod replay;
