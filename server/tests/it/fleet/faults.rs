//! What is broken: messages that are none, and a broker that goes away and comes back.

use std::{process::Command, time::Duration};

use tiltyard_core::{
    chat::messages::ChatMessage,
    directory::messages::Heartbeat,
    instance::{Incarnation, InstanceId},
};
use tiltyard_server::{
    bus::{Address, BusError, Key, PAYLOAD_BYTES, Payload, Topic},
    fleet::messages::{ClusterEvent, Command as Asked, LobbyEvent},
};
use tiltyard_shared::protocol::chat::Channel;
use tokio::time::{Instant, timeout};

use crate::{
    client::Client,
    fleet::ground::{Ground, broker, listed, room, until, until_listed},
    game::Pull,
};

#[tokio::test]
async fn what_is_no_message_is_buried_and_stops_nothing() {
    let ground = Ground::memory().await;
    let servers = ground.start_all(["a", "b"]).await;
    let (_ann, _) = Client::seated(servers[0].listen_addr(), room("Tea", false)).await;
    let stranger = InstanceId::new("stranger").unwrap();
    let link = ground.hub().join(stranger);
    let heartbeat = Heartbeat {
        instance: stranger,
        incarnation: Incarnation(1),
        beat: 1,
        number: 0,
        rooms: 0,
        players: 0,
        capacity: 1,
        region: "no word".to_owned(),
        url: "ws://nowhere".to_owned(),
        draining: false,
    };
    let bad = [
        (Payload::from_bytes(vec![2, 0, 1, 0, 250]), "malformed"),
        (Payload::from_bytes(vec![9, 0]), "unknown version"),
        (Payload::of(&ClusterEvent::Alive(heartbeat)), "out of bounds"),
    ];
    for (payload, _) in &bad {
        let lobby = [vec!["room", "opened", "puppet", "eu"], vec!["chat", "lobby"], vec!["presence", "lobby"]];
        let lobby = lobby.map(|words| (Topic::Lobby, words));
        for (topic, words) in lobby.into_iter().chain([(Topic::Cluster, vec!["alive"])]) {
            link.bus.publish(Address::Event(topic, Key::new(words).unwrap()), payload.clone()).await.unwrap();
        }
        let answer = link.bus.request(&servers[0].id(), payload.clone(), Duration::from_millis(200)).await;
        assert_eq!(answer, Err(BusError::Late));
    }
    let oversized = Payload::from_bytes(vec![1; PAYLOAD_BYTES + 1]);
    assert_eq!(link.bus.request(&servers[0].id(), oversized, Duration::from_secs(1)).await, Err(BusError::TooLarge));
    until("all is buried", async || {
        let letters = ground.hub().dead_letters();
        bad.iter().all(|(_, reason)| letters.iter().any(|letter| letter.reason == *reason))
    })
    .await;
    // A message that goes beyond what a client may say, under a key of rooms and under its own.
    let channel = Channel::new("lobby").unwrap();
    let message = ChatMessage { instance: stranger, channel, name: "Ann".to_owned(), text: "x".repeat(300) };
    let before = ground.hub().dead_letters().len();
    for words in [vec!["room", "opened", "puppet", "eu"], vec!["chat", "lobby"]] {
        let address = Address::Event(Topic::Lobby, Key::new(words).unwrap());
        link.bus.publish(address, Payload::of(&LobbyEvent::Chat(message.clone()))).await.unwrap();
    }
    until("it is buried at both", async || ground.hub().dead_letters().len() >= before + 4).await;
    // Who asks for rooms after one that there is not gets those that follow.
    let command = Payload::of(&Asked::Rooms { after: None });
    assert!(link.bus.request(&servers[0].id(), command, Duration::from_secs(5)).await.is_ok());
    until_listed(&servers[1], 1).await;
    for server in servers {
        server.stop().await;
    }
}

/// The broker is stopped meanwhile: `RABBITMQ_CTL` is how.
#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn a_broker_that_comes_back_finds_all_rooms_again() {
    let (ctl, ground) = (broker("RABBITMQ_CTL"), Ground::rabbitmq().await);
    let servers = ground.start_all(["a", "b"]).await;
    let (mut ann, seat) = Client::seated(servers[0].listen_addr(), room("Before", false)).await;
    until_listed(&servers[1], 1).await;
    rabbitmqctl(&ctl, "stop_app").await;
    // Play goes on, and so do new rooms.
    ann.pull(&Pull::Step(1)).await;
    ann.until_place(seat.player, 1).await;
    let (_bob, _) = Client::seated(servers[1].listen_addr(), room("Meanwhile", false)).await;
    assert_eq!(listed(&servers[1]).await, 2);
    rabbitmqctl(&ctl, "start_app").await;
    let back = Instant::now();
    let whole = async || listed(&servers[0]).await == 2 && listed(&servers[1]).await == 2;
    timeout(Duration::from_secs(5), until("all rooms are known", whole)).await.expect("within 5 s");
    report(&format!("the directory was whole {:?} after the broker was back", back.elapsed()));
    for server in servers {
        server.stop().await;
    }
}

#[expect(clippy::print_stderr, reason = "a figure for the person who runs it")]
fn report(line: &str) {
    eprintln!("{line}");
}

/// Runs `rabbitmqctl` as the environment says.
async fn rabbitmqctl(ctl: &str, command: &str) {
    let (ctl, verb) = (ctl.to_owned(), command.to_owned());
    let run = move || Command::new(ctl).args(["-q", &verb]).status();
    assert!(tokio::task::spawn_blocking(run).await.unwrap().unwrap().success(), "rabbitmqctl {command}");
}
