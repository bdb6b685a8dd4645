//! The entrance for players: HTTP with the page and the API, the WebSocket handshake, and the hello phase that ends in
//! a room.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderMap, header::HOST},
    routing::get,
};
use tiltyard_shared::protocol::Code;
use tokio::net::TcpListener;

use crate::{
    chat::Chat,
    config::Timing,
    fleet::{Instance, socket_url},
    games::{GameHost, Games},
    lobby,
    matchmaking::Matchmaking,
    net::http::{self, Permits},
    placement::Placement,
    rooms::Rooms,
};

pub(crate) mod pages;
mod visitor;
mod hello;
mod handshake;
mod api;

pub(crate) use api::Tickets;
use pages::Pages;

/// State shared by all connections outside of rooms.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// This instance.
    pub(crate) here: Instance,
    /// The games of the server.
    pub(crate) games: Games,
    /// The rooms of this instance.
    pub(crate) rooms: Arc<Rooms>,
    /// Finds where a wish leads.
    pub(crate) placement: Placement,
    /// Matches players.
    pub(crate) matchmaking: Matchmaking,
    /// The channels.
    pub(crate) chat: Chat,
    /// The searches made by REST.
    pub(crate) tickets: Tickets,
    /// The page's files.
    pub(crate) pages: Pages,
    /// Timeouts and intervals.
    pub(crate) timing: Timing,
}

impl Gateway {
    /// The current time.
    fn now(&self) -> Duration {
        self.here.clock().now()
    }

    /// A game by its name.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownGame`].
    fn game(&self, name: &str) -> Result<&dyn GameHost, Code> {
        self.games.find(name).map(AsRef::as_ref).ok_or(Code::UnknownGame)
    }

    /// The WebSocket URL of this instance for the sender of a request with these headers.
    fn socket_url(&self, headers: &HeaderMap) -> String {
        if let Some(url) = self.here.public_url() {
            return socket_url(url);
        }
        let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
        let host = text(HOST.as_str()).unwrap_or("localhost");
        let scheme = if text("x-forwarded-proto") == Some("https") { "wss" } else { "ws" };
        format!("{scheme}://{host}/ws")
    }

    /// Drops reservations and tickets that nobody has asked for in time.
    fn expire(&self) {
        self.rooms.expire();
        self.tickets.expire(self.now(), self.timing.ticket);
    }
}

/// Serves players until the server stops.
pub(crate) async fn serve(listener: TcpListener, gateway: Gateway, permits: Permits) {
    let mut stop = gateway.here.stop();
    let gateway = Arc::new(gateway);
    let router = Router::new()
        .route("/", get(pages::index))
        .route("/rooms/{room}", get(pages::index))
        .route("/web/{*path}", get(pages::file))
        .route("/ws", get(handshake::accept))
        .merge(api::router())
        .with_state(gateway.clone());
    tokio::select! {
        () = http::serve(listener, router, permits, gateway.here.clock()) => {}
        () = lobby::run(gateway.here.lobby(), || gateway.expire()) => {}
        () = stop.requested() => {}
    }
}
