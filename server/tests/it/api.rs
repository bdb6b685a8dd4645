//! The API over HTTP: every route, every error, and the same list as over WebSocket.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tiltyard_shared::protocol::{
    Code, Target, codec,
    lobby::{Browse, RoomEntry, RoomOptions},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    client::Client,
    game::{Strings, config, serve},
    http::{get, page, post, read, send},
};

fn listed(title: &str) -> Target {
    let options = RoomOptions { title: title.to_owned(), private: false };
    Target::Create { game: "puppet".to_owned(), config: Some(codec::encode(&Strings::default())), options }
}

/// What must be answered to a request that cannot be granted.
fn failed((status, answer): &(u16, Value)) -> (u16, &str) {
    assert!(answer["message"].as_str().is_some_and(|words| !words.is_empty()), "{answer}");
    (*status, answer["code"].as_str().unwrap())
}

#[tokio::test]
async fn games_and_version_say_what_is_served() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (_ann, _) = Client::seated(addr, listed("")).await;
    let shown = loop {
        let (status, games) = get(addr, "/api/games").await;
        assert_eq!(status, 200);
        if games["games"][0]["players"] == 1 {
            break games["games"][0].clone();
        }
    };
    assert_eq!((&shown["name"], &shown["seats"], &shown["rooms"]), (&json!("puppet"), &json!(3), &json!(1)));
    assert_eq!(shown["config"], json!({ "seats": 3, "grace_ms": 30_000, "broken": false }));
    let (status, version) = get(addr, "/api/version").await;
    assert_eq!((status, &version["protocol"]), (200, &json!(tiltyard_shared::protocol::VERSION)));
    let (head, _) = page(addr, "/").await;
    assert!(head.contains(&format!("tiltyard-stamp: {}", version["stamp"].as_str().unwrap())), "{head}");
}

#[tokio::test]
async fn the_list_is_the_same_as_over_websocket() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let mut players = Vec::new();
    for room in 0..60 {
        players.push(Client::seated(addr, listed(&format!("room {room}"))).await.0);
    }
    let mut visitor = Client::welcome(addr).await;
    for (path, filter) in [
        ("/api/rooms", Browse::default()),
        ("/api/rooms?game=puppet&open=true&page=1", Browse { game: Some("puppet".to_owned()), open: true, page: 1 }),
        ("/api/rooms?page=7&game=", Browse { page: 7, ..Browse::default() }),
    ] {
        visitor.browse(filter.clone()).await.unwrap();
        let wanted = match filter.page {
            0 => 50,
            1 => 10,
            _ => 0,
        };
        visitor.until_list(|rooms| rooms.len() == wanted && rooms.iter().all(|room| room.players == 1)).await;
        let (status, list) = get(addr, path).await;
        assert_eq!((status, &list["total"], &list["pages"]), (200, &json!(60), &json!(2)));
        assert_eq!(list["page"], json!(filter.page));
        let rooms: Vec<RoomEntry> = serde_json::from_value(list["rooms"].clone()).unwrap();
        assert_eq!(rooms, visitor.list.rooms().cloned().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_room_is_made_shown_and_joined() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let new = json!({ "game": "puppet", "title": " Moon  base ", "private": true, "config": { "seats": 2 } });
    let (status, entry) = post(addr, "/api/rooms", &new.to_string()).await;
    assert_eq!(status, 201, "{entry}");
    assert_eq!((&entry["title"], &entry["seats"], &entry["players"]), (&json!("Moon base"), &json!(2), &json!(0)));
    let (id, code) = (entry["room"].as_str().unwrap(), entry["code"].as_str().unwrap());
    for name in [id, code, &code.to_lowercase()] {
        assert_eq!(get(addr, &format!("/api/rooms/{name}")).await, (200, entry.clone()));
    }
    assert_eq!(get(addr, "/api/rooms").await.1["total"], 0, "it is private");
    let (_, seat) = Client::seated(addr, Target::Code(code.to_owned())).await;
    assert_eq!(seat.room.to_string(), id);
}

#[tokio::test]
async fn a_quick_join_leads_to_the_room_that_is_there() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let mut rooms = Vec::new();
    for _ in 0..4 {
        let (status, seat) = post(addr, "/api/quick-join", "{\"game\":\"puppet\"}").await;
        assert_eq!(status, 201, "{seat}");
        assert!(seat["expires_in_ms"].as_u64().unwrap() <= 10_000);
        rooms.push(seat["room"].clone());
    }
    // Three seats a room, and those kept count as taken.
    assert!(rooms[0] == rooms[1] && rooms[1] == rooms[2] && rooms[2] != rooms[3], "{rooms:?}");
}

