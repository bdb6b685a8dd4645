//! What operators see.

use crate::{
    client::Client,
    game::{Pull, Strings, config, create, serve},
    http::page,
};

fn sample(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in\n{metrics}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn metrics_count_what_happens() {
    let server = serve(&config()).await;
    let (mut ann, seat) = Client::seated(server.listen_addr(), create(&Strings::default())).await;
    ann.pull(&Pull::Step(1)).await;
    ann.until_place(seat.player, 1).await;
    ann.pull(&Pull::Break).await;
    ann.goodbye().await;
    // A room tells its counters at its end, a connection its bytes at its own: both are right after the goodbye.
    let metrics = loop {
        let (head, metrics) = page(server.ops_addr(), "/metrics").await;
        assert!(head.contains("text/plain; version=0.0.4"), "{head}");
        let told =
            ["tiltyard_inputs_total{", "tiltyard_received_bytes_total "].iter().all(|name| metrics.contains(name));
        if told && sample(&metrics, "tiltyard_room_panics_total") >= 1.0 {
            break metrics;
        }
    };
    for (name, least) in [
        ("tiltyard_build_info{", 1.0),
        ("tiltyard_frames_total{game=\"puppet\"}", 1.0),
        ("tiltyard_frame_bytes_total{game=\"puppet\"}", 5.0),
        ("tiltyard_received_bytes_total", 20.0),
        ("tiltyard_goodbyes_total{code=\"game_failed\"}", 1.0),
        ("tiltyard_tick_duration_seconds_bucket{game=\"puppet\",le=\"0.05\"}", 1.0),
        ("tiltyard_tick_lateness_seconds_count{game=\"puppet\"}", 1.0),
    ] {
        assert!(sample(&metrics, name) >= least, "{name} in\n{metrics}");
    }
}

#[tokio::test]
async fn health_answers() {
    let server = serve(&config()).await;
    assert_eq!(page(server.ops_addr(), "/healthz").await.1, "ok\n");
    assert_eq!(page(server.ops_addr(), "/readyz").await.1, "ready\n");
}

#[tokio::test]
async fn what_is_no_websocket_handshake_is_refused_in_words() {
    let server = serve(&config()).await;
    let (head, body) = page(server.listen_addr(), "/ws").await;
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
    assert!(body.starts_with("this is for WebSocket"), "{body}");
}
