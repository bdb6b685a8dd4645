//! Chat and presence over all instances: heard across, seen across, and gone with an instance that is.

use tiltyard_shared::protocol::Code;

use crate::{
    client::Client,
    fleet::ground::{Ground, soon, until_fleet_of},
    on_both,
    talk::{Told, said},
};

on_both!(
    what_is_said_anywhere_is_heard_everywhere,
    who_comes_later_sees_who_is_there_and_the_dead_are_not_seen,
    a_flood_is_told_to_whoever_makes_it_and_heard_by_nobody_else,
);

async fn what_is_said_anywhere_is_heard_everywhere(ground: &Ground) {
    let servers = ground.start_all(["a", "b", "c"]).await;
    let mut ann = Client::talking(servers[0].listen_addr(), "Ann", true).await;
    let mut bob = Client::talking(servers[1].listen_addr(), "Bob", false).await;
    let mut cyd = Client::talking(servers[2].listen_addr(), "Cyd", true).await;
    for client in [&mut ann, &mut bob, &mut cyd] {
        // Bob is there, and private.
        soon(client.until_present(&["Ann", "Cyd"])).await;
    }
    let mut elsewhere = Client::welcome(servers[1].listen_addr()).await;
    elsewhere.attend("arena", "Dee", true).await;
    ann.talk("lobby", "1").await;
    ann.talk("lobby", "2").await;
    for client in [&mut ann, &mut bob, &mut cyd] {
        assert_eq!(soon(client.heard()).await, said("Ann", "1"));
        assert_eq!(soon(client.heard()).await, said("Ann", "2"));
    }
    bob.talk("lobby", "3").await;
    for client in [&mut ann, &mut bob, &mut cyd] {
        assert_eq!(soon(client.heard()).await, said("Bob", "3"));
    }
    elsewhere.talk("arena", "alone").await;
    assert_eq!(soon(elsewhere.heard()).await, said("Dee", "alone"));
    for server in servers {
        server.stop().await;
    }
}

async fn who_comes_later_sees_who_is_there_and_the_dead_are_not_seen(ground: &Ground) {
    let first = ground.start("a", |_| {}).await;
    let _ann = Client::talking(first.listen_addr(), "Ann", true).await;
    let second = ground.start("b", |_| {}).await;
    let mut bob = Client::talking(second.listen_addr(), "Bob", true).await;
    soon(bob.until_present(&["Ann", "Bob"])).await;
    // Killed, an instance says nothing to anybody any more.
    drop(first);
    soon(bob.until_present(&["Bob"])).await;
    until_fleet_of(&second, 1).await;
    second.stop().await;
}

async fn a_flood_is_told_to_whoever_makes_it_and_heard_by_nobody_else(ground: &Ground) {
    let servers = ground.start_all(["a", "b"]).await;
    let mut ann = Client::talking(servers[0].listen_addr(), "Ann", true).await;
    let mut bob = Client::talking(servers[1].listen_addr(), "Bob", true).await;
    let mut taken = Vec::new();
    for number in 0..60 {
        ann.talk("lobby", &number.to_string()).await;
        match soon(ann.heard()).await {
            Told::Refused(code) => assert_eq!(code, Code::Flooding),
            told => taken.push(told),
        }
    }
    assert!((5..30).contains(&taken.len()), "{taken:?}");
    for expected in taken {
        assert_eq!(soon(bob.heard()).await, expected);
    }
    for server in servers {
        server.stop().await;
    }
}
