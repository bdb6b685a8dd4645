//! The bus: one contract for both kinds, and what only RabbitMQ can show.
//!
//! The RabbitMQ half runs where AMQP_URL is set: `rabbitmq/with-broker cargo test -p tiltyard-server --test bus`.

mod ground;
mod contract;
mod letters;
mod full;
mod rabbitmq;
mod raw;
mod rights;
