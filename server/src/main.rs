//! The `tiltyard` binary: serves the arena, connect four and pong.

tiltyard_server::main!(tiltyard_arena::Arena, tiltyard_connect4::Connect4, tiltyard_pong::Pong);
