//! The server as its players and operators meet it: real servers on free ports, real WebSockets, a small game that does
//! what it is told.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use tiltyard_test_support::vectors::json;

mod api;
mod bus;
mod chat;
mod client;
mod files;
mod fleet;
mod game;
mod glossary;
mod hello;
mod http;
mod limits;
mod links;
mod lobby;
mod logs;
mod messages;
mod modules;
mod ops;
mod process;
mod restored;
mod room;
mod search;
mod signals;
mod stop;
mod talk;
mod tickets;
mod ways;
