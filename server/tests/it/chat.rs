//! Chat on one instance, as clients meet it: who hears what, who is seen, and what is refused.

use std::time::Duration;

use tiltyard_shared::protocol::{ClientMessage, Code, Target, limits};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::Client,
    game::{config, serve},
    http::page,
    talk::{Told, said},
};

#[tokio::test]
async fn who_is_in_a_channel_hears_what_is_said_there_and_sees_who_wants_to_be_seen() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let mut ann = Client::talking(addr, " Ann  Lee ", false).await;
    let mut bob = Client::talking(addr, "Bob", true).await;
    assert_eq!(bob.present, ["Bob"], "who is private is not listed");
    ann.until_present(&["Bob"]).await;
    ann.talk("lobby", " hello   there ").await;
    assert_eq!(ann.heard().await, said("Ann Lee", "hello there"));
    assert_eq!(bob.heard().await, said("Ann Lee", "hello there"));
    // Another channel is another room.
    bob.attend("arena", "Robert", false).await;
    assert_eq!(bob.told().await, Told::Present(vec![]));
    bob.talk("arena", "anybody?").await;
    assert_eq!(bob.heard().await, said("Robert", "anybody?"));
    bob.talk("lobby", "nobody").await;
    assert_eq!(ann.heard().await, said("Bob", "nobody"));
    // Who changes it is seen, or is not.
    ann.attend("lobby", "Ann", true).await;
    bob.until_present(&["Ann", "Bob"]).await;
    bob.attend("lobby", "Bob", false).await;
    ann.until_present(&["Ann"]).await;
}

#[tokio::test]
async fn who_departs_enters_or_is_gone_is_not_there_any_more() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let mut ann = Client::talking(addr, "Ann", false).await;
    let mut bob = Client::talking(addr, "Bob", true).await;
    let mut cyd = Client::talking(addr, "Cyd", true).await;
    let dee = Client::talking(addr, "Dee", true).await;
    ann.until_present(&["Bob", "Cyd", "Dee"]).await;
    bob.say(&ClientMessage::LeaveChannel { request: 5, channel: "lobby".to_owned() }).await;
    ann.until_present(&["Cyd", "Dee"]).await;
    drop(dee);
    ann.until_present(&["Cyd"]).await;
    cyd.say(&ClientMessage::Leave).await;
    ann.until_present(&[]).await;
    bob.attend("lobby", "Bob", true).await;
    ann.until_present(&["Bob"]).await;
    bob.wish(Target::Game("puppet".to_owned())).await;
    ann.until_present(&[]).await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_its_code_and_the_connection_goes_on() {
    let server = serve(&config()).await;
    let mut client = Client::welcome(server.listen_addr()).await;
    let refused = async |client: &mut Client| match client.heard().await {
        Told::Refused(code) => code,
        other => panic!("{other:?}"),
    };
    client.talk("lobby", "hello").await;
    assert_eq!(refused(&mut client).await, Code::NotInChannel);
    client.say(&ClientMessage::LeaveChannel { request: 5, channel: "lobby".to_owned() }).await;
    assert_eq!(refused(&mut client).await, Code::NotInChannel);
    let long = "x".repeat(limits::CHANNEL_BYTES + 1);
    for channel in ["", "Lobby", "a.b", "#", "a b", "ä", &long] {
        client.attend(channel, "Ann", true).await;
        assert_eq!(refused(&mut client).await, Code::BadChannel, "{channel:?}");
    }
    for name in ["", "  ", "A\u{202e}B", "A\nB", &long] {
        client.attend("lobby", name, true).await;
        assert_eq!(refused(&mut client).await, Code::BadName, "{name:?}");
    }
    for number in 0..limits::CHANNELS {
        client.attend(&format!("c{number}"), "Ann", true).await;
    }
    client.attend("lobby", "Ann", true).await;
    assert_eq!(refused(&mut client).await, Code::TooManyChannels);
    for text in ["", " ", "a\u{7}", "a\u{2060}b", &"x".repeat(limits::SAID_BYTES + 1)] {
        client.talk("c0", text).await;
        assert_eq!(refused(&mut client).await, Code::BadText, "{text:?}");
    }
    client.talk("c0", &"x".repeat(limits::SAID_BYTES)).await;
    assert_eq!(client.heard().await, said("Ann", &"x".repeat(limits::SAID_BYTES)));
}

