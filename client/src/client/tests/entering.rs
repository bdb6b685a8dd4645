//! Clients that are sent elsewhere, and clients that know the game, another one, or none.

use super::*;
use crate::AnyGame;

/// With a pass the client shows it there; without one it says its wish there once more.
#[tokio::test]
async fn a_client_goes_where_it_is_sent() {
    let ((first, options), (second, there)) = (listen().await, listen().await);
    let server = tokio::spawn(async move {
        let redirect =
            |pass: &[u8]| ServerMessage::Redirect { request: 1, url: there.url.clone(), pass: pass.to_vec() };
        let mut peer = Peer::accept(&first).await;
        assert!(matches!(peer.greet().await, Target::Game(_)));
        peer.say(redirect(b"")).await;
        let mut peer = Peer::accept(&second).await;
        assert!(matches!(peer.greet().await, Target::Game(_)));
        peer.say(redirect(b"pass")).await;
        let mut peer = Peer::accept(&second).await;
        assert_eq!(peer.greet().await, Target::Pass(b"pass".to_vec()));
        peer.seat(1, 0, schema()).await;
        peer
    });
    Client::<Arena>::enter(options, Target::Game("arena".to_owned())).await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn a_seat_elsewhere_is_resumed_there_and_then_where_the_client_came_in() {
    let ((first, mut options), (second, there)) = (listen().await, listen().await);
    options.backoff = Backoff { first: Duration::from_millis(1), ..Backoff::default() };
    let server = tokio::spawn(async move {
        let mut peer = Peer::accept(&first).await;
        assert!(matches!(peer.greet().await, Target::Game(_)));
        peer.say(ServerMessage::Redirect { request: 1, url: there.url, pass: vec![1] }).await;
        let mut peer = Peer::accept(&second).await;
        assert_eq!(peer.greet().await, Target::Pass(vec![1]));
        peer.seat(1, 0, schema()).await;
        drop(peer);
        let mut peer = Peer::accept(&second).await;
        assert!(matches!(peer.greet().await, Target::Resume { .. }), "there, without asking at the first");
        peer.seat(2, 0, schema()).await;
        drop((peer, second));
        let mut peer = Peer::accept(&first).await;
        assert!(matches!(peer.greet().await, Target::Resume { .. }), "nobody is there any more");
        peer.seat(3, 0, schema()).await;
        peer
    });
    let mut client = Client::<Arena>::enter(options, Target::Game("arena".to_owned())).await.unwrap();
    let mut reconnected = 0;
    while reconnected < 2 {
        reconnected += usize::from(client.next().await.unwrap() == Event::Reconnected);
    }
    server.await.unwrap();
}

#[tokio::test]
async fn a_client_whose_server_stops_goes_on_in_another_room_where_all_begins_anew() {
    let ((first, options), (second, there)) = (listen().await, listen().await);
    let server = tokio::spawn(async move {
        let mut peer = Peer::accept(&first).await;
        peer.greet().await;
        peer.seat(7, 40, schema()).await;
        peer.frame(7, 500, true).await;
        let redirect = ServerMessage::Redirect { request: 0, url: there.url, pass: vec![1] };
        let ClientMessage::Inputs { number: 41, .. } = peer.read().await else { panic!("no input") };
        peer.say(redirect).await;
        let mut peer = Peer::accept(&second).await;
        assert_eq!(peer.greet().await, Target::Pass(vec![1]));
        peer.room = Uuid::from_u128(9);
        peer.seat(1, 0, schema()).await;
        peer.frame(1, 3, true).await;
        let ClientMessage::Inputs { number, .. } = peer.read().await else { panic!("no input") };
        (number, peer)
    });
    let mut client = Client::<Arena>::enter(options, Target::Game("arena".to_owned())).await.unwrap();
    let walk = tiltyard_arena::messages::Input::default();
    while !matches!(client.next().await.unwrap(), Event::Frame(_)) {}
    client.send(&walk).unwrap();
    while client.next().await.unwrap() != Event::Transferred {}
    assert_eq!((client.session().seat().room, client.session().counts().transfers), (Uuid::from_u128(9), 1));
    let Event::Frame(frame) = client.next().await.unwrap() else { panic!("no frame") };
    assert_eq!(frame.tick, Tick(3), "though it is below what was seen");
    assert_eq!(client.send(&walk), Ok(1));
    let seen = async { while client.next().await.is_ok() {} };
    tokio::select! {
        () = seen => panic!("it ends"),
        number = server => assert_eq!(number.unwrap().0, 1),
    }
}

#[tokio::test]
async fn a_game_with_other_types_is_told_apart() {
    let (listener, options) = listen().await;
    tokio::spawn(async move {
        let mut peer = Peer::accept(&listener).await;
        peer.greet().await;
        peer.seat(1, 0, 7).await;
        peer
    });
    let refused = Client::<Arena>::enter(options, Target::Game("arena".to_owned())).await;
    assert!(matches!(refused, Err(Error::OtherSchema { theirs: 7, .. })));
}

/// One whose events and inputs are a byte each.
const DICE: &str = r#"{"game":"dice","entity":{"kinds":[]},"input":{"type":"uint","bits":8},
    "event":{"type":"uint","bits":8},"config":{"type":"unit"}}"#;

#[tokio::test]
async fn a_client_of_any_game_goes_by_the_schema_that_the_server_tells_and_knows_it_when_it_comes_back() {
    let (listener, options) = listen().await;
    let server = tokio::spawn(async move {
        let mut peer = Peer::accept(&listener).await;
        peer.greet().await;
        assert_eq!(peer.known, None, "it knows no schema");
        peer.seat_in("dice", 1, 0, Schema::hash(DICE), Some(DICE.to_owned())).await;
        peer.frame(1, 5, true).await;
        let ClientMessage::Inputs { inputs, .. } = peer.read().await else { panic!("no input") };
        assert_eq!(inputs[0].payload, [6]);
        drop(peer);
        let mut peer = Peer::accept(&listener).await;
        peer.greet().await;
        assert_eq!(peer.known, Some(Schema::hash(DICE)));
        peer.seat_in("dice", 2, 1, Schema::hash(DICE), None).await;
        peer
    });
    let mut client = Client::<AnyGame>::enter(options, Target::Game("dice".to_owned())).await.unwrap();
    assert!(matches!(client.next().await.unwrap(), Event::Frame(_)));
    assert_eq!(client.send(&vec![6, 6]), Err(NotSent::NoInput));
    assert_eq!(client.send(&vec![6]), Ok(1));
    while client.next().await.unwrap() != Event::Reconnected {}
    server.await.unwrap();
}

#[tokio::test]
async fn a_schema_that_nobody_can_go_by_ends_it() {
    let (listener, options) = listen().await;
    tokio::spawn(async move {
        let mut peer = Peer::accept(&listener).await;
        peer.greet().await;
        peer.seat_in("dice", 1, 0, Schema::hash("{}"), Some("{}".to_owned())).await;
        peer
    });
    let refused = Client::<AnyGame>::enter(options, Target::Game("dice".to_owned())).await;
    assert!(matches!(refused, Err(Error::BadSchema(_))));
}
