//! The outbox by itself: what goes together, what is said again, and what comes back.

use uuid::Uuid;

use super::*;
use crate::{
    instance::instance,
    matchmaking::{
        MatchId, TicketId,
        proposals::{Go, Reservation},
    },
};

const ONE: InstanceId = instance("i1");
const OTHER: InstanceId = instance("i2");

fn at(millis: u64) -> Duration {
    Duration::from_millis(100_000 + millis)
}

fn id(number: u128) -> MatchId {
    MatchId(Uuid::from_u128(number))
}

fn release(number: u128) -> Message {
    Message::Home(ToHome::Release { id: id(number) })
}

fn agree(number: u128, tickets: usize) -> Message {
    let tickets = vec![TicketId(Uuid::nil()); tickets];
    Message::Home(ToHome::Agree { id: id(number), matchmaker: OTHER, tickets })
}

fn go(number: u128) -> Message {
    Message::Home(ToHome::Go(Go { id: id(number), host: OTHER, reservation: Reservation(1), tickets: Vec::new() }))
}

fn batch(outbox: &mut Outbox, millis: u64) -> Option<(InstanceId, Vec<Message>)> {
    let (to, said) = outbox.next(at(millis))?;
    Some((to, said.into_iter().map(|said| said.message).collect()))
}

#[test]
fn one_batch_is_under_way_and_what_is_said_meanwhile_goes_with_the_next() {
    let mut outbox = Outbox::default();
    assert_eq!(outbox.say(at(0), ONE, release(1)), None);
    assert_eq!(batch(&mut outbox, 0), Some((ONE, vec![release(1)])));
    for number in 2..=4 {
        outbox.say(at(number), ONE, release(number.into()));
    }
    outbox.say(at(5), OTHER, release(5));
    assert_eq!(batch(&mut outbox, 5), Some((OTHER, vec![release(5)])), "others do not wait for it");
    assert_eq!(batch(&mut outbox, 6), None);
    assert_eq!(outbox.settle(at(10), ONE, Outcome::Taken), []);
    let (to, said) = outbox.next(at(10)).expect("three wait");
    let ages: Vec<_> = said.iter().map(|said| said.age.as_millis()).collect();
    assert_eq!((to, ages), (ONE, vec![8, 7, 6]));
    outbox.settle(at(11), ONE, Outcome::Taken);
    outbox.settle(at(11), OTHER, Outcome::Taken);
    assert_eq!(outbox.run_out(at(60_000)), []);
    assert!(outbox.0.is_empty());
}

#[test]
fn what_was_not_taken_is_said_again_in_its_order() {
    let mut outbox = Outbox::default();
    outbox.say(at(0), ONE, release(1));
    batch(&mut outbox, 0);
    outbox.say(at(1), ONE, release(2));
    assert_eq!(outbox.settle(at(2), ONE, Outcome::NotTaken), []);
    assert_eq!(batch(&mut outbox, 101), None, "a full queue is given time");
    assert_eq!(batch(&mut outbox, 102), Some((ONE, vec![release(1), release(2)])));
}

#[test]
fn what_nobody_waits_for_comes_back_each_after_its_time() {
    let mut outbox = Outbox::default();
    for message in [agree(1, 1), go(2), release(3)] {
        outbox.say(at(0), ONE, message);
    }
    batch(&mut outbox, 0);
    assert_eq!(outbox.run_out(at(2_500)), [], "it is under way, and may yet be taken");
    assert_eq!(outbox.settle(at(2_500), ONE, Outcome::NotTaken), [agree(1, 1)]);
    assert_eq!(outbox.run_out(at(2_999)), []);
    assert_eq!(outbox.run_out(at(3_000)), [(ONE, go(2))]);
    assert_eq!(batch(&mut outbox, 3_000), Some((ONE, vec![release(3)])));
    assert_eq!(outbox.settle(at(10_000), ONE, Outcome::NotTaken), [release(3)]);
    assert_eq!(batch(&mut outbox, 20_000), None);
}

#[test]
fn where_nobody_is_questions_come_back_at_once_and_the_rest_is_said_again() {
    let mut outbox = Outbox::default();
    for message in [agree(1, 1), go(2)] {
        outbox.say(at(0), ONE, message);
    }
    batch(&mut outbox, 0);
    outbox.say(at(1), ONE, agree(3, 1));
    assert_eq!(outbox.settle(at(2), ONE, Outcome::Nobody), [agree(1, 1), agree(3, 1)]);
    assert_eq!(batch(&mut outbox, 102), Some((ONE, vec![go(2)])), "its connection may be back by then");
}

#[test]
fn a_batch_is_no_larger_than_a_payload_and_takes_what_is_large_alone() {
    let mut outbox = Outbox::default();
    outbox.say(at(0), ONE, agree(1, 2_000));
    for number in 2..1_000 {
        outbox.say(at(0), ONE, agree(number, 10));
    }
    let mut sizes = Vec::new();
    while let Some((_, said)) = outbox.next(at(0)) {
        sizes.push(said.len());
        assert!(said.len() == 1 || packed::pack(&said).len() <= BATCH_BYTES + 40 * said.len());
        outbox.settle(at(0), ONE, Outcome::Taken);
    }
    assert_eq!((sizes[0], sizes.iter().sum::<usize>()), (1, 999));
    assert!(sizes.len() < 20, "{sizes:?}");
}

#[test]
fn beyond_what_may_wait_it_comes_back() {
    let mut outbox = Outbox::default();
    for number in 0..WAITING as u128 {
        assert_eq!(outbox.say(at(0), ONE, release(number)), None);
    }
    assert_eq!(outbox.say(at(0), ONE, release(7)), Some(release(7)));
    assert_eq!(outbox.say(at(0), OTHER, release(7)), None);
}
