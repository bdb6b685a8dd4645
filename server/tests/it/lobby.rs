//! The lobby over WebSocket: the live list, codes, passes, locks, spectators.

use std::time::Duration;

use tiltyard_shared::{
    game::PlayerId,
    protocol::{
        ClientMessage, Code, ServerMessage, Target, codec, limits,
        lobby::{Browse, RoomEntry, RoomOptions},
    },
};
use uuid::Uuid;

use crate::{
    client::Client,
    game::{Pull, Strings, config, create, serve},
    http::{get, post},
};

/// A new room that the lobby shows.
fn listed(title: &str, strings: &Strings) -> Target {
    let options = RoomOptions { title: title.to_owned(), private: false };
    Target::Create { game: "puppet".to_owned(), config: Some(codec::encode(strings)), options }
}

fn titles(rooms: &[RoomEntry]) -> Vec<&str> {
    rooms.iter().map(|room| room.title.as_str()).collect()
}

#[tokio::test]
async fn a_list_follows_rooms_that_open_change_and_close() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let mut visitor = Client::welcome(addr).await;
    visitor.browse(Browse::default()).await.unwrap();
    assert_eq!((visitor.list.total, visitor.list.rooms().count()), (0, 0));

    let (mut ann, first) = Client::seated(addr, listed("  Ann's   room ", &Strings::default())).await;
    visitor.until_list(|rooms| titles(rooms) == ["Ann's room"] && rooms[0].players == 1).await;
    let shown = visitor.list.rooms().next().unwrap().clone();
    let expected = RoomEntry {
        room: first.room,
        code: first.code.to_string(),
        game: "puppet".to_owned(),
        title: "Ann's room".to_owned(),
        players: 1,
        seats: 3,
        spectators: 0,
        locked: false,
        metadata: String::new(),
        flags: 0,
    };
    assert_eq!(shown, expected);

    ann.pull(&Pull::Tell("{\"map\":\"moon\"}".to_owned())).await;
    visitor.until_list(|rooms| rooms[0].metadata == "{\"map\":\"moon\"}").await;
    // What is no JSON is not taken over, what comes after it is.
    ann.pull(&Pull::Tell("{map".to_owned())).await;
    ann.pull(&Pull::Lock(true)).await;
    visitor.until_list(|rooms| rooms[0].locked && rooms[0].metadata == "{\"map\":\"moon\"}").await;
    ann.pull(&Pull::Lock(false)).await;

    let (mut bob, _) = Client::seated(addr, listed("Bob's", &Strings::default())).await;
    visitor.until_list(|rooms| titles(rooms) == ["Bob's", "Ann's room"] && !rooms[1].locked).await;
    bob.pull(&Pull::End).await;
    visitor.until_list(|rooms| titles(rooms) == ["Ann's room"]).await;
    assert_eq!(visitor.list.total, 1);

    // A visitor may enter what it sees.
    let seat = visitor.enter(Target::Room(first.room)).await.unwrap();
    assert_eq!(seat.room, first.room);
}

#[tokio::test]
async fn pages_are_filtered_on_the_server() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let mut all = Client::welcome(addr).await;
    all.browse(Browse::default()).await.unwrap();
    let mut open = Client::welcome(addr).await;
    open.browse(Browse { game: Some("puppet".to_owned()), open: true, page: 0 }).await.unwrap();
    let single = Strings { seats: 1, ..Strings::default() };
    let (_ann, _) = Client::seated(addr, listed("full", &single)).await;
    let (_bob, _) = Client::seated(addr, listed("free", &Strings::default())).await;
    let (_cid, _) = Client::seated(addr, create(&Strings::default())).await;
    all.until_list(|rooms| titles(rooms) == ["free", "full"] && rooms.iter().all(|room| room.players == 1)).await;
    open.until_list(|rooms| titles(rooms) == ["free"]).await;
    all.browse(Browse { page: 1, ..Browse::default() }).await.unwrap();
    assert_eq!((all.list.total, all.list.rooms().count()), (2, 0));
    for (browse, code) in [
        (Browse { game: Some("chess".to_owned()), ..Browse::default() }, Code::UnknownGame),
        (Browse { game: Some(String::new()), ..Browse::default() }, Code::BadFilter),
        (Browse { page: limits::LAST_PAGE + 1, ..Browse::default() }, Code::BadFilter),
    ] {
        assert_eq!(all.browse(browse).await, Err(code));
    }
}

