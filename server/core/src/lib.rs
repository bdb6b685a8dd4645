//! The rules of a Tiltyard server as pure state machines: events in, effects out, time as an argument.
//!
//! No tokio, no sockets, no logging. [`directory`] lists the rooms of the fleet, [`chat`] carries messages between the
//! members of channels, [`matchmaking`] brings players together, and [`admission`] limits who may enter. A [`room`] is
//! an [`authority`], which owns a simulation, its seats and inputs, and an [`edge`], which decides what each player
//! gets at a tick. [`schedule`] says when ticks are due, [`packed`] turns messages between instances into bytes, and
//! [`least`] measures a line. The server's tasks drive them.
//!
//! The modules are declared lowest first: none names one that is declared after it.

pub mod packed;
pub mod instance;
pub mod least;
pub mod admission;
pub mod inputs;
pub mod schedule;
pub mod seat;
pub mod views;
pub mod events;
pub mod directory;
pub mod chat;
pub mod matchmaking;
pub mod authority;
pub mod edge;
pub mod room;
