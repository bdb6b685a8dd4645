//! What a game says at its end reaches whoever consumes results, once by its id, also when the broker was away meanwhile.

use std::collections::BTreeSet;

use tiltyard_server::{bus::Payload, fleet::messages::MatchResult};

use crate::{
    bus::raw::{self, Raw},
    client::Client,
    fleet::ground::{Ground, broker, room},
    game::Pull,
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