#[tokio::test]
async fn a_flood_is_limited_told_and_counted_and_a_greater_one_ends() {
    let server = serve(&config()).await;
    let mut ann = Client::talking(server.listen_addr(), "Ann", false).await;
    let mut bob = Client::talking(server.listen_addr(), "Bob", false).await;
    let mut told = Vec::new();
    for number in 0..40 {
        ann.talk("lobby", &number.to_string()).await;
        told.push(ann.heard().await);
    }
    let taken: Vec<_> = told.iter().filter(|told| matches!(told, Told::Said(..))).collect();
    assert!(told.iter().all(|told| matches!(told, Told::Said(..) | Told::Refused(Code::Flooding))), "{told:?}");
    let burst = limits::SAID_BURST as usize;
    assert!((burst..burst + 20).contains(&taken.len()), "{}", taken.len());
    for expected in &taken {
        assert_eq!(bob.heard().await, **expected);
    }
    let (_, metrics) = page(server.ops_addr(), "/metrics").await;
    for outcome in ["said", "refused"] {
        assert!(metrics.contains(&format!("tiltyard_chat_words_total{{outcome=\"{outcome}\"}}")), "{metrics}");
    }
    assert!(metrics.contains("tiltyard_chat_clients "));
    // Who never reads and never ends is closed as everybody is, and the others talk on.
    let flood = ClientMessage::SendMessage { request: 5, channel: "lobby".to_owned(), text: "x".to_owned() };
    for _ in 0..2_000 {
        let bytes = tiltyard_shared::protocol::codec::encode(&flood);
        if futures_util::SinkExt::send(&mut ann.stream, Message::Binary(bytes.into())).await.is_err() {
            break;
        }
    }
    let mut cyd = Client::talking(server.listen_addr(), "Cyd", false).await;
    cyd.talk("lobby", "quiet at last").await;
    while bob.heard().await != said("Cyd", "quiet at last") {}
}

#[tokio::test]
async fn who_is_in_a_channel_has_all_the_time_and_who_is_in_none_has_not() {
    let mut config = config();
    config.timing.hello = Duration::from_millis(400);
    let server = serve(&config).await;
    let mut ann = Client::talking(server.listen_addr(), "Ann", false).await;
    tokio::time::sleep(2 * config.timing.hello).await;
    ann.talk("lobby", "still here").await;
    assert_eq!(ann.heard().await, said("Ann", "still here"));
    ann.say(&ClientMessage::LeaveChannel { request: 5, channel: "lobby".to_owned() }).await;
    assert_eq!(ann.goodbye().await.0, Code::HelloTimeout);
}

#[tokio::test]
async fn chat_is_not_for_who_has_said_no_hello_nor_for_rooms() {
    let server = serve(&config()).await;
    let mut early = Client::connect(server.listen_addr()).await;
    early.attend("lobby", "Ann", true).await;
    assert_eq!(early.goodbye().await.0, Code::TooEarly);
    let (mut seated, _) = Client::seated(server.listen_addr(), Target::Game("puppet".to_owned())).await;
    seated.talk("lobby", "hello").await;
    assert_eq!(seated.goodbye().await.0, Code::Malformed);
    // Bytes that are no message: a bool that is neither.
    let mut bad = Client::welcome(server.listen_addr()).await;
    bad.send(Message::Binary(vec![10, 1, b'a', 1, b'a', 2].into())).await;
    assert_eq!(bad.goodbye().await.0, Code::Malformed);
}
