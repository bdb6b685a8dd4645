//! Inboxes: acknowledged by hand, given again, given to another, dead-lettered.

use tiltyard_server::bus::{Address, Bounds, BusError, Incoming, Payload, SCHEMA, Serve, Topic};

use crate::bus::ground::*;

fn bounds() -> Bounds {
    let mut bounds = Bounds::default();
    bounds.prefetch = 5;
    bounds
}

crate::on_both_buses!(
    no_more_letters_are_out_than_the_prefetch,
    a_letter_put_back_or_dropped_comes_again,
    letters_wait_for_a_claim,
    unsettled_letters_go_to_the_standby,
    a_receipt_of_a_dropped_mailbox_settles_nothing,
    what_is_no_message_is_dead_lettered_and_stops_nothing,
    events_and_commands_that_are_no_messages_are_dead_lettered,
    what_a_newer_instance_says_is_read_or_passed_over,
);

async fn no_more_letters_are_out_than_the_prefetch(ground: Ground) {
    let (_, one) = ground.join("one").await;
    let inbox = new_inbox();
    let mut letters = one.bus.claim(inbox.clone()).unwrap();
    opened(&mut letters).await;
    for number in 0..8 {
        post(&*one.bus, &inbox, number).await;
    }
    let mut out = Vec::new();
    for number in 0..5 {
        let (got, receipt) = next(&mut letters).await.open::<u32>().unwrap();
        assert_eq!(got, number);
        out.push(receipt);
    }
    nothing(&mut letters).await;
    out.remove(2).ack();
    assert_eq!(next(&mut letters).await.open::<u32>().unwrap().0, 5);
}

async fn a_letter_put_back_or_dropped_comes_again(ground: Ground) {
    let (_, one) = ground.join("one").await;
    let inbox = new_inbox();
    let mut letters = one.bus.claim(inbox.clone()).unwrap();
    opened(&mut letters).await;
    post(&*one.bus, &inbox, 7).await;
    let first = next(&mut letters).await;
    assert!(!first.redelivered());
    first.open::<u32>().unwrap().1.requeue();
    let second = next(&mut letters).await;
    assert!(second.redelivered());
    drop(second);
    let third = next(&mut letters).await;
    assert!(third.redelivered());
    third.open::<u32>().unwrap().1.ack();
    nothing(&mut letters).await;
    assert_eq!((one.counts.delivered.get(), one.counts.redelivered.get()), (3, 2));
}

async fn letters_wait_for_a_claim(ground: Ground) {
    let (_, one) = ground.join("one").await;
    let inbox = new_inbox();
    let mut first = one.bus.claim(inbox.clone()).unwrap();
    opened(&mut first).await;
    drop(first);
    for number in 0..3 {
        post(&*one.bus, &inbox, number).await;
    }
    let mut second = one.bus.claim(inbox).unwrap();
    for number in 0..3 {
        let (got, receipt) = next(&mut second).await.open::<u32>().unwrap();
        assert_eq!(got, number);
        receipt.ack();
    }
}

async fn unsettled_letters_go_to_the_standby(ground: Ground) {
    let (_, one) = ground.join("one").await;
    let (_, two) = ground.join("two").await;
    let inbox = new_inbox();
    let mut active = one.bus.claim(inbox.clone()).unwrap();
    opened(&mut active).await;
    let mut standby = two.bus.claim(inbox.clone()).unwrap();
    for number in 0..10 {
        post(&*one.bus, &inbox, number).await;
    }
    let mut out = Vec::new();
    for _ in 0..4 {
        out.push(next(&mut active).await.open::<u32>().unwrap());
    }
    out.remove(1).1.ack();
    nothing(&mut standby).await;
    // Its letters are out, its process is gone.
    drop((active, one));
    let mut got = Vec::new();
    for _ in 0..9 {
        let letter = next(&mut standby).await;
        let redelivered = letter.redelivered();
        let (number, receipt) = letter.open::<u32>().unwrap();
        // Whether those that were on their way to the active one count as delivered is the broker's affair.
        assert!(redelivered || ![0, 2, 3].contains(&number));
        got.push(number);
        receipt.ack();
    }
    nothing(&mut standby).await;
    got.sort_unstable();
    assert_eq!(got, [0, 2, 3, 4, 5, 6, 7, 8, 9]);
}

async fn a_receipt_of_a_dropped_mailbox_settles_nothing(ground: Ground) {
    let (_, one) = ground.join("one").await;
    let inbox = new_inbox();
    let mut letters = one.bus.claim(inbox.clone()).unwrap();
    opened(&mut letters).await;
    post(&*one.bus, &inbox, 7).await;
    let (_, receipt) = next(&mut letters).await.open::<u32>().unwrap();
    drop(letters);
    let mut again = one.bus.claim(inbox).unwrap();
    let letter = next(&mut again).await;
    assert!(letter.redelivered());
    receipt.ack();
    assert_eq!(letter.open::<u32>().unwrap().0, 7);
}

