//! The core's tests from outside: a model of what every client must hold, deliberate faults, damaged frames, what a tick
//! allocates, chat in a fleet, names that look alike, and the reference trace. The sandbox is the harness that drives rooms
//! without sockets.

#[path = "../../../../shared/tests/it/counting.rs"]
mod counting;
#[path = "../../../../shared/tests/it/damage.rs"]
mod damage;
#[expect(dead_code, reason = "other vectors use the rest")]
#[path = "../../../../shared/tests/vectors/json.rs"]
mod json;
#[expect(dead_code, reason = "other vectors use the rest")]
#[path = "../../../../shared/tests/vectors/replay.rs"]
mod replay;

mod allocations;
mod chat;
mod damaged;
mod edges;
mod faults;
mod learned;
mod lines;
mod model;
mod restored;
mod returning;
mod sandbox;
mod spectators;
mod trace;
mod twins;