#[tokio::test]
async fn who_browses_has_time_and_who_stops_has_not() {
    let mut config = config();
    config.timing.hello = Duration::from_millis(150);
    let server = serve(&config).await;
    let mut visitor = Client::welcome(server.listen_addr()).await;
    visitor.browse(Browse::default()).await.unwrap();
    let (mut ann, _) = Client::seated(server.listen_addr(), listed("", &Strings::default())).await;
    // Several times as long as a hello may take, told by a list that changes at most once a second.
    for round in 0..2 {
        ann.pull(&Pull::Tell(round.to_string())).await;
        visitor.until_list(|rooms| rooms.first().is_some_and(|room| room.metadata == round.to_string())).await;
    }
    visitor.say(&ClientMessage::Browse { request: 2, browse: None }).await;
    assert_eq!(visitor.goodbye().await, (Code::HelloTimeout, 0));
}

#[tokio::test]
async fn a_visitor_that_does_not_answer_pings_is_told() {
    let mut config = config();
    config.timing.ping = Duration::from_millis(50);
    config.timing.missed_pings = 3;
    let server = serve(&config).await;
    let mut deaf = Client::welcome(server.listen_addr()).await;
    deaf.browse(Browse::default()).await.unwrap();
    deaf.stream.get_mut().mute = true;
    assert_eq!(deaf.goodbye().await, (Code::Unresponsive, 0));
}

#[tokio::test]
async fn who_browses_too_fast_is_sent_away() {
    let server = serve(&config()).await;
    let mut visitor = Client::welcome(server.listen_addr()).await;
    for page in 0..1000 {
        let browse = Browse { page: page % 10, ..Browse::default() };
        let message = codec::encode(&ClientMessage::Browse { request: 2, browse: Some(browse) });
        if futures_util::SinkExt::send(&mut visitor.stream, message.into()).await.is_err() {
            break;
        }
    }
    let goodbye = loop {
        match visitor.control().await {
            ServerMessage::Rooms { .. } => {}
            ServerMessage::Goodbye { code, .. } => break code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(goodbye, Code::TooFast);
}

#[tokio::test]
async fn rooms_are_found_by_their_codes_in_either_case() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (_ann, seat) = Client::seated(addr, create(&Strings::default())).await;
    let code = seat.code.to_string();
    for text in [code.clone(), code.to_lowercase()] {
        let (_bob, found) = Client::seated(addr, Target::Code(text)).await;
        assert_eq!((found.room, found.code), (seat.room, seat.code));
    }
    let mut client = Client::welcome(addr).await;
    assert_eq!(client.enter(Target::Code("no code".to_owned())).await.unwrap_err(), Code::BadCode);
    let other = if code == "ABCDEF" { "FEDCBA" } else { "ABCDEF" };
    assert_eq!(client.enter(Target::Code(other.to_owned())).await.unwrap_err(), Code::UnknownRoom);
}

#[tokio::test]
async fn titles_have_bounds() {
    let server = serve(&config()).await;
    let mut client = Client::welcome(server.listen_addr()).await;
    for title in ["a".repeat(limits::TITLE_BYTES + 1), "a\u{7}".to_owned()] {
        assert_eq!(client.enter(listed(&title, &Strings::default())).await.unwrap_err(), Code::BadTitle);
    }
    client.enter(listed(&"a".repeat(limits::TITLE_BYTES), &Strings::default())).await.unwrap();
}

#[tokio::test]
async fn a_private_room_is_on_no_list_and_nobody_is_led_there() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (_ann, hidden) = Client::seated(addr, create(&Strings::default())).await;
    let (_bob, other) = Client::seated(addr, Target::Game("puppet".to_owned())).await;
    assert_ne!(other.room, hidden.room);
    let mut visitor = Client::welcome(addr).await;
    visitor.browse(Browse::default()).await.unwrap();
    visitor.until_list(|rooms| rooms.iter().map(|room| room.room).eq([other.room])).await;
    Client::seated(addr, Target::Room(hidden.room)).await;
}

