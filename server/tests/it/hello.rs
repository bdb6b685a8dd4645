//! Before the room: what a client may say, and what it is told if it says something else.

use futures_util::SinkExt as _;
use tiltyard_shared::protocol::{
    ClientMessage, Code, Enter, Hello, Report, Resync, ServerMessage, Target, VERSION, limits, lobby::RoomOptions,
};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::{
    client::Client,
    game::{Strings, config, create, serve},
};

fn puppet() -> Target {
    Target::Game("puppet".to_owned())
}

#[tokio::test]
async fn a_client_that_says_hello_and_enters_sees_the_world() {
    let server = serve(&config()).await;
    let (mut client, seat) = Client::seated(server.listen_addr(), puppet()).await;
    client.until_place(seat.player, 0).await;
}

#[tokio::test]
async fn whoever_wants_a_game_gets_the_room_that_is_there() {
    let server = serve(&config()).await;
    let (_ann, first) = Client::seated(server.listen_addr(), puppet()).await;
    let (_bob, second) = Client::seated(server.listen_addr(), puppet()).await;
    assert_eq!(first.room, second.room);
    let (_cid, third) = Client::seated(server.listen_addr(), Target::Room(first.room)).await;
    assert_eq!(third.room, first.room);
    // Its three seats are taken.
    let (_dan, fourth) = Client::seated(server.listen_addr(), puppet()).await;
    assert_ne!(fourth.room, first.room);
    let (_eve, created) = Client::seated(server.listen_addr(), create(&Strings::default())).await;
    assert!(![first.room, fourth.room].contains(&created.room));
}

#[tokio::test]
async fn a_refused_wish_may_be_followed_by_another_but_not_for_ever() {
    let server = serve(&config()).await;
    let mut client = Client::welcome(server.listen_addr()).await;
    let wishes = [
        (Target::Game("chess".to_owned()), Code::UnknownGame),
        (Target::Room(Uuid::nil()), Code::UnknownRoom),
        (
            Target::Create { game: "puppet".to_owned(), config: Some(vec![1]), options: RoomOptions::default() },
            Code::BadConfig,
        ),
        (
            Target::Create {
                game: "puppet".to_owned(),
                config: Some(vec![0; limits::CONFIG_BYTES + 1]),
                options: RoomOptions::default(),
            },
            Code::TooLarge,
        ),
        (create(&Strings { broken: true, ..Strings::default() }), Code::GameFailed),
    ];
    for (target, code) in wishes {
        assert_eq!(client.enter(target).await.unwrap_err(), code);
    }
    client.enter(puppet()).await.unwrap();

    let mut client = Client::welcome(server.listen_addr()).await;
    for _ in 0..7 {
        assert_eq!(client.enter(Target::Room(Uuid::nil())).await.unwrap_err(), Code::UnknownRoom);
    }
    client.say(&enter(Target::Room(Uuid::nil()), "")).await;
    assert_eq!(client.goodbye().await, (Code::UnknownRoom, 0));
}

fn enter(target: Target, name: &str) -> ClientMessage {
    ClientMessage::Enter(Enter {
        request: 1,
        target,
        name: name.to_owned(),
        schema: None,
        verify: false,
        spectate: false,
    })
}

#[tokio::test]
async fn a_name_that_is_not_plain_is_refused_and_told_why() {
    let server = serve(&config()).await;
    let mut client = Client::welcome(server.listen_addr()).await;
    for (name, why) in [
        ("A\nB", "not seen"),
        ("A\u{202e}", "not seen"),
        ("\u{200d}", "not seen"),
        ("A\u{e000}", "not in Unicode"),
        ("Z\u{301}\u{301}\u{301}\u{301}", "too many on one"),
        (&"A".repeat(33), "too long"),
    ] {
        assert_refused(&mut client, &enter(puppet(), name), why).await;
    }
}

#[tokio::test]
async fn one_plays_under_a_name_in_any_script_and_with_emoji() {
    let server = serve(&config()).await;
    for name in ["می\u{200c}روم", "അനിവര്\u{200d}", "👨\u{200d}👩\u{200d}👧\u{200d}👦", "Ann\u{a0}Lee", "Ann\u{ad}Lee"]
    {
        let mut client = Client::welcome(server.listen_addr()).await;
        client.say(&enter(puppet(), name)).await;
        assert!(matches!(client.control().await, ServerMessage::Entered(_)), "{name:?}");
    }
}

#[tokio::test]
async fn a_name_that_looks_like_another_one_is_refused_in_its_room_only() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (_ann, seat) = Client::seated(addr, create(&Strings::default())).await;
    let mut twin = Client::welcome(addr).await;
    for target in [Target::Room(seat.room), Target::Code(seat.code.to_string())] {
        assert_refused(&mut twin, &enter(target, TWIN_OF_ANN), "looks like that of somebody").await;
    }
    twin.say(&enter(create(&Strings::default()), TWIN_OF_ANN)).await;
    assert!(matches!(twin.control().await, ServerMessage::Entered(_)));
    let (_other_ann, _) = Client::seated(addr, Target::Room(seat.room)).await;
}

