//! The bench: what a player costs, measured through the real server and real sockets, beside the floor and a peer.
//!
//! [`scenes`] are what is measured; a scene starts a [`host`] on one core of the [`machine`] and lets a [`crowd`] of clients
//! play on the other; [`stage`] plays without sockets; [`websocket`] is the little of that protocol that the crowd speaks. [`report`] prints and keeps
//! what comes out, [`plot`] draws it, [`claim`] says whether it is as it must be.

pub mod machine;
pub mod host;
pub mod websocket;
pub mod crowd;
pub mod stage;
pub mod scenes;
pub mod report;
pub mod plot;
pub mod claim;
