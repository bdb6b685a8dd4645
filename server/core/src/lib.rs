//! The rules of a Tiltyard server as pure state machines: events in, effects out, time an argument.
//!
//! No tokio, no sockets, no logging. [`room::Room`] owns a simulation, its seats and inputs; its [`edge`] decides who gets
//! what this tick; [`schedule`] says when ticks are due. The server's room task drives them.

pub mod room;
pub mod inputs;
pub mod edge;
pub mod schedule;
