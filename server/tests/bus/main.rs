//! The bus: one contract for both kinds, and what only RabbitMQ can show.
//!
//! The RabbitMQ half runs where AMQP_URL is set: `rabbitmq/with-broker cargo test -p tiltyard-server --test bus`.

#![allow(
    clippy::unwrap_used,
    clippy::large_enum_variant,
    clippy::needless_pass_by_value,
    reason = "a test that unwraps fails by it, and its helpers take what is at hand"
)]

mod ground;
mod contract;
mod letters;
mod full;
mod rabbitmq;
mod raw;
mod rights;
