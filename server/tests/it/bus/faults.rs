//! A broker that lacks memory, stops, freezes. All who use a broker would suffer, so the test gets one of its own: it runs
//! itself again under rabbitmq/with-broker.

use std::{
    env, fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use tiltyard_server::bus::{Address, Bounds, BusError, Link, Payload, Serve, State, Topic};

use crate::bus::{ground::*, raw::ctl_beside};

/// Set in the second run.
const OWN_BROKER: &str = "TILTYARD_TEST_OWN_BROKER";
/// Two heartbeats missed end a connection: 4 s with the URL of this test.
const LONGER_THAN_HEARTBEATS: Duration = Duration::from_secs(7);
/// An attempt to connect is given up after 10 s.
const LONGER_THAN_AN_ATTEMPT: Duration = Duration::from_secs(12);

#[test]
#[ignore = "needs a broker: make test-broker"]
fn a_broker_may_be_blocked_stopped_or_frozen() {
    if env::var_os(OWN_BROKER).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(everything());
    }
    let with_broker = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../rabbitmq/with-broker");
    let mut again = Command::new(with_broker);
    again.arg(env::current_exe().unwrap()).args([
        "--ignored",
        "--exact",
        "bus::faults::a_broker_may_be_blocked_stopped_or_frozen",
    ]);
    let output = again.env_remove("AMQP_URL").env(OWN_BROKER, "1").output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

async fn everything() {
    let url = env::var("AMQP_URL").unwrap() + "?heartbeat=2";
    let ground = Ground::RabbitMq { url, bounds: Bounds::default() };
    let (_, mut one) = ground.join("one").await;
    let inbox = new_inbox();
    let mut events = one.bus.serve(Serve::Events(vec![lobby(&["fault"])])).unwrap();
    let mut letters = one.bus.claim(inbox.clone()).unwrap();
    opened(&mut events).await;
    opened(&mut letters).await;

    blocked(&mut one).await;
    post(&*one.bus, &inbox, 1).await;
    next(&mut letters).await.open::<u32>().unwrap().1.ack();

    ctl_beside(&["stop_app"]).await;
    until(&mut one, |state| matches!(state, State::Away(_))).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    ctl_beside(&["start_app"]).await;
    let began = Instant::now();
    until(&mut one, |state| *state == State::Up).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    opened(&mut events).await;

    frozen(&mut one).await;
    opened(&mut events).await;
    soon(one.bus.publish(Address::Event(Topic::Lobby, key(&["fault"])), Payload::of(&7_u32))).await.unwrap();
    assert_eq!(next(&mut events).await.open::<u32>().unwrap().0, 7);
    post(&*one.bus, &inbox, 2).await;
    // The acknowledgement of the first may have been lost with its connection.
    while next(&mut letters).await.open::<u32>().unwrap().0 != 2 {}
    // Every attempt that the frozen broker never answered took a thread, and gives it back.
    soon(async {
        while connection_threads() > 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

/// Without memory the broker reads nothing, and the connections last.
async fn blocked(one: &mut Link) {
    let event = || one.bus.publish(Address::Event(Topic::Lobby, key(&["nobody"])), Payload::of(&1_u32));
    ctl_beside(&["set_vm_memory_high_watermark", "absolute", "1MB"]).await;
    let began = Instant::now();
    let blocked = async {
        while *one.state.borrow() != State::Blocked {
            // The broker says so only to those who publish; these may have been too late.
            let outcome = event().await;
            assert!(matches!(outcome, Ok(()) | Err(BusError::Unconfirmed | BusError::Away)), "{outcome:?}");
            // What fails at once would leave the session no turn to come back.
            tokio::task::yield_now().await;
        }
    };
    soon(blocked).await;
    while began.elapsed() < LONGER_THAN_HEARTBEATS {
        assert_eq!(event().await, Err(BusError::Away));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(one.counts.disconnected.get(), 0);
    ctl_beside(&["set_vm_memory_high_watermark", "0.4"]).await;
    until(one, |state| *state == State::Up).await;
    assert_eq!(one.counts.disconnected.get(), 0);
    soon(one.bus.publish(Address::Event(Topic::Lobby, key(&["nobody"])), Payload::of(&1_u32))).await.unwrap();
}

/// A frozen broker accepts connections and never answers.
async fn frozen(one: &mut Link) {
    let process = ctl_beside(&["eval", "list_to_integer(os:getpid())."]).await;
    let signal = |name: &str| assert!(Command::new("kill").args([name, process.trim()]).status().unwrap().success());
    signal("-STOP");
    until(one, |state| matches!(state, State::Away(_))).await;
    tokio::time::sleep(LONGER_THAN_AN_ATTEMPT).await;
    signal("-CONT");
    until(one, |state| *state == State::Up).await;
}

async fn until(link: &mut Link, wanted: impl FnMut(&State) -> bool) {
    tokio::time::timeout(3 * PATIENCE, link.state.wait_for(wanted)).await.expect("in time").unwrap();
}

/// The threads of all connections that there are.
fn connection_threads() -> usize {
    let names = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    names.filter(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.contains("io-loop"))).count()
}
