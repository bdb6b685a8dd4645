//! What is left of connections to a broker that were refused, given up or cut: nothing.

use std::time::Duration;

use futures_util::future::join_all;
use tiltyard_server::bus::{
    Address, Bounds, Incoming, InstanceId, Link, Mailbox, Payload, Serve, State, Topic, rabbitmq,
};
use tokio::{net::TcpListener, task::JoinSet, time};

use crate::bus::{ground::*, raw::ctl};

/// How often each broker that is none is tried.
const ATTEMPTS: u64 = 5;
/// How often all connections are cut.
const CUTS: u64 = 10;

#[tokio::test]
async fn attempts_that_fail_leave_no_task_behind() {
    let refusing = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging_up = listener.local_addr().unwrap();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let before = tasks();
    let links = [refusing, hanging_up].map(|address| {
        let instance = InstanceId::new(&new_name("one")).unwrap();
        let url = format!("amqp://{address}/tiltyard");
        rabbitmq::open(rabbitmq::Config { url, instance, bounds: Bounds::default() }).unwrap()
    });
    soon(until(|| links.iter().all(|link| link.counts.disconnected.get() >= ATTEMPTS))).await;
    drop(links);
    soon(until(|| tasks() <= before)).await;
}

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn connections_that_are_cut_leave_no_task_behind() {
    let url = broker("AMQP_ADMIN_URL");
    // Connections are cut by vhost: one of its own leaves the other tests alone.
    let vhost = new_name("cut");
    ctl(&["add_vhost", &vhost]);
    ctl(&["set_permissions", "-p", &vhost, "admin", ".*", ".*", ".*"]);
    let ground = Ground::RabbitMq { url: url.replace("/tiltyard", &format!("/{vhost}")), bounds: Bounds::default() };
    let (target, mut one) = ground.join("one").await;
    let mut busy = begin(&one, target).await;
    let before = tasks();
    for cut in 1..=CUTS {
        ctl(&["close_all_connections", "--vhost", &vhost, "cut by the test"]);
        let counts = one.counts.clone();
        soon(one.state.wait_for(|state| *state == State::Up && counts.connected.get() > cut)).await.unwrap();
    }
    // lapin's heartbeat of a connection that is gone sleeps for another half of the heartbeat's time.
    soon(until(|| tasks() <= before)).await;
    busy.shutdown().await;
    ctl(&["delete_vhost", &vhost]);
}

/// Somebody who keeps publishing, asking, answering and acknowledging, so that all of it is under way when a connection ends.
async fn begin(one: &Link, target: InstanceId) -> JoinSet<()> {
    let inbox = new_inbox();
    let mut mailboxes = [
        one.bus.serve(Serve::Events(vec![lobby(&["#"])])).unwrap(),
        one.bus.serve(Serve::Commands).unwrap(),
        one.bus.claim(inbox.clone()).unwrap(),
    ];
    for mailbox in &mut mailboxes {
        opened(mailbox).await;
    }
    let mut busy: JoinSet<()> = mailboxes.map(settle).into_iter().collect();
    let bus = one.bus.clone();
    busy.spawn(async move {
        loop {
            let event = || bus.publish(Address::Event(Topic::Lobby, key(&["busy"])), Payload::of(&1_u32));
            let letter = || bus.publish(Address::Inbox(inbox.clone()), Payload::of(&2_u32));
            let command = || bus.request(&target, Payload::of(&3_u32), Duration::from_secs(1));
            tokio::join!(
                join_all((0..20).map(|_| event())),
                join_all((0..20).map(|_| letter())),
                join_all((0..10).map(|_| command()))
            );
            time::sleep(Duration::from_millis(5)).await;
        }
    });
    busy
}

/// Settles whatever comes.
async fn settle(mut mailbox: Mailbox) {
    while let Some(incoming) = mailbox.next().await {
        if let Incoming::Delivery(delivery) = incoming {
            delivery.open::<u32>().unwrap().1.reply(Payload::of(&4_u32));
        }
    }
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        time::sleep(Duration::from_millis(10)).await;
    }
}
