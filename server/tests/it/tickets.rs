//! Searching for a match over REST: two find each other by asking, and a ticket that nobody asks after is gone.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use tiltyard_shared::protocol::{Code, ServerMessage, Target};

use crate::{
    client::Client,
    game::{config, serve},
    http::{get, post, read, send},
};

/// Makes a ticket and says where it is.
async fn ticket(addr: SocketAddr, body: &Value) -> String {
    let (status, made) = post(addr, "/api/tickets", &body.to_string()).await;
    assert_eq!(
        (status, made["state"].as_str().unwrap()),
        (201, if body["party"].is_null() { "searching" } else { "gathering" }),
        "{made}"
    );
    let url = made["ticket_url"].as_str().unwrap();
    assert_eq!(url, format!("http://{addr}/api/tickets/{}", made["ticket"].as_str().unwrap()));
    url.strip_prefix(&format!("http://{addr}")).unwrap().to_owned()
}

/// Asks until the state is this.
async fn until(addr: SocketAddr, path: &str, state: &str) -> Value {
    loop {
        let (status, shown) = get(addr, path).await;
        assert_eq!(status, 200, "{shown}");
        if shown["state"] == state {
            return shown;
        }
        assert!(shown["state"] != "ended", "{shown}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn delete(addr: SocketAddr, path: &str) -> (u16, Value) {
    read(&send(addr, &format!("DELETE {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n")).await)
}

fn bytes(hex: &Value) -> Vec<u8> {
    let text = hex.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[tokio::test]
async fn two_tickets_find_each_other_and_the_match_is_on() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let duel = json!({ "game": "puppet", "mode": "duel", "rating": 7 });
    let ann = ticket(addr, &duel).await;
    let mut last = 0;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(30)).await;
        let waited = get(addr, &ann).await.1["waited_ms"].as_u64().unwrap();
        assert!(waited >= last + 30, "{waited} after {last}");
        last = waited;
    }
    let bob = ticket(addr, &duel).await;
    let mut seats = Vec::new();
    for path in [&ann, &bob] {
        let joining = until(addr, path, "joining").await;
        assert_eq!(joining["url"], format!("ws://{addr}/ws"));
        assert!((1..=10_000).contains(&joining["expires_in_ms"].as_u64().unwrap()));
        seats.push(Client::seated(addr, Target::Pass(bytes(&joining["pass"]))).await);
    }
    assert_eq!(seats[0].1.room, seats[1].1.room);
    for path in [&ann, &bob] {
        assert_eq!(until(addr, path, "matched").await["match"], json!(seats[0].1.room));
        assert_eq!(delete(addr, path).await.1["state"], "matched", "it was too late for that");
        assert_eq!(get(addr, path).await.0, 404);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_ticket_that_is_cancelled_or_not_asked_after_searches_no_more() {
    let mut config = config();
    config.timing.ticket = Duration::from_millis(200);
    let server = serve(&config).await;
    let addr = server.listen_addr();
    let duel = json!({ "game": "puppet", "mode": "duel" });
    let path = ticket(addr, &duel).await;
    assert_eq!(delete(addr, &path).await, (200, json!({ "state": "ended", "code": "cancelled" })));
    assert_eq!(get(addr, &path).await.1["code"], "unknown_ticket");

    let forgotten = ticket(addr, &duel).await;
    // Each question gives it time again, so they are far apart.
    while get(addr, &forgotten).await.0 == 200 {
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    assert_eq!(get(addr, &forgotten).await.0, 404);
    server.stop().await;
}

#[tokio::test]
async fn who_could_not_take_the_seat_searches_on() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let duel = json!({ "game": "puppet", "mode": "duel" });
    let ann = ticket(addr, &duel).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    let _bob = ticket(addr, &duel).await;
    let joining = until(addr, &ann, "joining").await;
    let again = json!({ "match": joining["match"] }).to_string();
    assert_eq!(post(addr, &format!("{ann}/again"), &again).await.0, 202);
    let waited = until(addr, &ann, "searching").await["waited_ms"].as_u64();
    assert!(waited >= Some(30), "it is kept: {waited:?}");
    server.stop().await;
}

/// The end of a search that is asked after until then.
async fn until_ended(addr: SocketAddr, path: &str) -> Value {
    loop {
        let shown = get(addr, path).await.1;
        if shown["state"] == "ended" {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn who_never_comes_leaves_the_pool_and_the_others_play() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let of = |key: u128| json!({ "game": "puppet", "mode": "duel", "client_key": format!("{key:032x}") });
    let (nobody, ann) = (ticket(addr, &of(1)).await, ticket(addr, &of(2)).await);
    let (joining, _) = tokio::join!(until(addr, &ann, "joining"), until(addr, &nobody, "joining"));
    let (mut waiting, _) = Client::seated(addr, Target::Pass(bytes(&joining["pass"]))).await;
    // Who waits answers pings meanwhile.
    let (ended, goodbye) = tokio::join!(until_ended(addr, &nobody), waiting.control());
    assert_eq!(ended["code"], "no_show", "{ended}");
    let penalty = ended["retry_after_ms"].as_u64().unwrap();
    assert!((9_000..=10_000).contains(&penalty), "{ended}");
    assert!(matches!(goodbye, ServerMessage::Goodbye { code: Code::TooFew, .. }), "{goodbye:?}");
    until(addr, &ann, "searching").await;

    let (status, again) = post(addr, "/api/tickets", &of(1).to_string()).await;
    assert_eq!((status, again["state"].as_str(), again["code"].as_str()), (201, Some("ended"), Some("no_show")));
    assert!(again["retry_after_ms"].as_u64().unwrap() <= penalty, "{again}");
    let bob = ticket(addr, &of(3)).await;
    let (one, other) = tokio::join!(until(addr, &ann, "joining"), until(addr, &bob, "joining"));
    assert_eq!(one["match"], other["match"], "those who are there play");
    server.stop().await;
}

#[tokio::test]
async fn a_player_has_one_ticket_the_newest() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let ann = json!({ "game": "puppet", "mode": "duel", "client_key": "0123456789abcdef0123456789abcdef" });
    let first = ticket(addr, &ann).await;
    let second = ticket(addr, &ann).await;
    assert_eq!(until_ended(addr, &first).await["code"], "already_searching");
    assert_eq!(get(addr, &second).await.1["state"], "searching", "not matched with itself");
    server.stop().await;
}

#[tokio::test]
async fn a_ticket_that_cannot_be_is_refused_with_a_code() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    for (body, status, code) in [
        (json!({ "game": "chess", "mode": "duel" }), 404, "unknown_game"),
        (json!({ "game": "puppet", "mode": "solitaire" }), 404, "unknown_mode"),
        (json!({ "game": "puppet", "mode": "duel", "rating": 2_000_000 }), 400, "bad_rating"),
        (json!({ "game": "puppet", "mode": "duel", "party": { "code": "x", "size": 2 } }), 400, "bad_party"),
        (json!({ "game": "puppet", "mode": "duel", "name": "Ann" }), 400, "malformed"),
        (json!({ "game": "puppet" }), 400, "malformed"),
        (json!({ "game": "puppet", "mode": "duel", "client_key": "7" }), 400, "malformed"),
    ] {
        let (got, answer) = post(addr, "/api/tickets", &body.to_string()).await;
        assert_eq!((got, answer["code"].as_str().unwrap()), (status, code), "{body}");
    }
    assert_eq!(get(addr, "/api/tickets").await.0, 405);
    for path in ["/api/tickets/7", "/api/tickets/01900000-0000-7000-8000-000000000000"] {
        assert_eq!(get(addr, path).await.1["code"], "unknown_ticket");
        assert_eq!(delete(addr, path).await.0, 404);
    }
    let party = json!({ "game": "puppet", "mode": "pairs", "party": { "code": "red", "size": 2 } });
    let path = ticket(addr, &party).await;
    assert_eq!(get(addr, &path).await.1, json!({ "state": "gathering", "here": 1, "size": 2 }));
    server.stop().await;
}
