//! Events, and requests with their replies.

use std::time::Duration;

use futures_util::future::join_all;
use tiltyard_server::bus::{Address, Bounds, BusError, InstanceId, Payload, Serve, State, Topic};

use crate::bus::ground::*;

fn bounds() -> Bounds {
    Bounds::default()
}

crate::on_both_buses!(
    an_event_reaches_every_mailbox_whose_pattern_fits,
    events_of_a_sender_keep_their_order,
    an_event_for_nobody_is_no_error,
    a_request_gets_its_reply,
    many_requests_get_each_its_own_reply,
    a_request_to_nobody_fails_fast,
    pipelined_publishes_know_which_of_them_came_back,
    pipelined_requests_know_which_of_them_came_back,
    a_command_after_its_deadline_is_dropped,
    commands_are_served_by_one_mailbox_at_a_time,
    payloads_have_a_limit,
);

async fn an_event_reaches_every_mailbox_whose_pattern_fits(ground: Ground) {
    let (_, one) = ground.join("one").await;
    let (_, two) = ground.join("two").await;
    let game = new_name("game");
    let mut own = one.bus.serve(Serve::Events(vec![lobby(&["room", "*", &game, "#"])])).unwrap();
    let mut both = two.bus.serve(Serve::Events(vec![lobby(&["room", "opened", &game, "*"]), lobby(&[&game])])).unwrap();
    let mut cluster = two.bus.serve(Serve::Events(vec![(Topic::Cluster, lobby(&["#", &game, "#"]).1)])).unwrap();
    for mailbox in [&mut own, &mut both, &mut cluster] {
        opened(mailbox).await;
    }
    for (words, number) in [(vec!["room", "opened", &game, "eu"], 1_u32), (vec!["room", "closed", &game, "eu"], 2)] {
        let to = Address::Event(Topic::Lobby, key(&words));
        soon(one.bus.publish(to, Payload::of(&number))).await.unwrap();
    }
    soon(one.bus.publish(Address::Event(Topic::Lobby, key(&[&game])), Payload::of(&3_u32))).await.unwrap();
    let first = next(&mut own).await;
    assert_eq!(first.key(), format!("room.opened.{game}.eu"));
    assert_eq!(first.open::<u32>().unwrap().0, 1);
    assert_eq!(next(&mut own).await.open::<u32>().unwrap().0, 2);
    assert_eq!(next(&mut both).await.open::<u32>().unwrap().0, 1);
    assert_eq!(next(&mut both).await.open::<u32>().unwrap().0, 3);
    for mailbox in [&mut own, &mut both, &mut cluster] {
        nothing(mailbox).await;
    }
}

async fn events_of_a_sender_keep_their_order(ground: Ground) {
    let (_, one) = ground.join("one").await;
    let name = new_name("game");
    let mut mailbox = one.bus.serve(Serve::Events(vec![lobby(&[&name])])).unwrap();
    opened(&mut mailbox).await;
    let sent =
        (0..600_u32).map(|number| one.bus.publish(Address::Event(Topic::Lobby, key(&[&name])), Payload::of(&number)));
    assert!(soon(join_all(sent)).await.iter().all(Result::is_ok));
    for number in 0..600 {
        assert_eq!(next(&mut mailbox).await.open::<u32>().unwrap().0, number);
    }
    assert_eq!((one.counts.confirmed.get(), one.counts.delivered.get()), (600, 600));
}

async fn an_event_for_nobody_is_no_error(ground: Ground) {
    let (_, one) = ground.join("one").await;
    soon(one.bus.publish(Address::Event(Topic::Cluster, key(&[&new_name("nobody")])), Payload::of(&1_u32)))
        .await
        .unwrap();
    assert_eq!(one.counts.returned.get(), 0);
    assert_eq!(*one.state.borrow(), State::Up);
}

async fn a_request_gets_its_reply(ground: Ground) {
    let (_, asking) = ground.join("asking").await;
    let (target, serving) = ground.join("serving").await;
    let mut commands = serving.bus.serve(Serve::Commands).unwrap();
    opened(&mut commands).await;
    let request = asking.bus.request(&target, Payload::of("seats"), PATIENCE);
    let serve = async {
        let (command, receipt) = next(&mut commands).await.open::<String>().unwrap();
        assert_eq!(command, "seats");
        receipt.reply(Payload::of(&4_u32));
    };
    let (reply, ()) = tokio::join!(request, serve);
    assert_eq!(reply.unwrap().read(), Ok(4_u32));
}

async fn many_requests_get_each_its_own_reply(ground: Ground) {
    let (_, asking) = ground.join("asking").await;
    let (target, serving) = ground.join("serving").await;
    let mut commands = serving.bus.serve(Serve::Commands).unwrap();
    opened(&mut commands).await;
    let requests = (0..500_u32).map(|number| asking.bus.request(&target, Payload::of(&number), PATIENCE));
    let serve = async {
        let mut late = Vec::new();
        for _ in 0..500 {
            late.push(next(&mut commands).await.open::<u32>().unwrap());
            if late.len() > 7 {
                let (number, receipt) = late.swap_remove(3);
                receipt.reply(Payload::of(&(number + 1)));
            }
        }
        late.into_iter().for_each(|(number, receipt)| receipt.reply(Payload::of(&(number + 1))));
    };
    let (replies, ()) = tokio::join!(soon(join_all(requests)), serve);
    for (number, reply) in replies.into_iter().enumerate() {
        assert_eq!(reply.unwrap().read::<u32>().unwrap() as usize, number + 1);
    }
}

