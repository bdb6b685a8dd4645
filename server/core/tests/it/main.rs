//! The core's tests from outside: a model of what every client must hold, and the harness that drives rooms without sockets.

mod faults;
mod model;
mod sandbox;
