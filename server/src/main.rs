//! The `tiltyard` binary: serves the arena.

tiltyard_server::main!(tiltyard_arena::Arena);