#[tokio::test]
async fn a_locked_room_takes_nobody_but_who_watches_or_was_expected() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (mut ann, seat) = Client::seated(addr, listed("", &Strings::default())).await;
    let kept = keep(addr, &seat.room.to_string()).await;
    ann.pull(&Pull::Lock(true)).await;
    ann.pull(&Pull::Step(1)).await;
    ann.until_place(seat.player, 1).await;
    let mut client = Client::welcome(addr).await;
    assert_eq!(client.enter(Target::Room(seat.room)).await.unwrap_err(), Code::Locked);
    let (status, answer) = post(addr, &format!("/api/rooms/{}/seats", seat.room), "").await;
    assert_eq!((status, &answer["code"]), (409, &"locked".into()));
    let (_other, elsewhere) = Client::seated(addr, Target::Game("puppet".to_owned())).await;
    assert_ne!(elsewhere.room, seat.room, "any room is another one");
    assert!(client.watch(Target::Room(seat.room)).await.unwrap().spectator);
    let (_expected, expected) = Client::seated(addr, Target::Pass(kept)).await;
    assert_eq!(expected.room, seat.room);
}

/// Has a seat kept, and returns the pass.
async fn keep(addr: std::net::SocketAddr, room: &str) -> Vec<u8> {
    let (status, answer) = post(addr, &format!("/api/rooms/{room}/seats"), "").await;
    assert_eq!(status, 201, "{answer}");
    assert_eq!(answer["url"], format!("ws://{addr}/ws"));
    let hex = answer["pass"].as_str().unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[tokio::test]
async fn a_pass_keeps_a_seat_from_others_and_is_good_once() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let strings = Strings { seats: 2, ..Strings::default() };
    let (_ann, seat) = Client::seated(addr, listed("", &strings)).await;
    let pass = keep(addr, &seat.code.to_string().to_lowercase()).await;
    let mut client = Client::welcome(addr).await;
    assert_eq!(client.enter(Target::Room(seat.room)).await.unwrap_err(), Code::RoomFull);
    let (status, answer) = post(addr, &format!("/api/rooms/{}/seats", seat.room), "").await;
    assert_eq!((status, &answer["code"]), (409, &"room_full".into()));
    for wrong in [vec![], vec![0; 16], vec![7; limits::PASS_BYTES + 1]] {
        assert_eq!(client.enter(Target::Pass(wrong)).await.unwrap_err(), Code::BadPass);
    }
    let (_bob, kept) = Client::seated(addr, Target::Pass(pass.clone())).await;
    assert_eq!((kept.room, kept.player), (seat.room, PlayerId(2)));
    assert_eq!(client.enter(Target::Pass(pass)).await.unwrap_err(), Code::BadPass);
}

