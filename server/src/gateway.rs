//! Where players come in: HTTP, the WebSocket handshake, and the hello phase that ends in a room.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, header::HOST},
    routing::get,
};
use tokio::{net::TcpListener, sync::Semaphore};

use crate::{config::Timing, rooms::Rooms, stop::Stop};

mod handshake;
mod hello;
pub(crate) mod http;

/// Connections that are not in a room yet: HTTP, handshake, hello. Beyond them new ones wait to be accepted.
pub(crate) const MAX_OUTSIDE: u32 = 4096;

/// What every connection outside of rooms needs.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// Where it may go.
    pub(crate) rooms: Rooms,
    /// How long it may take.
    pub(crate) timing: Timing,
    /// When to stop.
    pub(crate) stop: Stop,
}

/// Serves players until the server stops. `places` has [`MAX_OUTSIDE`] permits.
pub(crate) async fn serve(listener: TcpListener, gateway: Gateway, places: Arc<Semaphore>) {
    let mut stop = gateway.stop.clone();
    let router =
        Router::new().route("/", get(welcome)).route("/ws", get(handshake::accept)).with_state(Arc::new(gateway));
    tokio::select! {
        () = http::serve(listener, router, places) => {}
        () = stop.requested() => {}
    }
}

/// A page for whoever looks at the port with a browser.
async fn welcome(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("this host");
    let (version, games) = (env!("CARGO_PKG_VERSION"), gateway.rooms.games().names().join(", "));
    format!("Tiltyard {version}: a multiplayer room server\n\nGames:     {games}\nWebSocket: ws://{host}/ws\n")
}
