//! The core's tests from outside: a model of what every client must hold, deliberate faults, damaged frames, what a tick
//! allocates, chat in a fleet, names that look alike, and the reference trace. The sandbox is the harness that drives rooms
//! without sockets.

use tiltyard_test_support::{
    counting, damage, sandbox,
    vectors::{json, replay},
};

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
mod spectators;
mod trace;
mod twins;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;
