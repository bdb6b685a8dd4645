//! The bus: one contract for both kinds, and what only RabbitMQ can show.
//!
//! The RabbitMQ half is ignored but for `make test-broker`:
//! `rabbitmq/with-broker cargo test -p tiltyard-server --test it bus:: -- --ignored`.

mod ground;
mod contract;
mod letters;
mod full;
mod addresses;
mod rabbitmq;
pub(crate) mod absent;
mod faults;
mod leaks;
pub(crate) mod raw;
mod rights;
mod throughput;
mod tools;
