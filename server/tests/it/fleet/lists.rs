//! One list for all: whoever looks anywhere sees the rooms of every instance.

use serde_json::json;
use tiltyard_shared::protocol::lobby::Browse;

use crate::{
    client::Client,
    fleet::ground::{Ground, listed, room, until, until_fleet_of, until_listed},
    game::Pull,
    http::get,
    on_both,
};

on_both!(everybody_sees_every_room, who_comes_later_sees_what_is_there, rooms_of_a_dead_instance_are_gone);

async fn everybody_sees_every_room(ground: &Ground) {
    let servers = ground.start_all(["a", "b", "c"]).await;
    let mut visitor = Client::welcome(servers[2].listen_addr()).await;
    visitor.browse(Browse::default()).await.unwrap();
    let (mut ann, seat) = Client::seated(servers[0].listen_addr(), room("Tea", false)).await;
    let (_bob, hidden) = Client::seated(servers[1].listen_addr(), room("Secret", true)).await;
    visitor.until_list(|rooms| rooms.len() == 1 && rooms[0].title == "Tea" && rooms[0].players == 1).await;
    ann.pull(&Pull::Tell("7".to_owned())).await;
    visitor.until_list(|rooms| rooms[0].metadata == "7").await;
    // Who knows its code finds a private room; on no page it stands.
    let path = format!("/api/rooms/{}", hidden.code);
    until("the private room is known", async || get(servers[2].listen_addr(), &path).await.0 == 200).await;
    for server in &servers {
        until_listed(server, 1).await;
        let (_, entry) = get(server.listen_addr(), &format!("/api/rooms/{}", seat.room)).await;
        assert_eq!(entry["title"], json!("Tea"));
    }
    ann.pull(&Pull::End).await;
    visitor.until_list(<[_]>::is_empty).await;
    for server in servers {
        server.stop().await;
    }
}

/// More rooms than go into one page of a question.
async fn who_comes_later_sees_what_is_there(ground: &Ground) {
    let first = ground.start("a", |_| {}).await;
    let mut players = Vec::new();
    let metadata = format!("\"{}\"", "m".repeat(500));
    for _ in 0..60 {
        let (mut player, _) = Client::seated(first.listen_addr(), room("Many", false)).await;
        player.pull(&Pull::Tell(metadata.clone())).await;
        players.push(player);
    }
    let second = ground.start("b", |_| {}).await;
    until_listed(&second, 60).await;
    for server in [first, second] {
        server.stop().await;
    }
}

async fn rooms_of_a_dead_instance_are_gone(ground: &Ground) {
    let mut servers = ground.start_all(["a", "b"]).await;
    let (_ann, _) = Client::seated(servers[0].listen_addr(), room("Here", false)).await;
    let (_bob, _) = Client::seated(servers[1].listen_addr(), room("There", false)).await;
    until_listed(&servers[0], 2).await;
    // Dropped, a server says nothing to anybody any more.
    drop(servers.pop());
    until_fleet_of(&servers[0], 1).await;
    assert_eq!(listed(&servers[0]).await, 1);
    for server in servers {
        server.stop().await;
    }
}
