//! What the tests of several crates share: claims that are checked aloud, an allocator that counts, bytes that are damaged, the files of golden vectors, and
//! the sandbox, a game that does whatever its inputs say. What authors of games need, too, is `tiltyard-testing`'s.

pub mod checks;
pub mod counting;
pub mod damage;
pub mod sandbox;
pub mod vectors;
