//! What operators see: metrics and health, on a port of their own.

pub(crate) mod listener;
