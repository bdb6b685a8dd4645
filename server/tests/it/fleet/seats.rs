//! Seats elsewhere: redirects, passes, and what of both happens when several come at once.

use tiltyard_shared::protocol::{Code, Resync, ServerMessage, Target};

use crate::{
    client::Client,
    fleet::ground::{Ground, redirected, room, until, until_fleet_of, until_listed, url, wish},
    http::{get, post},
    on_both,
};

on_both!(
    a_code_leads_to_the_room_wherever_it_is,
    a_resume_finds_its_seat_from_anywhere,
    a_game_leads_to_the_fullest_room,
    a_new_room_is_opened_where_there_is_most_space,
);

async fn a_code_leads_to_the_room_wherever_it_is(ground: &Ground) {
    let servers = ground.start_all(["a", "b"]).await;
    let (_ann, seat) = Client::seated(servers[0].listen_addr(), room("Tea", true)).await;
    let path = format!("/api/rooms/{}", seat.code);
    until("the room is known", async || get(servers[1].listen_addr(), &path).await.0 == 200).await;
    let (there, pass) = redirected(&servers[1], Target::Code(seat.code.to_string()), false).await;
    assert_eq!((there, pass.is_empty()), (url(&servers[0]), false));
    let (mut bob, bobs) = Client::seated(servers[0].listen_addr(), Target::Pass(pass.clone())).await;
    assert_eq!(bobs.room, seat.room);
    bob.until_place(bobs.player, 0).await;
    // A pass is good once.
    let mut eve = Client::welcome(servers[0].listen_addr()).await;
    assert_eq!(eve.enter(Target::Pass(pass)).await.unwrap_err(), Code::BadPass);
    // The third seat by REST, then the room is full for whoever asks from elsewhere, too.
    let (status, kept) = post(servers[1].listen_addr(), &format!("/api/rooms/{}/seats", seat.code), "").await;
    assert_eq!((status, kept["url"].as_str()), (201, Some(url(&servers[0]).as_str())), "{kept}");
    let mut late = Client::welcome(servers[1].listen_addr()).await;
    assert_eq!(late.enter(Target::Room(seat.room)).await.unwrap_err(), Code::RoomFull);
    // Who watches needs no pass: the wish is said there once more.
    let (there, pass) = redirected(&servers[1], Target::Room(seat.room), true).await;
    assert_eq!((there, pass), (url(&servers[0]), Vec::new()));
    for server in servers {
        server.stop().await;
    }
}

async fn a_resume_finds_its_seat_from_anywhere(ground: &Ground) {
    let servers = ground.start_all(["a", "b"]).await;
    let (ann, seat) = Client::seated(servers[0].listen_addr(), room("Tea", false)).await;
    until_listed(&servers[1], 1).await;
    drop(ann);
    let resync = Resync { epoch: seat.epoch + 1, applied: None, event: 0 };
    let resume = seat.resume(resync);
    let (there, pass) = redirected(&servers[1], resume.clone(), false).await;
    assert_eq!((there, pass), (url(&servers[0]), Vec::new()));
    let (_ann, again) = Client::seated(servers[0].listen_addr(), resume).await;
    assert_eq!((again.player, again.token), (seat.player, seat.token));
    for server in servers {
        server.stop().await;
    }
}

async fn a_game_leads_to_the_fullest_room(ground: &Ground) {
    let servers = ground.start_all(["a", "b"]).await;
    let (_ann, seat) = Client::seated(servers[0].listen_addr(), room("Tea", false)).await;
    let path = format!("/api/rooms/{}", seat.room);
    let seen = async || get(servers[1].listen_addr(), &path).await.1["players"] == 1;
    until("the player is seen", seen).await;
    let (there, pass) = redirected(&servers[1], Target::Game("puppet".to_owned()), false).await;
    assert_eq!(there, url(&servers[0]));
    let (_bob, bobs) = Client::seated(servers[0].listen_addr(), Target::Pass(pass)).await;
    assert_eq!(bobs.room, seat.room);
    let (status, kept) = post(servers[1].listen_addr(), "/api/quick-join", "{\"game\":\"puppet\"}").await;
    assert_eq!((status, kept["room"].as_str()), (201, Some(seat.room.to_string().as_str())), "{kept}");
    // The room is full now: the next is opened here.
    let (_carl, carls) = Client::seated(servers[1].listen_addr(), Target::Game("puppet".to_owned())).await;
    assert_ne!(carls.room, seat.room);
    for server in servers {
        server.stop().await;
    }
}

async fn a_new_room_is_opened_where_there_is_most_space(ground: &Ground) {
    let small = ground.start("small", |config| config.max_players = 10).await;
    let (_ann, _) = Client::seated(small.listen_addr(), room("Here", false)).await;
    let large = ground.start("large", |config| config.max_players = 100).await;
    until_fleet_of(&small, 2).await;
    let (there, pass) = redirected(&small, room("There", false), false).await;
    assert_eq!(there, url(&large));
    let (_bob, seat) = Client::seated(large.listen_addr(), Target::Pass(pass)).await;
    until_listed(&small, 2).await;
    // In the other direction it stays where it is.
    let mut carl = Client::welcome(large.listen_addr()).await;
    match wish(&mut carl, room("Stays", false), false).await {
        ServerMessage::Entered(entered) => assert_ne!(entered.room, seat.room),
        other => panic!("{other:?}"),
    }
    for server in [small, large] {
        server.stop().await;
    }
}
