//! The core's tests from outside: a model of what every client must hold, deliberate faults, damaged frames, what a tick
//! allocates, chat in a fleet, and names that look alike. The sandbox is the harness that drives rooms without sockets.

#[path = "../../../../shared/tests/it/counting.rs"]
mod counting;
#[path = "../../../../shared/tests/it/damage.rs"]
mod damage;

mod allocations;
mod chat;
mod damaged;
mod faults;
mod learned;
mod model;
mod sandbox;
mod spectators;
mod twins;
