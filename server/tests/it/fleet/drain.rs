//! How an instance leaves while people play.

use tiltyard_shared::protocol::{Code, ServerMessage, Target, lobby::Browse};

use crate::{
    client::Client,
    fleet::ground::{Ground, redirected, room, soon, until, until_fleet_of, until_listed, url},
    game::Pull,
    http::{page, post},
    on_both,
};

on_both!(a_draining_instance_sends_people_on_and_lets_rooms_end);

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
    until("its room is gone", async || crate::fleet::ground::listed(&stays).await == 1).await;
    stays.stop().await;
}
