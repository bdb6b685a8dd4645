//! Every queue is bounded, and does what its doc says when it is full.

use futures_util::future::join_all;
use tiltyard_server::bus::{Address, Bounds, BusError, Payload, Serve, Topic};
use tokio::task::JoinSet;

use crate::bus::{ground::*, raw::ctl};

fn bounds() -> Bounds {
    let mut bounds = Bounds::default();
    bounds.unconfirmed = 50;
    bounds.requests = 4;
    bounds.mailboxes = 3;
    bounds.prefetch = 1;
    bounds.events = 10;
    bounds.commands = 2;
    bounds.inbox = 10;
    bounds
}

crate::on_both_buses!(
    events_that_nobody_takes_drop_the_oldest,
    an_instance_that_takes_no_commands_refuses_more,
    a_full_inbox_refuses_letters,
    requests_without_reply_are_bounded,
    mailboxes_are_bounded,
);

async fn events_that_nobody_takes_drop_the_oldest(ground: Ground) {
    let (_, one) = ground.join("one").await;
    let name = new_name("game");
    let mut events = one.bus.serve(Serve::Events(vec![lobby(&[&name])])).unwrap();
    opened(&mut events).await;
    for number in 0..100_u32 {
        soon(one.bus.publish(Address::Event(Topic::Lobby, key(&[&name])), Payload::of(&number))).await.unwrap();
    }
    let mut got = Vec::new();
    while got.last() != Some(&99) {
        got.push(next(&mut events).await.open::<u32>().unwrap().0);
    }
    assert!((10..=12).contains(&got.len()), "{got:?}");
    assert!(got.is_sorted() && got.ends_with(&[90, 91, 92, 93, 94, 95, 96, 97, 98, 99]), "{got:?}");
    nothing(&mut events).await;
}

async fn an_instance_that_takes_no_commands_refuses_more(ground: Ground) {
    let (_, asking) = ground.join("asking").await;
    let (target, serving) = ground.join("serving").await;
    let mut commands = serving.bus.serve(Serve::Commands).unwrap();
    opened(&mut commands).await;
    let ask = |number: u32| asking.bus.request(&target, Payload::of(&number), PATIENCE);
    let serve = async {
        // One is handed out and not settled, two wait: the fourth is one too many.
        let first = next(&mut commands).await;
        let two = join_all([ask(1), ask(2)]);
        let serve = async {
            let extra = || asking.bus.request(&target, Payload::of(&9_u32), A_MOMENT);
            soon(async { while extra().await != Err(BusError::Full) {} }).await;
            first.open::<u32>().unwrap().1.reply(Payload::of(&()));
            let mut served = 1;
            while served < 3 {
                let (number, receipt) = next(&mut commands).await.open::<u32>().unwrap();
                served += u32::from(number != 9);
                receipt.reply(Payload::of(&()));
            }
        };
        let (replies, ()) = tokio::join!(soon(two), serve);
        assert!(replies.iter().all(Result::is_ok), "{replies:?}");
    };
    let (reply, ()) = tokio::join!(soon(ask(0)), serve);
    assert!(reply.is_ok(), "{reply:?}");
}

async fn a_full_inbox_refuses_letters(ground: Ground) {
    let inbox = new_inbox();
    if let Ground::RabbitMq { .. } = ground {
        // The policy of all inboxes says 10,000. RabbitMQ 3.10 refuses some letters after the limit, not exactly at it.
        let pattern = format!("^tiltyard\\.tickets\\.{}$", inbox.as_str().replace('.', "\\."));
        let policy = r#"{"max-length":10,"overflow":"reject-publish"}"#;
        ctl(&[
            "set_policy",
            "-p",
            "tiltyard",
            "--priority",
            "9",
            "--apply-to",
            "queues",
            inbox.as_str(),
            &pattern,
            policy,
        ]);
    }
    let (_, one) = ground.join("one").await;
    let mut letters = one.bus.claim(inbox.clone()).unwrap();
    opened(&mut letters).await;
    let mut taken = Vec::new();
    for number in 0..30_u32 {
        match soon(one.bus.publish(Address::Inbox(inbox.clone()), Payload::of(&number))).await {
            Ok(()) => taken.push(number),
            Err(error) => assert_eq!(error, BusError::Full),
        }
    }
    assert!((10..=20).contains(&taken.len()), "{taken:?}");
    for number in taken {
        let (got, receipt) = next(&mut letters).await.open::<u32>().unwrap();
        assert_eq!(got, number);
        receipt.ack();
    }
    let refused = one.counts.full.get();
    soon(async { while one.bus.publish(Address::Inbox(inbox.clone()), Payload::of(&99_u32)).await.is_err() {} }).await;
    assert!(refused >= 10);
}

async fn requests_without_reply_are_bounded(ground: Ground) {
    let (_, asking) = ground.join("asking").await;
    let (target, serving) = ground.join("serving").await;
    let mut commands = serving.bus.serve(Serve::Commands).unwrap();
    opened(&mut commands).await;
    let replies =
        soon(join_all((0..9_u32).map(|number| asking.bus.request(&target, Payload::of(&number), A_MOMENT)))).await;
    let full = replies.iter().filter(|reply| **reply == Err(BusError::Full)).count();
    assert!(full >= 5, "{replies:?}");
    assert_eq!(asking.counts.full.get(), full as u64);
}

async fn mailboxes_are_bounded(ground: Ground) {
    let (_, one) = ground.join("one").await;
    let claim = || one.bus.claim(new_inbox());
    let _three = [claim().unwrap(), claim().unwrap(), claim().unwrap()];
    assert_eq!(claim().unwrap_err(), BusError::Full);
    assert_eq!(one.bus.serve(Serve::Commands).unwrap_err(), BusError::Full);
}

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn publishes_beyond_the_permits_fail_at_once() {
    let ground = Ground::rabbitmq(bounds());
    let (_, one) = ground.join("one").await;
    let inbox = new_inbox();
    let mut letters = one.bus.claim(inbox.clone()).unwrap();
    opened(&mut letters).await;
    let sent =
        (0..80_u32).map(|number| one.bus.publish(Address::Event(Topic::Lobby, key(&["full"])), Payload::of(&number)));
    let outcomes = soon(join_all(sent)).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 50);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(BusError::Full)).count(), 30);
    // The other publishers have permits of their own, and these are free again.
    post(&*one.bus, &inbox, 1).await;
    soon(one.bus.publish(Address::Event(Topic::Lobby, key(&["full"])), Payload::of(&1_u32))).await.unwrap();
}

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn replies_beyond_the_permits_wait_and_none_is_lost() {
    let mut bounds = Bounds::default();
    bounds.unconfirmed = 4;
    let ground = Ground::rabbitmq(bounds);
    let (_, asking) = ground.join("asking").await;
    let (target, serving) = ground.join("serving").await;
    let mut commands = serving.bus.serve(Serve::Commands).unwrap();
    opened(&mut commands).await;
    let (mut asked, mut receipts) = (JoinSet::new(), Vec::new());
    for number in 0..100_u32 {
        let bus = asking.bus.clone();
        asked.spawn(async move { bus.request(&target, Payload::of(&number), PATIENCE).await });
        receipts.push(next(&mut commands).await.open::<u32>().unwrap().1);
    }
    receipts.into_iter().for_each(|receipt| receipt.reply(Payload::of(&())));
    let replies = soon(asked.join_all()).await;
    assert_eq!(replies.iter().filter(|reply| reply.is_ok()).count(), 100, "{replies:?}");
}
