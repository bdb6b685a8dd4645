//! What only a broker can show: its connections end, its user is refused, others send it nonsense.

use std::{
    env,
    process::Command,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tiltyard_server::bus::{
    Address, Bounds, BusError, Fault, InstanceId, PAYLOAD_BYTES, Payload, Serve, State, Topic, rabbitmq,
};

use crate::bus::{
    ground::*,
    raw::{Raw, ctl, ctl_beside},
};

fn config(url: &str) -> rabbitmq::Config {
    let instance = InstanceId::new(&new_name("one")).unwrap();
    rabbitmq::Config { url: url.to_owned(), instance, bounds: Bounds::default() }
}

async fn first_fault(url: &str) -> Fault {
    soon(rabbitmq::open(config(url)).unwrap().first_attempt()).await.unwrap_err()
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_at_once() {
    for url in ["", "nonsense", "http://u:secret@localhost", "amqp:u:secret@localhost", "amqp://u:secret@h?heartbeat=x"]
    {
        let fault = rabbitmq::open(config(url)).unwrap_err();
        assert!(matches!(fault, Fault::Url(_)) && fault.is_configuration(), "{url}: {fault}");
        assert!(!fault.to_string().contains("secret"), "{fault}");
    }
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let fault = first_fault(&format!("amqp://user:secret@{free}/tiltyard")).await;
    assert!(matches!(&fault, Fault::Unreachable { address, .. } if *address == free.to_string()), "{fault}");
    assert!(!fault.is_configuration() && !fault.to_string().contains("secret"));
}

#[tokio::test]
async fn what_speaks_no_amqp_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _sent = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let fault = first_fault(&format!("amqp://{address}/tiltyard")).await;
    assert!(matches!(fault, Fault::Unreachable { .. }), "{fault}");
}

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn a_wrong_password_is_one_clear_line() {
    let url = broker("AMQP_URL");
    let (_, rest) = url.split_once('@').unwrap();
    let fault = first_fault(&format!("amqp://tiltyard:wrong-secret@{rest}")).await;
    let line = fault.to_string();
    assert!(matches!(fault, Fault::Refused { .. }) && fault.is_configuration(), "{line}");
    assert!(line.contains("user tiltyard") && line.contains("ACCESS_REFUSED"), "{line}");
    assert!(!line.contains("secret") && !line.contains('\n'), "{line}");
}

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn a_broker_is_reached_by_tls_if_its_certificate_is_trusted() {
    let (url, authority) = (broker("AMQPS_URL"), broker("AMQPS_CA"));
    let fault = first_fault(&url).await;
    // localhost may be two addresses, of which the broker listens on one.
    assert!(!fault.is_configuration() && fault.to_string().contains("certificate"), "{fault}");
    // Whom to trust is the environment's affair, so it takes a process with another one.
    let mut tests = Command::new(env::current_exe().unwrap());
    tests.args(["--ignored", "--exact", "bus::contract::over_rabbitmq::a_request_gets_its_reply"]);
    let output = tests.env("AMQP_URL", url).env("SSL_CERT_FILE", authority).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn every_session_redeclares_everything() {
    let url = broker("AMQP_ADMIN_URL");
    // Connections are cut by vhost: one of its own leaves the other tests alone.
    let vhost = new_name("cut");
    ctl(&["add_vhost", &vhost]);
    ctl(&["set_permissions", "-p", &vhost, "admin", ".*", ".*", ".*"]);
    let ground = Ground::RabbitMq { url: url.replace("/tiltyard", &format!("/{vhost}")), bounds: Bounds::default() };
    let (_, mut one) = ground.join("one").await;
    let (target, mut two) = ground.join("two").await;
    let inbox = new_inbox();
    let mut events = two.bus.serve(Serve::Events(vec![lobby(&["#"])])).unwrap();
    let mut commands = two.bus.serve(Serve::Commands).unwrap();
    let mut letters = two.bus.claim(inbox.clone()).unwrap();
    for mailbox in [&mut events, &mut commands, &mut letters] {
        opened(mailbox).await;
    }
    post(&*one.bus, &inbox, 0).await;
    let (_, old_receipt) = next(&mut letters).await.open::<u32>().unwrap();
    for round in 1..=3_u64 {
        ctl(&["close_all_connections", "--vhost", &vhost, "the operator says so"]);
        for link in [&mut one, &mut two] {
            let counts = link.counts.clone();
            let again = |state: &State| *state == State::Up && counts.connected.get() > round;
            soon(link.state.wait_for(again)).await.unwrap();
            assert_eq!((counts.connected.get(), counts.disconnected.get()), (round + 1, round));
        }
        for mailbox in [&mut events, &mut commands] {
            opened(mailbox).await;
        }
        soon(one.bus.publish(Address::Event(Topic::Lobby, key(&["again"])), Payload::of(&round))).await.unwrap();
        assert_eq!(next(&mut events).await.open::<u64>().unwrap().0, round);
        let serve = async { next(&mut commands).await.open::<u64>().unwrap().1.reply(Payload::of(&round)) };
        let (reply, ()) = tokio::join!(one.bus.request(&target, Payload::of(&round), PATIENCE), serve);
        assert_eq!(reply.unwrap().read(), Ok(round));
    }
    // What was out when the first connection ended comes again; its old receipt is worth nothing.
    old_receipt.ack();
    let letter = next(&mut letters).await;
    assert!(letter.redelivered());
    letter.open::<u32>().unwrap().1.ack();
    ctl(&["delete_vhost", &vhost]);
}

#[tokio::test]
async fn while_the_broker_is_away_everything_fails_at_once() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let link = rabbitmq::open(config(&format!("amqp://{free}/tiltyard"))).unwrap();
    link.first_attempt().await.unwrap_err();
    let began = Instant::now();
    let to = Address::Event(Topic::Lobby, key(&["away"]));
    assert_eq!(link.bus.publish(to, Payload::of(&1_u32)).await, Err(BusError::Away));
    let nobody = InstanceId::new("nobody").unwrap();
    assert_eq!(link.bus.request(&nobody, Payload::of(&1_u32), PATIENCE).await, Err(BusError::Away));
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(link.counts.away.get(), 2);
}

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn what_others_send_is_dead_lettered_whatever_it_is() {
    let (ground, admin) = (Ground::rabbitmq(Bounds::default()), broker("AMQP_ADMIN_URL"));
    let mut graveyard = ground.graveyard().await;
    let (instance, one) = ground.join("one").await;
    let name = new_name("game");
    let mut events = one.bus.serve(Serve::Events(vec![lobby(&[&name])])).unwrap();
    let mut commands = one.bus.serve(Serve::Commands).unwrap();
    opened(&mut events).await;
    opened(&mut commands).await;
    let raw = Raw::connect(&admin).await;
    raw.publish("tiltyard.lobby", &name, &vec![1; PAYLOAD_BYTES + 1]).await;
    raw.publish("tiltyard.lobby", &name, &vec![1; 500_000]).await;
    raw.publish("tiltyard.lobby", &name, b"").await;
    // A command without reply address or deadline, and a reply that nobody waits for.
    raw.publish("tiltyard.command", instance.as_str(), Payload::of(&5_u32).as_bytes()).await;
    raw.publish("tiltyard.command", &format!("{instance}.replies"), b"what?").await;
    next(&mut commands).await.open::<u32>().unwrap().1.reply(Payload::of(&()));
    soon(one.bus.publish(Address::Event(Topic::Lobby, key(&[&name])), Payload::of(&7_u32))).await.unwrap();
    assert_eq!(next(&mut events).await.open::<u32>().unwrap().0, 7);
    assert_eq!(graveyard.reasons(&name, 3).await, ["malformed", "oversized", "oversized"]);
    soon(async {
        while one.counts.unexpected.get() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(one.counts.disconnected.get(), 0);
}

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn each_result_is_kept_once() {
    let (ground, admin) = (Ground::rabbitmq(Bounds::default()), broker("AMQP_ADMIN_URL"));
    let (_, one) = ground.join("one").await;
    let sent = (0..50_u32).map(|number| one.bus.publish(Address::Result(key(&["arena", "eu"])), Payload::of(&number)));
    assert!(soon(join_all(sent)).await.iter().all(Result::is_ok));
    let mut ids = Vec::new();
    let collect = |id, _| {
        ids.push(id);
        ids.len() == 50
    };
    Raw::connect(&admin).await.take("tiltyard.match-results", collect).await;
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 50);
}

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn operators_recognise_connections_and_queues() {
    let ground = Ground::rabbitmq(Bounds::default());
    let (instance, one) = ground.join("one").await;
    let mut commands = one.bus.serve(Serve::Commands).unwrap();
    opened(&mut commands).await;
    let connections = ctl_beside(&["list_connections", "client_properties"]).await;
    for purpose in ["publish", "consume"] {
        assert!(connections.contains(&format!("tiltyard {instance} {purpose}")), "{connections}");
    }
    let queues = ctl_beside(&["list_queues", "-p", "tiltyard", "name"]).await;
    let ours: Vec<_> =
        queues.lines().filter(|name| name.starts_with(&format!("tiltyard.instance.{instance}."))).collect();
    assert_eq!(ours.len(), 2, "{ours:?}");
    // Nothing of it is left when the bus is dropped.
    drop((commands, one));
    soon(async { while ctl_beside(&["list_connections", "client_properties"]).await.contains(instance.as_str()) {} })
        .await;
    assert!(!ctl_beside(&["list_queues", "-p", "tiltyard", "name"]).await.contains(instance.as_str()));
}

/// The figures of bench/RESULTS.md: `-- --nocapture` shows them.
#[tokio::test]
#[expect(clippy::print_stderr, reason = "the figures are what it is for")]
#[ignore = "needs a broker: make test-broker"]
async fn confirms_are_fast() {
    let ground = Ground::rabbitmq(Bounds::default());
    let (_, one) = ground.join("one").await;
    let inbox = new_inbox();
    let mut letters = one.bus.claim(inbox.clone()).unwrap();
    opened(&mut letters).await;
    let began = Instant::now();
    let sent = (0..1000_u32).map(|number| one.bus.publish(Address::Inbox(inbox.clone()), Payload::of(&number)));
    assert!(soon(join_all(sent)).await.iter().all(Result::is_ok));
    let confirmed = began.elapsed();
    for _ in 0..1000 {
        next(&mut letters).await.open::<u32>().unwrap().1.ack();
    }
    let acknowledged = began.elapsed();
    let began = Instant::now();
    let sent =
        (0..1000_u32).map(|number| one.bus.publish(Address::Event(Topic::Lobby, key(&["fast"])), Payload::of(&number)));
    assert!(soon(join_all(sent)).await.iter().all(Result::is_ok));
    let events = began.elapsed();
    let began = Instant::now();
    for number in 0..100 {
        post(&*one.bus, &inbox, number).await;
    }
    let one_by_one = began.elapsed() / 100;
    eprintln!("1,000 letters confirmed in {confirmed:?}, acknowledged after {acknowledged:?}");
    eprintln!("1,000 events confirmed in {events:?}; a letter alone in {one_by_one:?}");
}
