//! Bytes over TCP: HTTP for pages and operators, WebSockets for players, and pings that detect dead connections.

pub(crate) mod transport;
pub(crate) mod http;
pub(crate) mod socket;
pub(crate) mod keepalive;
