//! The operators' port: `/metrics` for Prometheus, `/healthz` (the process runs), `/readyz` (it takes players).

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use tokio::{net::TcpListener, runtime::Handle, sync::Semaphore};

use crate::{
    bus::State as BusState,
    fleet::Instance,
    metrics,
    net::http::{self, Permits},
    results::{Reason, Results},
};

/// The interval at which histograms are summarized without Prometheus: they keep single samples until then.
const UPKEEP: Duration = Duration::from_secs(5);

/// Serves until the server has stopped; at most so many connections at a time, further ones wait to be accepted.
pub(crate) async fn serve(listener: TcpListener, here: Instance, results: Results, connections: u32) {
    let (mut stop, clock) = (here.stop(), here.clock());
    let router = Router::new()
        .route("/metrics", get(render))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state((here, results));
    let upkeep = async {
        loop {
            tokio::time::sleep(UPKEEP).await;
            metrics::install().run_upkeep();
        }
    };
    let connections = Arc::new(Semaphore::new(connections as usize));
    let permits = Permits { outside: connections, sockets: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)) };
    tokio::select! {
        () = http::serve(listener, router, permits, clock) => {}
        () = upkeep => {}
        () = stop.is_over() => {}
    }
}

async fn render() -> impl IntoResponse {
    metrics::tasks(Handle::current().metrics().num_alive_tasks());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics::install().render())
}

/// Tells whether the server takes players. Without its broker it is ready too: it goes on alone, and the answer says
/// so. A second line tells of results that no queue takes.
async fn ready(State((here, results)): State<(Instance, Results)>) -> impl IntoResponse {
    if here.stop().is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    if here.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned());
    }
    let mut said = match &*here.link().state.borrow() {
        BusState::Up => "ready\n".to_owned(),
        BusState::Connecting => "ready, alone: the broker is being connected\n".to_owned(),
        BusState::Blocked => "ready, alone: the broker takes no messages\n".to_owned(),
        BusState::Away(fault) => format!("ready, alone: {fault}\n"),
    };
    let held = results.held(Reason::Queue);
    if held > 0 {
        said += &format!("{held} results of matches wait: no queue at the broker takes them\n");
    }
    (StatusCode::OK, said)
}