#[tokio::test]
async fn every_mistake_has_a_status_and_a_code() {
    let mut config = config();
    config.max_rooms = 1;
    let server = serve(&config).await;
    let addr = server.listen_addr();
    let unknown = "01900000-0000-7000-8000-000000000000";
    for (path, status, code) in [
        ("/api/rooms?game=chess", 404, "unknown_game"),
        ("/api/rooms?page=-1", 400, "bad_filter"),
        ("/api/rooms?page=10000", 400, "bad_filter"),
        ("/api/rooms?open=perhaps", 400, "bad_filter"),
        ("/api/rooms?size=3", 400, "bad_filter"),
        ("/api/rooms/22222", 400, "bad_code"),
        ("/api/rooms/222222", 404, "unknown_room"),
        (&format!("/api/rooms/{unknown}"), 404, "unknown_room"),
        ("/api/rooms/0190000000000-7000-8000-000000000000", 400, "bad_code"),
        ("/api/quick-join", 405, "method_not_allowed"),
        ("/api/nothing", 404, "not_found"),
    ] {
        assert_eq!(failed(&get(addr, path).await), (status, code), "{path}");
    }
    let title = "a".repeat(49);
    let long = format!("{{\"game\":\"puppet\",\"title\":\"{}\"}}", "a".repeat(20_000));
    let too_long = format!("{{\"game\":\"puppet\",\"title\":\"{title}\"}}");
    for (path, body, status, code) in [
        ("/api/rooms", "", 400, "malformed"),
        ("/api/rooms", "{\"game\":\"puppet\",", 400, "malformed"),
        ("/api/rooms", "{\"title\":\"x\"}", 400, "malformed"),
        ("/api/rooms", "{\"game\":\"puppet\",\"size\":3}", 400, "malformed"),
        ("/api/rooms", "{\"game\":\"chess\"}", 404, "unknown_game"),
        ("/api/rooms", &too_long, 400, "bad_title"),
        ("/api/rooms", &long, 413, "too_large"),
        ("/api/rooms", "{\"game\":\"puppet\",\"config\":{\"seats\":300}}", 400, "bad_config"),
        ("/api/rooms", "{\"game\":\"puppet\",\"config\":{\"chairs\":3}}", 400, "bad_config"),
        ("/api/rooms", "{\"game\":\"puppet\",\"config\":[]}", 400, "bad_config"),
        ("/api/rooms", "{\"game\":\"puppet\",\"config\":{\"broken\":true}}", 500, "game_failed"),
        ("/api/rooms/222222/seats", "", 404, "unknown_room"),
        ("/api/quick-join", "{\"game\":\"chess\"}", 404, "unknown_game"),
        ("/api/quick-join", "{\"game\":\"puppet\",\"page\":1}", 400, "malformed"),
    ] {
        assert_eq!(failed(&post(addr, path, body).await), (status, code), "{path} {body}");
    }
    let plain =
        format!("POST /api/rooms HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}");
    assert_eq!(failed(&read(&send(addr, &plain).await)), (415, "not_json"));
    let (_ann, _) = Client::seated(addr, listed("")).await;
    assert_eq!(failed(&post(addr, "/api/rooms", "{\"game\":\"puppet\"}").await), (503, "server_full"));
}

