//! How an instance leaves while people play.

use tiltyard_client::{AnyGame, Client as Sdk, Event, Options};
use tiltyard_shared::protocol::{Code, ServerMessage, Target, codec, lobby::Browse};

use crate::{
    client::Client,
    fleet::ground::{Ground, listed, redirected, room, soon, until, until_fleet_of, until_listed, url},
    game::Pull,
    http::{page, post},
    on_both,
};

on_both!(
    a_draining_instance_sends_people_on_and_lets_rooms_end,
    whoever_plays_when_the_time_to_drain_is_over_goes_on_elsewhere,
);

async fn a_draining_instance_sends_people_on_and_lets_rooms_end(ground: &Ground) {
    let mut servers = ground.start_all(["leaves", "stays"]).await;
    let (stays, leaves) = (servers.pop().unwrap(), servers.pop().unwrap());
    let (mut ann, seat) = Client::seated(leaves.listen_addr(), room("Last", false)).await;
    let mut visitor = Client::welcome(leaves.listen_addr()).await;
    visitor.browse(Browse::default()).await.unwrap();
    until_listed(&stays, 1).await;
    leaves.drain();
    loop {
        match visitor.control().await {
            ServerMessage::Redirect { url: there, pass, .. } => {
                assert_eq!((there, pass), (url(&stays), Vec::new()));
                break;
            }
            message => assert!(visitor.list.apply(message)),
        }
    }
    assert_eq!(page(leaves.ops_addr(), "/readyz").await.1, "draining\n");
    // New rooms are opened elsewhere, and nobody is sent into one that is about to end.
    let (there, pass) = redirected(&leaves, Target::Game("puppet".to_owned()), false).await;
    assert_eq!(there, url(&stays));
    let (_bob, bobs) = Client::seated(stays.listen_addr(), Target::Pass(pass)).await;
    assert_ne!(bobs.room, seat.room);
    let mut carl = Client::welcome(stays.listen_addr()).await;
    assert_eq!(carl.enter(Target::Room(seat.room)).await.unwrap_err(), Code::Locked);
    let (status, refused) = post(leaves.listen_addr(), "/api/rooms", "{\"game\":\"puppet\"}").await;
    assert_eq!((status, refused["code"].as_str()), (503, Some("stopping")), "{refused}");
    // The room plays on until it ends by itself.
    ann.pull(&Pull::Step(2)).await;
    ann.until_place(seat.player, 2).await;
    let ends = async {
        ann.pull(&Pull::End).await;
        assert_eq!(ann.goodbye().await.0, Code::Finished);
    };
    tokio::join!(soon(leaves.emptied()), ends);
    leaves.stop().await;
    until_fleet_of(&stays, 1).await;
    until("its room is gone", async || listed(&stays).await == 1).await;
    stays.stop().await;
}

/// With the client that authors use. The room is private, so that nobody comes to its like by chance.
async fn whoever_plays_when_the_time_to_drain_is_over_goes_on_elsewhere(ground: &Ground) {
    let mut servers = ground.start_all(["leaves", "stays"]).await;
    let (stays, leaves) = (servers.pop().unwrap(), servers.pop().unwrap());
    let options = || Options::new(url(&leaves));
    let mut ann = Sdk::<AnyGame>::enter(options(), room("Cellar", true)).await.unwrap();
    let before = ann.session().seat().clone();
    let mut bob = Sdk::<AnyGame>::enter(options(), Target::Room(before.room)).await.unwrap();
    let mut watcher = Client::welcome(leaves.listen_addr()).await;
    watcher.watch(Target::Room(before.room)).await.unwrap();
    ann.send(&codec::encode(&Pull::Step(2))).unwrap();
    while !matches!(ann.next().await.unwrap(), Event::Settled { .. }) {}
    leaves.drain();
    // As the process does when the time is over: one follows the other at once.
    let ends = async {
        leaves.send_players_on().await;
        leaves.stop().await;
    };
    let watcher_told = async { assert_eq!(watcher.goodbye().await.0, Code::Stopping) };
    soon(async { tokio::join!(ends, transferred(&mut ann), transferred(&mut bob), watcher_told) }).await;
    let after = ann.session().seat().clone();
    assert_ne!(after.room, before.room);
    assert_eq!(after.room, bob.session().seat().room, "they stay together");
    assert_eq!((ann.session().counts().transfers, ann.session().counts().mismatches), (1, 0));
    // It is a room like the first one: private, and of one who knows its id.
    assert_eq!(listed(&stays).await, 0);
    // What was played is lost, and inputs are numbered anew.
    assert_eq!(ann.send(&codec::encode(&Pull::Step(1))), Ok(1));
    while !matches!(ann.next().await.unwrap(), Event::Settled { number: 1, .. }) {}
    stays.stop().await;
}

/// Plays until the client is in another room, and has seen it.
async fn transferred(client: &mut Sdk<AnyGame>) {
    while client.next().await.unwrap() != Event::Transferred {}
    while !matches!(client.next().await.unwrap(), Event::Frame(_)) {}
}
