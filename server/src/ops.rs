//! The operators' port: metrics and health.

pub(crate) mod listener;
