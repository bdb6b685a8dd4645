//! What a game says at its end reaches whoever consumes results, once by its id, also when the broker was away meanwhile, or
//! the operator's queue.

use std::collections::BTreeSet;

use tiltyard_server::{Games, Server, bus::Payload, fleet::messages::MatchResult};

use crate::{
    bus::{
        absent::Bare,
        raw::{self, Raw},
    },
    client::Client,
    fleet::ground::{Ground, broker, room, turn, until},
    game::{Pull, Puppet, config},
    http::page,
};

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn every_result_is_there_once_by_its_id() {
    let (admin, ground) = (broker("AMQP_ADMIN_URL"), Ground::rabbitmq().await);
    let server = ground.start("a", |_| {}).await;
    let mut rooms = BTreeSet::new();
    for number in 0..6 {
        let (mut player, seat) = Client::seated(server.listen_addr(), room("Tea", false)).await;
        rooms.insert(seat.room);
        // The third ends while there is no broker.
        if number == 2 {
            tokio::task::spawn_blocking(|| raw::ctl(&["stop_app"])).await.unwrap();
        }
        player.pull(&Pull::End).await;
        player.goodbye().await;
        if number == 2 {
            tokio::task::spawn_blocking(|| raw::ctl(&["start_app"])).await.unwrap();
        }
    }
    let (mut ids, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let collect = |_, bytes: Vec<u8>| {
        // Other tests leave results, too.
        if let Ok(result) = Payload::from_bytes(bytes).read_json::<MatchResult>()
            && rooms.contains(&result.room)
        {
            assert_eq!((result.game.as_str(), &result.result), ("puppet", &"over".into()));
            // What was not confirmed may come again, under the same id.
            assert!(!ids.insert(result.id) || seen.insert(result.room), "two results of one room");
        }
        seen == rooms
    };
    Raw::connect(&admin).await.take("tiltyard.match-results", collect).await;
    server.stop().await;
}

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn results_wait_while_the_operators_queue_is_missing_and_come_when_it_is_back() {
    // Others stop the broker.
    let _turn = turn().await;
    let bare = Bare::new().await;
    let mut config = config();
    (config.amqp_url, config.bus_required) = (Some(bare.url.clone().into()), true);
    let server = Server::start(&config, Games::new().with::<Puppet>()).await.unwrap();
    let mut rooms = BTreeSet::new();
    for _ in 0..3 {
        let (mut player, seat) = Client::seated(server.listen_addr(), room("Tea", false)).await;
        rooms.insert(seat.room);
        player.pull(&Pull::End).await;
        player.goodbye().await;
    }
    let ready = async || page(server.ops_addr(), "/readyz").await;
    let told = "ready\n3 results of matches wait: no queue at the broker takes them\n";
    until("three results wait", async || ready().await.1 == told).await;
    assert!(ready().await.0.starts_with("HTTP/1.1 200"));
    // The recorder of metrics is the whole process's: other tests may add to it.
    let metrics = page(server.ops_addr(), "/metrics").await.1;
    assert!(metrics.contains("tiltyard_results_waiting{reason=\"queue\"} "), "{metrics}");
    bare.declare().await;
    let mut seen = BTreeSet::new();
    let collect = |_, bytes: Vec<u8>| {
        seen.insert(Payload::from_bytes(bytes).read_json::<MatchResult>().unwrap().room);
        seen == rooms
    };
    Raw::connect(&bare.admin).await.take("tiltyard.match-results", collect).await;
    until("no result waits", async || ready().await.1 == "ready\n").await;
    server.stop().await;
}