#[tokio::test]
async fn a_pass_runs_out_and_its_seat_is_free_again() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let strings = Strings { seats: 1, ..Strings::default() };
    let room = format!("{{\"game\":\"puppet\",\"config\":{{\"seats\":{}}}}}", strings.seats);
    let (status, entry) = post(addr, "/api/rooms", &room).await;
    assert_eq!(status, 201, "{entry}");
    let room: Uuid = entry["room"].as_str().unwrap().parse().unwrap();
    let started = std::time::Instant::now();
    let pass = keep(addr, &room.to_string()).await;
    // The room waits for whoever has the pass, though empty rooms of this game go after 200 ms.
    let closed = loop {
        match get(addr, &format!("/api/rooms/{room}")).await.0 {
            404 => break started.elapsed(),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    assert!(closed >= limits::PASS_LIFETIME, "{closed:?}");
    let mut client = Client::welcome(addr).await;
    assert_eq!(client.enter(Target::Pass(pass)).await.unwrap_err(), Code::BadPass);
}

#[tokio::test]
async fn spectators_see_all_and_touch_nothing() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let strings = Strings { seats: 1, ..Strings::default() };
    let (mut ann, seat) = Client::seated(addr, listed("", &strings)).await;
    let mut watcher = Client::welcome(addr).await;
    let watching = watcher.watch(Target::Room(seat.room)).await.unwrap();
    assert_eq!((watching.spectator, watching.player, seat.spectator), (true, PlayerId(0), false));
    ann.pull(&Pull::Step(4)).await;
    watcher.until_place(seat.player, 4).await;
    // The input is refused, and the connection goes on.
    watcher.pull(&Pull::End).await;
    assert_eq!(watcher.until_refusal().await, (1, Code::NotAllowed));
    ann.pull(&Pull::Step(1)).await;
    watcher.until_place(seat.player, 5).await;

    let mut second = Client::welcome(addr).await;
    second.watch(Target::Game("puppet".to_owned())).await.unwrap();
    let mut third = Client::welcome(addr).await;
    assert_eq!(third.watch(Target::Room(seat.room)).await.unwrap_err(), Code::RoomFull);
    third.browse(Browse::default()).await.unwrap();
    third.until_list(|rooms| rooms[0].spectators == 2 && rooms[0].players == 1).await;

    // A spectator's connection is resumed like a player's.
    drop(watcher);
    let (mut again, resumed) = Client::resumed(addr, &watching).await.unwrap();
    assert!(resumed.spectator);
    ann.pull(&Pull::Step(1)).await;
    again.until_place(seat.player, 6).await;
    second.say(&ClientMessage::Leave).await;
    assert_eq!(second.goodbye().await.0, Code::Left);
    third.until_list(|rooms| rooms[0].spectators == 1).await;
    // Who only watches does not keep a room.
    ann.say(&ClientMessage::Leave).await;
    assert_eq!(ann.goodbye().await.0, Code::Left);
    assert_eq!(again.goodbye().await.0, Code::RoomClosed);
}

#[tokio::test]
async fn watching_any_room_needs_one() {
    let server = serve(&config()).await;
    let mut client = Client::welcome(server.listen_addr()).await;
    assert_eq!(client.watch(Target::Game("puppet".to_owned())).await.unwrap_err(), Code::UnknownRoom);
    assert_eq!(client.watch(Target::Game("chess".to_owned())).await.unwrap_err(), Code::UnknownGame);
}

#[tokio::test]
async fn a_visitor_who_does_not_read_is_told_once_of_all_that_it_missed() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let mut visitor = Client::welcome(addr).await;
    visitor.browse(Browse::default()).await.unwrap();
    // 50 rooms with much to say, for longer than any buffer holds what is said four times a second.
    let strings = Strings { seats: 1, ..Strings::default() };
    let mut players = Vec::new();
    for room in 0..limits::PAGE_ROOMS {
        players.push(Client::seated(addr, listed(&format!("room {room}"), &strings)).await.0);
    }
    for round in 0..6 {
        for player in &mut players {
            player.pull(&Pull::Tell(format!("\"{round}{}\"", "x".repeat(250)))).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let mut messages = 0;
    let is_last = |rooms: &[RoomEntry]| rooms.len() == 50 && rooms.iter().all(|room| room.metadata.starts_with("\"5"));
    while !is_last(&visitor.list.rooms().cloned().collect::<Vec<_>>()) {
        messages += 1;
        let message = visitor.control().await;
        assert!(visitor.list.apply(message));
    }
    assert!(messages < 16, "{messages} messages in 4 s");
}