#[tokio::test]
async fn a_seat_that_is_kept_keeps_its_name_and_is_resumed_under_any() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (ann, seat) = Client::seated(addr, create(&Strings::default())).await;
    drop(ann);
    let mut client = Client::welcome(addr).await;
    assert_refused(&mut client, &enter(Target::Room(seat.room), TWIN_OF_ANN), "looks like").await;
    let resync = Resync { epoch: seat.epoch + 1, applied: None, event: 0 };
    client.say(&enter(seat.resume(resync), TWIN_OF_ANN)).await;
    let ServerMessage::Entered(entered) = client.control().await else { panic!("it is its own seat") };
    assert_eq!(entered.player, seat.player);
}

/// A Cyrillic letter, then two Latin ones.
const TWIN_OF_ANN: &str = "\u{410}nn";

async fn assert_refused(client: &mut Client, wish: &ClientMessage, why: &str) {
    client.say(wish).await;
    let ServerMessage::Refused { code, message, .. } = client.control().await else { panic!("{wish:?} was granted") };
    assert_eq!(code, Code::BadName);
    assert!(message.contains(why), "{message}");
}

#[tokio::test]
async fn a_full_room_and_a_full_server_refuse() {
    let mut config = config();
    config.max_rooms = 2;
    config.max_players = 4;
    let server = serve(&config).await;
    let addr = server.listen_addr();
    let (_ann, seat) = Client::seated(addr, create(&Strings { seats: 1, ..Strings::default() })).await;
    let mut client = Client::welcome(addr).await;
    assert_eq!(client.enter(Target::Room(seat.room)).await.unwrap_err(), Code::RoomFull);
    client.enter(puppet()).await.unwrap();
    let mut other = Client::welcome(addr).await;
    assert_eq!(other.enter(create(&Strings::default())).await.unwrap_err(), Code::ServerFull);
    other.enter(puppet()).await.unwrap();
    let (_last, _) = Client::seated(addr, puppet()).await;
    let mut fifth = Client::welcome(addr).await;
    assert_eq!(fifth.enter(puppet()).await.unwrap_err(), Code::ServerFull);
}

#[tokio::test]
async fn the_wrong_version_is_told_so() {
    let server = serve(&config()).await;
    let mut client = Client::connect(server.listen_addr()).await;
    client.say(&ClientMessage::Hello(Hello { protocol: VERSION + 1, client: String::new(), ..Hello::default() })).await;
    assert_eq!(client.goodbye().await, (Code::WrongVersion, 0));
}

#[tokio::test]
async fn what_comes_too_early_ends_the_connection() {
    let server = serve(&config()).await;
    for early in [enter(puppet(), ""), ClientMessage::Report(Report::default()), ClientMessage::Leave] {
        let mut client = Client::connect(server.listen_addr()).await;
        client.say(&early).await;
        assert_eq!(client.goodbye().await, (Code::TooEarly, 0));
    }
    let mut client = Client::welcome(server.listen_addr()).await;
    client.say(&ClientMessage::Report(Report::default())).await;
    assert_eq!(client.goodbye().await, (Code::TooEarly, 0));
}

#[tokio::test]
async fn what_is_no_message_ends_the_connection() {
    let server = serve(&config()).await;
    for message in [Message::Text("hello".into()), Message::Binary(vec![1, 2].into()), Message::Binary(vec![].into())] {
        let mut client = Client::connect(server.listen_addr()).await;
        client.send(message).await;
        assert_eq!(client.goodbye().await, (Code::Malformed, 0));
    }
    let mut client = Client::welcome(server.listen_addr()).await;
    client.say(&ClientMessage::Hello(Hello { protocol: VERSION, client: String::new(), ..Hello::default() })).await;
    assert_eq!(client.goodbye().await, (Code::Malformed, 0));
}

#[tokio::test]
async fn a_hello_beyond_its_limits_ends_the_connection() {
    let server = serve(&config()).await;
    let mut client = Client::connect(server.listen_addr()).await;
    client
        .say(&ClientMessage::Hello(Hello {
            protocol: VERSION,
            client: "x".repeat(limits::NAME_BYTES + 1),
            ..Hello::default()
        }))
        .await;
    assert_eq!(client.goodbye().await, (Code::TooLarge, 0));
    let mut client = Client::connect(server.listen_addr()).await;
    client.send(Message::Binary(vec![0; limits::HELLO_BYTES + 1].into())).await;
    assert_eq!(client.goodbye().await, (Code::TooLarge, 0));
}

#[tokio::test]
async fn who_says_nothing_is_sent_away() {
    let mut config = config();
    config.timing.hello = std::time::Duration::from_millis(50);
    let server = serve(&config).await;
    let mut silent = Client::connect(server.listen_addr()).await;
    assert_eq!(silent.goodbye().await, (Code::HelloTimeout, 0));
    let mut undecided = Client::welcome(server.listen_addr()).await;
    assert_eq!(undecided.goodbye().await, (Code::HelloTimeout, 0));
}

#[tokio::test]
async fn who_sends_without_end_before_a_room_is_sent_away() {
    let server = serve(&config()).await;
    let mut client = Client::welcome(server.listen_addr()).await;
    for _ in 0..1000 {
        // The goodbye may come before the last of these.
        if client.stream.send(Message::Pong(vec![0; 120].into())).await.is_err() {
            break;
        }
    }
    assert_eq!(client.goodbye().await, (Code::TooFast, 0));
}