async fn a_request_to_nobody_fails_fast(ground: Ground) {
    let (_, asking) = ground.join("asking").await;
    let (silent, _serves_nothing) = ground.join("silent").await;
    for target in [InstanceId::new(&new_name("nobody")).unwrap(), silent] {
        let reply = soon(asking.bus.request(&target, Payload::of(&1_u32), 10 * PATIENCE)).await;
        assert_eq!(reply, Err(BusError::Unroutable));
    }
    assert_eq!(asking.counts.returned.get(), 2);
}

async fn pipelined_publishes_know_which_of_them_came_back(ground: Ground) {
    let (_, one) = ground.join("one").await;
    let inbox = new_inbox();
    let mut letters = one.bus.claim(inbox.clone()).unwrap();
    opened(&mut letters).await;
    for _ in 0..10 {
        let to = |number: u32| if number.is_multiple_of(3) { new_inbox() } else { inbox.clone() };
        let sent = (0..100_u32).map(|number| one.bus.publish(Address::Inbox(to(number)), Payload::of(&number)));
        for (number, outcome) in soon(join_all(sent)).await.into_iter().enumerate() {
            let expected = if number.is_multiple_of(3) { Err(BusError::Unroutable) } else { Ok(()) };
            assert_eq!(outcome, expected, "{number}");
        }
        for number in (0..100_u32).filter(|number| !number.is_multiple_of(3)) {
            let (got, receipt) = next(&mut letters).await.open::<u32>().unwrap();
            assert_eq!(got, number);
            receipt.ack();
        }
    }
    assert_eq!((one.counts.confirmed.get(), one.counts.returned.get()), (660, 340));
}

async fn pipelined_requests_know_which_of_them_came_back(ground: Ground) {
    let (_, asking) = ground.join("asking").await;
    let (target, serving) = ground.join("serving").await;
    let mut commands = serving.bus.serve(Serve::Commands).unwrap();
    opened(&mut commands).await;
    let nobody = InstanceId::new(&new_name("nobody")).unwrap();
    let to = |number: u32| if number.is_multiple_of(3) { &nobody } else { &target };
    let requests = (0..100_u32).map(|number| asking.bus.request(to(number), Payload::of(&number), PATIENCE));
    let serve = async {
        for _ in 0..66 {
            let (number, receipt) = next(&mut commands).await.open::<u32>().unwrap();
            receipt.reply(Payload::of(&number));
        }
    };
    let (replies, ()) = tokio::join!(soon(join_all(requests)), serve);
    for (number, reply) in (0_u32..).zip(replies) {
        let expected = if number.is_multiple_of(3) { Err(BusError::Unroutable) } else { Ok(Payload::of(&number)) };
        assert_eq!(reply, expected);
    }
}

async fn a_command_after_its_deadline_is_dropped(ground: Ground) {
    let (_, asking) = ground.join("asking").await;
    let (target, serving) = ground.join("serving").await;
    let mut commands = serving.bus.serve(Serve::Commands).unwrap();
    opened(&mut commands).await;
    let reply = asking.bus.request(&target, Payload::of("late"), Duration::from_millis(100)).await;
    assert_eq!(reply, Err(BusError::Late));
    let request = asking.bus.request(&target, Payload::of("in time"), PATIENCE);
    let serve = async {
        let (command, receipt) = next(&mut commands).await.open::<String>().unwrap();
        assert_eq!(command, "in time");
        receipt.reply(Payload::of(&()));
    };
    let (reply, ()) = tokio::join!(request, serve);
    assert!(reply.is_ok());
    assert_eq!((serving.counts.expired.get(), asking.counts.late.get()), (1, 1));
}

async fn commands_are_served_by_one_mailbox_at_a_time(ground: Ground) {
    let (instance, one) = ground.join("one").await;
    let mut first = one.bus.serve(Serve::Commands).unwrap();
    opened(&mut first).await;
    assert_eq!(one.bus.serve(Serve::Commands).unwrap_err(), BusError::Full);
    drop(first);
    // Nobody serves commands any more, until somebody does again.
    let ask = || one.bus.request(&instance, Payload::of(&1_u32), A_MOMENT);
    soon(async { while ask().await != Err(BusError::Unroutable) {} }).await;
    let mut second = one.bus.serve(Serve::Commands).unwrap();
    opened(&mut second).await;
    let serve = async { next(&mut second).await.open::<u32>().unwrap().1.reply(Payload::of(&2_u32)) };
    let (reply, ()) = tokio::join!(one.bus.request(&instance, Payload::of(&1_u32), PATIENCE), serve);
    assert_eq!(reply, Ok(Payload::of(&2_u32)));
}

async fn payloads_have_a_limit(ground: Ground) {
    let (target, one) = ground.join("one").await;
    let large = Payload::from_bytes(vec![1; tiltyard_server::bus::PAYLOAD_BYTES + 1]);
    let to = Address::Event(Topic::Lobby, key(&["large"]));
    assert_eq!(one.bus.publish(to, large.clone()).await, Err(BusError::TooLarge));
    assert_eq!(one.bus.request(&target, large, PATIENCE).await, Err(BusError::TooLarge));
}
