//! What a broker may lack, and a queue that hangs: nobody else is to notice.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tiltyard_server::bus::{Address, Bounds, BusError, InstanceId, Payload, Serve, Topic, rabbitmq, topology::QUEUES};

use crate::bus::{
    ground::*,
    raw::{Raw, ctl, ctl_beside},
};

/// A vhost of its own, in which the server's user has its rights and the operator's queues are missing.
pub(crate) struct Bare {
    name: String,
    /// For the server's user.
    pub(crate) url: String,
    /// For an administrator.
    pub(crate) admin: String,
}

impl Bare {
    pub(crate) async fn new() -> Self {
        let name = new_name("bare");
        ctl(&["add_vhost", &name]);
        ctl(&["set_permissions", "-p", &name, "admin", ".*", ".*", ".*"]);
        let rights = ctl(&["list_user_permissions", "tiltyard"]);
        let rights = rights.lines().find(|line| line.starts_with("tiltyard\t")).unwrap();
        let rights: Vec<_> = rights.split('\t').skip(1).map(|right| right.replace("\\\\", "\\")).collect();
        ctl(&["set_permissions", "-p", &name, "tiltyard", &rights[0], &rights[1], &rights[2]]);
        let url = |variable| format!("{}/{name}", broker(variable).rsplit_once('/').unwrap().0);
        let bare = Self { url: url("AMQP_URL"), admin: url("AMQP_ADMIN_URL"), name };
        bare.declare().await;
        for queue in QUEUES {
            ctl(&["delete_queue", "-p", &bare.name, queue.name]);
        }
        bare
    }

    /// Creates everything that is missing, as a server does whose user may.
    pub(crate) async fn declare(&self) {
        let config = rabbitmq::Config {
            url: self.admin.clone(),
            instance: InstanceId::new(&new_name("admin")).unwrap(),
            bounds: Bounds::default(),
        };
        rabbitmq::open(config).unwrap().first_attempt().await.unwrap();
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        ctl(&["delete_vhost", &self.name]);
    }
}

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn a_session_does_not_depend_on_the_operators_queues() {
    let bare = Bare::new().await;
    let ground = Ground::RabbitMq { url: bare.url.clone(), bounds: Bounds::default() };
    let (_, one) = ground.join("one").await;
    let mut events = one.bus.serve(Serve::Events(vec![lobby(&["#"])])).unwrap();
    opened(&mut events).await;
    let result = || one.bus.publish(Address::Result(key(&["arena", "eu"])), Payload::of(&1_u32));
    assert_eq!(soon(result()).await, Err(BusError::Unroutable));
    // A dead letter goes nowhere, is counted, and does not come again.
    Raw::connect(&bare.admin).await.publish("tiltyard.lobby", "nonsense", b"").await;
    soon(one.bus.publish(Address::Event(Topic::Lobby, key(&["after"])), Payload::of(&2_u32))).await.unwrap();
    assert_eq!(next(&mut events).await.open::<u32>().unwrap().0, 2);
    soon(async {
        while one.counts.unburied.get() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    bare.declare().await;
    soon(result()).await.unwrap();
    assert_eq!((one.counts.unburied.get(), one.counts.disconnected.get()), (1, 0));
}

/// A queue hangs where its node does, until the cluster has given the node up.
#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn a_queue_that_hangs_delays_nothing_that_goes_elsewhere() {
    let ground = Ground::rabbitmq(Bounds::default());
    let (_, one) = ground.join("one").await;
    let (hanging, two) = ground.join("two").await;
    let name = new_name("game");
    let mut own = one.bus.serve(Serve::Events(vec![lobby(&[&name, "#"])])).unwrap();
    let mut both = two.bus.serve(Serve::Events(vec![lobby(&[&name, "both"])])).unwrap();
    opened(&mut own).await;
    opened(&mut both).await;
    let queues = ctl_beside(&["list_queues", "-p", "tiltyard", "name"]).await;
    let stem = format!("tiltyard.instance.{hanging}.");
    let queue = queues.lines().find(|queue| queue.starts_with(&stem) && queue.contains(".events-")).unwrap();
    let lookup = format!("{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"tiltyard\">>, queue, <<\"{queue}\">>))");
    ctl_beside(&["eval", &format!("{lookup}, sys:suspend(amqqueue:get_pid(Q)).")]).await;
    let publish = |word: &str, number: u32| {
        one.bus.publish(Address::Event(Topic::Lobby, key(&[&name, word])), Payload::of(&number))
    };
    let (late, began) = (publish("both", 0), Instant::now());
    let others = async {
        for number in 1..=20 {
            publish("own", number).await.unwrap();
        }
        began.elapsed()
    };
    let (late, took) = tokio::join!(late, others);
    // Of the first the caller gives up after 5 s; the others lose a second once.
    assert_eq!(late, Err(BusError::Unconfirmed));
    assert!(took < Duration::from_secs(4), "{took:?}");
    for number in 0..=20 {
        assert_eq!(next(&mut own).await.open::<u32>().unwrap().0, number);
    }
    ctl_beside(&["eval", &format!("{lookup}, sys:resume(amqqueue:get_pid(Q)).")]).await;
    assert_eq!(next(&mut both).await.open::<u32>().unwrap().0, 0);
    let all = soon(join_all((21..=40).map(|number| publish("both", number)))).await;
    assert!(all.iter().all(Result::is_ok) && one.counts.disconnected.get() == 0);
}