#[tokio::test]
async fn a_connection_that_asks_too_often_is_told_to_wait() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET /api/version HTTP/1.1\r\nHost: {addr}\r\n\r\n").repeat(60);
    let last = format!("GET /api/version HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    stream.write_all((request + &last).as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    let count = |text: &str| answers.matches(text).count();
    assert!(count("HTTP/1.1 200") >= 40, "{answers}");
    assert!(count("HTTP/1.1 429") >= 10 && count("\"too_fast\"") == count("HTTP/1.1 429"), "{answers}");
    assert_eq!(get(addr, "/api/version").await.0, 200, "another connection is not concerned");
}

#[tokio::test]
async fn other_origins_are_given_no_leave() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    for method in ["GET", "OPTIONS"] {
        let request = format!(
            "{method} /api/rooms HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nOrigin: https://elsewhere.example\r\n\
             Access-Control-Request-Method: POST\r\n\r\n"
        );
        let (head, _) = send(addr, &request).await;
        assert!(!head.to_lowercase().contains("access-control-"), "{head}");
    }
}

/// The entity tag of a page, and its status when asked for with a tag.
async fn tagged(addr: SocketAddr, path: &str, tag: &str) -> (String, u16) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nIf-None-Match: {tag}\r\n\r\n");
    let answer = send(addr, &request).await;
    let line = answer.0.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap_or_default();
    (line.to_owned(), read(&answer).0)
}

#[tokio::test]
async fn pages_are_of_the_right_kind_and_fetched_again_only_if_they_changed() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    for (path, kind) in [
        ("/", "text/html"),
        ("/rooms/222222", "text/html"),
        ("/web/style.css", "text/css"),
        ("/web/sdk/protocol.js", "text/javascript"),
    ] {
        let (head, _) = page(addr, path).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{path} {head}");
        assert_eq!(head.matches("content-type: ").count(), 1, "{head}");
        assert!(head.contains(&format!("content-type: {kind}")) && head.contains("cache-control: no-cache"), "{head}");
        let (tag, _) = tagged(addr, path, "\"other\"").await;
        assert_eq!(tagged(addr, path, &tag).await, (tag.clone(), 304));
    }
    for path in ["/web/", "/web/nothing.js", "/web/../Cargo.toml", "/web/test/vectors.test.js", "/web/package.json"] {
        assert!(page(addr, path).await.0.starts_with("HTTP/1.1 404"), "{path}");
    }
}

#[tokio::test]
async fn a_folder_of_pages_is_looked_at_first() {
    let folder = std::env::temp_dir().join(format!("tiltyard-web-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("games/dots")).unwrap();
    std::fs::write(folder.join("games/dots/index.js"), "export {};\n").unwrap();
    std::fs::write(folder.join("secret.txt"), "no\n").unwrap();
    let mut config = config();
    config.web = Some(folder.clone());
    let server = serve(&config).await;
    let addr = server.listen_addr();
    assert_eq!(page(addr, "/web/games/dots/index.js").await.1, "export {};\n");
    assert!(page(addr, "/web/sdk/protocol.js").await.0.starts_with("HTTP/1.1 200"));
    for path in ["/web/secret.txt", "/web/games/../games/dots/index.js", "/web/games/dots"] {
        assert!(page(addr, path).await.0.starts_with("HTTP/1.1 404"), "{path}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_public_url_is_where_seats_are() {
    let mut config = config();
    config.public_url = Some("wss://play.example/one".to_owned());
    let server = serve(&config).await;
    let (_, seat) = post(server.listen_addr(), "/api/quick-join", "{\"game\":\"puppet\"}").await;
    assert_eq!(seat["url"], "wss://play.example/one/ws");
    let mut client = Client::welcome(server.listen_addr()).await;
    assert_eq!(client.enter(Target::Pass(vec![1])).await.unwrap_err(), Code::BadPass);
}
