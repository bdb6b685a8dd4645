//! The rules of a Tiltyard server as pure state machines: events in, effects out, time an argument.
//!
//! No tokio, no sockets, no logging. [`directory`] is which rooms there are, [`chat`] who is in which channel and hears what,
//! [`admission`] who may come in; a [`room`] is an [`authority`], which owns a simulation, its seats and inputs, and an
//! [`edge`], which decides who gets what this tick; [`schedule`] says when ticks are due, [`packed`] how what instances say becomes bytes, [`least`] what a line is now. The
//! server's tasks drive them.
//!
//! Below they stand in their order, lowest first: a module names none that stands after it.

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
