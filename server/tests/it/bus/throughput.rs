//! How many tickets a second go from one instance through the broker's quorum queue to the matchmaker on another, each
//! confirmed, delivered and acknowledged once. Prints what it measured.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use tiltyard_server::bus::{Address, Bounds, Incoming, Payload};

use crate::bus::ground::{Ground, new_inbox, report};

/// Tickets in all.
const TICKETS: u32 = 10_000;
/// Tickets that wait for their confirm at a time.
const UNCONFIRMED: usize = 256;
/// The bytes of a ticket of one player who reaches three regions, about.
const BYTES: usize = 160;
/// Far more than it takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn ten_thousand_tickets_arrive_once() {
    let ground = Ground::rabbitmq(Bounds::default());
    let (_, home) = ground.join("home").await;
    let (_, matchmaker) = ground.join("matchmaker").await;
    let inbox = new_inbox();
    let mut letters = matchmaker.bus.claim(inbox.clone()).unwrap();
    while !matches!(letters.next().await, Some(Incoming::Opened)) {}
    let (began, bus) = (Instant::now(), Arc::clone(&home.bus));
    let publishing = stream::iter(0..TICKETS).for_each_concurrent(UNCONFIRMED, |number| {
        let letter = Payload::of(&(number, vec![0_u8; BYTES]));
        let publish = bus.publish(Address::Inbox(inbox.clone()), letter);
        async move { publish.await.unwrap() }
    });
    let receiving = async {
        let mut seen = BTreeSet::new();
        while seen.len() < TICKETS as usize {
            let Some(Incoming::Delivery(delivery)) = letters.next().await else { continue };
            let ((number, _), receipt) = delivery.open::<(u32, Vec<u8>)>().unwrap();
            assert!(seen.insert(number), "ticket {number} came twice");
            receipt.ack();
        }
    };
    let both = async { tokio::join!(publishing, receiving) };
    tokio::time::timeout(PATIENCE, both).await.expect("all tickets in time");
    let seconds = began.elapsed().as_secs_f64();
    report(&format!(
        "{TICKETS} tickets through the broker in {seconds:.2} s: {:.0} a second",
        f64::from(TICKETS) / seconds
    ));
}
