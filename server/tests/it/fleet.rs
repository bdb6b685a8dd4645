//! Several servers in one process, each an instance of one fleet: on a bus inside the process, and through RabbitMQ
//! (`make test-broker`).

mod ground;
mod later;
mod lists;
mod chat;
mod seats;
mod drain;
mod faults;
mod results;
mod tools;
