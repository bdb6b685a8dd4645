//! Several servers in one process, each an instance of one fleet: on a bus inside the process, and through RabbitMQ
//! (`make test-broker`).

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "../it/client.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod client;
#[path = "../it/game.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod game;
#[path = "../it/http.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod http;

#[path = "../it/talk.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod talk;
#[path = "../bus/raw.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod raw;

mod ground;
mod later;
mod lists;
mod chat;
mod seats;
mod drain;
mod faults;
mod results;
mod tools;
