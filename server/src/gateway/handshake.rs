//! The WebSocket handshake: the HTTP request is checked and answered with 101, and its TCP stream is taken back from
//! hyper together with the bytes that hyper has already read.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header::SEC_WEBSOCKET_VERSION},
    response::{IntoResponse as _, Response},
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{
    error::{Error, ProtocolError},
    handshake::server::create_response_with_body,
};
use tracing::debug;

use super::{Gateway, hello};
use crate::{
    metrics,
    net::{http::ConnectionPermit, socket::Socket, transport::Transport},
};

/// `GET /ws`.
pub(crate) async fn accept(State(gateway): State<Arc<Gateway>>, mut request: Request) -> Response {
    if gateway.here.stop().is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n").into_response();
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let permit = request.extensions_mut().remove::<ConnectionPermit>();
    let request = request.map(|_| ());
    match create_response_with_body(&request, Body::empty) {
        Ok(response) => {
            metrics::handshake(true);
            tokio::spawn(open(upgrade, gateway, permit));
            response
        }
        Err(error) => {
            metrics::handshake(false);
            refuse(&error)
        }
    }
}

fn refuse(error: &Error) -> Response {
    let text = format!("this is for WebSocket (RFC 6455): {error}\n");
    let mut response = (StatusCode::BAD_REQUEST, text).into_response();
    if let Error::Protocol(ProtocolError::MissingSecWebSocketVersionHeader) = error {
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    response
}

/// Serves the connection after its 101. Its permit is released when the connection is in a room or closed.
async fn open(upgrade: OnUpgrade, gateway: Arc<Gateway>, permit: Option<ConnectionPermit>) {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => return debug!(%error, "connection lost in its handshake"),
    };
    let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else {
        return debug!("connection is not plain TCP");
    };
    match Transport::new(parts.io.into_inner(), permit.as_ref().map(ConnectionPermit::socket)) {
        Ok(line) => hello::serve(Socket::open(line, parts.read_buf.into()), &gateway).await,
        Err(error) => debug!(%error, "connection lost in its handshake"),
    }
    drop(permit);
}
