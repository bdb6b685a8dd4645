//! HTTP/1.1 over plain TCP: hyper around an axum router, for players and for operators.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

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

use crate::{
    clock::Clock,
    metrics,
    net::transport::{self, SocketPermit},
};

/// The maximum time for the head of each request; idle connections are closed after it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum size of a request's head in bytes.
const HEAD_BYTES: usize = 16 * 1024;

/// The pause in accepting when the system has no more connections to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The minimum time between two lines of the log about connections that cannot be accepted.
const COMPLAINT_SPACING: Duration = Duration::from_secs(10);

/// The sustained rate of API requests per connection; bursts may be twice as large.
const REQUESTS_PER_SECOND: u32 = 20;

/// The permits that a listener gives out: one of each to every connection.
#[derive(Clone, Debug)]
pub(crate) struct Permits {
    /// Those to be outside of rooms.
    pub(crate) outside: Arc<Semaphore>,
    /// Those to have a socket at all. Together they are fewer than the files that may be open.
    pub(crate) sockets: Arc<Semaphore>,
}

impl Permits {
    /// Waits for a permit of each kind; `None` if there will be no more.
    async fn acquire(&self) -> Option<(OwnedSemaphorePermit, SocketPermit)> {
        let outside = self.outside.clone().acquire_owned().await.ok()?;
        let socket = self.sockets.clone().acquire_owned().await.ok()?;
        Some((outside, SocketPermit::from(socket)))
    }
}

/// A connection's permit to be outside of rooms, held by whoever serves it.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionPermit(Arc<Taken>);

#[derive(Debug)]
struct Taken {
    _outside: OwnedSemaphorePermit,
    socket: SocketPermit,
    requests: Mutex<Bucket>,
    clock: Clock,
}

impl ConnectionPermit {
    fn new((outside, socket): (OwnedSemaphorePermit, SocketPermit), clock: Clock) -> Self {
        let requests = Mutex::new(Bucket::per_second(REQUESTS_PER_SECOND, clock.now()));
        Self(Arc::new(Taken { _outside: outside, socket, requests, clock }))
    }

    /// The permit of its socket.
    pub(crate) fn socket(&self) -> SocketPermit {
        self.0.socket.clone()
    }

    /// Whether the connection may send one more limited request.
    pub(crate) fn take_request(&self) -> bool {
        let mut bucket = self.0.requests.lock();
        bucket.take(self.0.clock.now())
    }
}

/// Serves the router. Each connection takes one of each of the `permits`, and waits to be accepted while there is none.
/// Requests have their [`ConnectionPermit`] in their extensions. Never returns; dropping it closes connections that
/// were not upgraded.
pub(crate) async fn serve(listener: TcpListener, router: Router, permits: Permits, clock: Clock) {
    let service = TowerToHyperService::new(router);
    let mut connections = JoinSet::new();
    let mut complaints = Complaints::default();
    loop {
        let Some(permit) = permits.acquire().await else { return };
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve_one(stream, service.clone(), ConnectionPermit::new(permit, clock)));
            }
            Err(error) => {
                complaints.note(&error, clock.now());
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The connections that could not be accepted since the last line about them.
#[derive(Debug, Default)]
struct Complaints {
    times: u32,
    next: Duration,
}

impl Complaints {
    /// Counts one, and logs it unless the last line is too recent. Returns whether it did.
    fn note(&mut self, error: &io::Error, now: Duration) -> bool {
        metrics::accept_error();
        self.times += 1;
        let due = now >= self.next;
        if due {
            warn!(%error, times = self.times, "cannot accept connections");
            *self = Self { times: 0, next: now + COMPLAINT_SPACING };
        }
        due
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_tells_of_what_goes_on_and_on_once_in_a_while() {
        let (mut complaints, error) = (Complaints::default(), io::ErrorKind::OutOfMemory.into());
        let lines = (0..250).filter(|pause| complaints.note(&error, ACCEPT_PAUSE * *pause)).count();
        assert_eq!((lines, complaints.times), (3, 49), "at 0, 10 and 20 s");
    }
}