async fn what_is_no_message_is_dead_lettered_and_stops_nothing(ground: Ground) {
    let mut graveyard = ground.graveyard().await;
    let (_, one) = ground.join("one").await;
    let inbox = new_inbox();
    let mut letters = one.bus.claim(inbox.clone()).unwrap();
    opened(&mut letters).await;
    for bad in [vec![], vec![99, 1, 2], vec![2, 0, 1, 0, 0xc1]] {
        soon(one.bus.publish(Address::Inbox(inbox.clone()), Payload::from_bytes(bad))).await.unwrap();
    }
    post(&*one.bus, &inbox, 7).await;
    post(&*one.bus, &inbox, 8).await;
    assert!(next(&mut letters).await.open::<u32>().is_none(), "malformed for who expects a number");
    let (number, receipt) = next(&mut letters).await.open::<u32>().unwrap();
    assert_eq!(number, 7);
    receipt.dead("no such game");
    assert_eq!(next(&mut letters).await.open::<u32>().unwrap().0, 8);
    let reasons = graveyard.reasons(inbox.as_str(), 4).await;
    assert_eq!(reasons, ["malformed", "malformed", "no such game", "unknown version"]);
    let counts = &one.counts;
    assert_eq!((counts.malformed.get(), counts.unknown_version.get(), counts.rejected.get()), (2, 1, 1));
}

async fn events_and_commands_that_are_no_messages_are_dead_lettered(ground: Ground) {
    let mut graveyard = ground.graveyard().await;
    let (instance, one) = ground.join("one").await;
    let name = new_name("game");
    let mut events = one.bus.serve(Serve::Events(vec![lobby(&[&name])])).unwrap();
    let mut commands = one.bus.serve(Serve::Commands).unwrap();
    opened(&mut events).await;
    opened(&mut commands).await;
    let to = Address::Event(Topic::Lobby, key(&[&name]));
    soon(one.bus.publish(to.clone(), Payload::from_bytes(vec![99]))).await.unwrap();
    soon(one.bus.publish(to, Payload::of(&1_u32))).await.unwrap();
    assert_eq!(next(&mut events).await.open::<u32>().unwrap().0, 1);
    let asked = one.bus.request(&instance, Payload::from_bytes(vec![99]), A_MOMENT);
    let (asked, got) = tokio::join!(asked, tokio::time::timeout(A_MOMENT, commands.next()));
    assert!(asked.is_err() && !matches!(got, Ok(Some(Incoming::Delivery(_)))));
    assert_eq!(graveyard.reasons(&name, 1).await, ["unknown version"]);
    assert_eq!(graveyard.reasons(instance.as_str(), 1).await, ["unknown version"]);
}

async fn what_a_newer_instance_says_is_read_or_passed_over(ground: Ground) {
    let mut graveyard = ground.graveyard().await;
    let (instance, one) = ground.join("one").await;
    let (name, inbox) = (new_name("game"), new_inbox());
    let mut events = one.bus.serve(Serve::Events(vec![lobby(&[&name])])).unwrap();
    let mut commands = one.bus.serve(Serve::Commands).unwrap();
    let mut letters = one.bus.claim(inbox.clone()).unwrap();
    for mailbox in [&mut events, &mut commands, &mut letters] {
        opened(mailbox).await;
    }
    let event = Address::Event(Topic::Lobby, key(&[&name]));
    let of_a_kind_unknown_here = newer(&"something new");
    for (to, mailbox) in [(event, &mut events), (Address::Inbox(inbox.clone()), &mut letters)] {
        for payload in [of_a_kind_unknown_here.clone(), newer(&7_u32)] {
            soon(one.bus.publish(to.clone(), payload)).await.unwrap();
        }
        assert!(next(mailbox).await.open::<u32>().is_none());
        let (number, receipt) = next(mailbox).await.open::<u32>().unwrap();
        assert_eq!(number, 7);
        receipt.ack();
    }
    // Who asks is told at once, and a reply of a newer instance is read.
    let asked = one.bus.request(&instance, of_a_kind_unknown_here, PATIENCE);
    let (reply, ()) = tokio::join!(asked, async { assert!(next(&mut commands).await.open::<u32>().is_none()) });
    assert_eq!(reply, Err(BusError::NotUnderstood));
    let asked = one.bus.request(&instance, newer(&8_u32), PATIENCE);
    let answer = async { next(&mut commands).await.open::<u32>().unwrap().1.reply(newer(&9_u32)) };
    let (reply, ()) = tokio::join!(asked, answer);
    assert_eq!(reply.unwrap().read(), Ok(9_u32));
    let counts = &one.counts;
    assert_eq!((counts.newer.get(), counts.passed_over.get(), counts.not_understood.get()), (7, 3, 1));
    // Nothing of it is a dead letter, and the letters do not come again.
    soon(one.bus.publish(Address::Inbox(inbox.clone()), Payload::from_bytes(vec![99]))).await.unwrap();
    post(&*one.bus, &inbox, 10).await;
    assert_eq!(next(&mut letters).await.open::<u32>().unwrap().0, 10);
    assert_eq!(graveyard.reasons(inbox.as_str(), 1).await, ["unknown version"]);
    assert_eq!(counts.malformed.get(), 0);
}

/// The payload of a sender that knows more than we do.
fn newer<T: serde::Serialize>(value: &T) -> Payload {
    let mut bytes = Payload::of(value).as_bytes().to_vec();
    bytes[2..4].copy_from_slice(&(SCHEMA + 1).to_le_bytes());
    Payload::from_bytes(bytes)
}
