//! The server as its players and operators meet it: real servers on free ports, real WebSockets, a small game that does
//! what it is told.

mod client;
mod game;
mod hello;
mod limits;
mod ops;
mod process;
mod room;
mod stop;
