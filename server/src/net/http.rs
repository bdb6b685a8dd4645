//! HTTP/1.1 over plain TCP: hyper around an axum router, for players and for operators.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{Router, response::Response};
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use parking_lot::Mutex;
use tiltyard_core::admission::Bucket;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::sleep,
};
use tracing::{debug, warn};

use crate::{clock::Clock, net::transport};

/// The maximum time for the head of each request; idle connections are closed after it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum size of a request's head in bytes.
const HEAD_BYTES: usize = 16 * 1024;

/// The pause in accepting when the system has no more connections to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The sustained rate of API requests per connection; bursts may be twice as large.
const REQUESTS_PER_SECOND: u32 = 20;

/// A connection's permit to be outside of rooms, held by whoever serves it.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionPermit(Arc<Taken>);

#[derive(Debug)]
struct Taken {
    _permit: OwnedSemaphorePermit,
    requests: Mutex<Bucket>,
    clock: Clock,
}

impl ConnectionPermit {
    fn new(permit: OwnedSemaphorePermit, clock: Clock) -> Self {
        let requests = Mutex::new(Bucket::per_second(REQUESTS_PER_SECOND, clock.now()));
        Self(Arc::new(Taken { _permit: permit, requests, clock }))
    }

    /// Whether the connection may send one more limited request.
    pub(crate) fn take_request(&self) -> bool {
        let mut bucket = self.0.requests.lock();
        bucket.take(self.0.clock.now())
    }
}

/// Serves the router. Each connection takes one of the `permits`, and waits to be accepted while there is none.
/// Requests have their [`ConnectionPermit`] in their extensions. Never returns; dropping it closes connections that
/// were not upgraded.
pub(crate) async fn serve(listener: TcpListener, router: Router, permits: Arc<Semaphore>, clock: Clock) {
    let service = TowerToHyperService::new(router);
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve_one(stream, service.clone(), ConnectionPermit::new(permit, clock)));
            }
            Err(error) => {
                warn!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve_one(stream: TcpStream, router: TowerToHyperService<Router>, permit: ConnectionPermit) {
    if let Err(error) = transport::set_options(&stream) {
        return debug!(%error, "connection lost");
    }
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(permit.clone());
        let response = router.call(request);
        async move { response.await as Result<Response, Infallible> }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = connection.await {
        debug!(%error, "HTTP connection failed");
    }
}
