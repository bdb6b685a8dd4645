//! The roster by itself; what comes of many of them and every fault is tested from outside (`tests/directory`).

use tiltyard_shared::protocol::lobby::RoomEntry;

use super::*;
use crate::instance::instance;

const ME: InstanceId = instance("me");
const OTHER: InstanceId = instance("other");
const SECOND: Duration = Duration::from_secs(1);

fn roster() -> Roster {
    let (region, url) = ("eu".to_owned(), "wss://me".to_owned());
    let mut roster = Roster::new(Profile { id: ME, incarnation: Incarnation(1), region, url, capacity: 10 });
    roster.connected(Duration::ZERO);
    assert_eq!(roster.take_effects(), [Effect::Hello]);
    roster
}

fn listing(room: u128, players: u32) -> Listing {
    let entry = RoomEntry {
        room: Uuid::from_u128(room),
        code: "K7M2XQ".to_owned(),
        game: "arena".to_owned(),
        title: String::new(),
        players,
        seats: 4,
        spectators: 0,
        locked: false,
        metadata: String::new(),
        flags: 0,
    };
    Listing { entry, private: false }
}

fn heartbeat(instance: InstanceId, beat: u64, number: u64, rooms: u32) -> Heartbeat {
    Heartbeat {
        instance,
        incarnation: Incarnation(1),
        beat,
        number,
        rooms,
        players: 0,
        capacity: 10,
        region: "eu".to_owned(),
        url: "wss://other".to_owned(),
        draining: false,
    }
}

fn event(number: u64, change: Change) -> RoomEvent {
    RoomEvent { instance: OTHER, incarnation: Incarnation(1), number, change }
}

fn page(number: u64, rooms: Vec<(u64, Listing)>, next: Option<u128>) -> RoomPage {
    RoomPage { incarnation: Incarnation(1), number, rooms, next: next.map(Uuid::from_u128) }
}

/// The number of the only question among the effects.
fn asked(roster: &mut Roster) -> u64 {
    let asks = roster.take_effects().into_iter().filter_map(|effect| match effect {
        Effect::Ask { to: OTHER, ask, .. } => Some(ask),
        _ => None,
    });
    let asks: Vec<_> = asks.collect();
    assert_eq!(asks.len(), 1);
    asks[0]
}

/// A roster that knows another instance with one room.
fn acquainted() -> Roster {
    let mut roster = roster();
    roster.heard(SECOND, heartbeat(OTHER, 1, 3, 1));
    let ask = asked(&mut roster);
    roster.answer(SECOND, OTHER, ask, Ok(page(3, vec![(3, listing(1, 1))], None)));
    assert!(roster.is_whole());
    roster
}

fn listed(roster: &mut Roster) -> Vec<(u128, u32)> {
    roster.directory().rooms().map(|one| (one.entry.room.as_u128(), one.entry.players)).collect()
}

fn heartbeats(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Alive(_))).count()
}

#[test]
fn a_room_is_updated_at_most_once_a_second() {
    let mut roster = roster();
    let mut updates = 0;
    for quarter in 0..41 {
        let now = SECOND / 4 * quarter;
        roster.put(now, listing(1, quarter));
        roster.tick(now);
        let is_update = |effect: &&Effect| matches!(effect, Effect::Tell(event) if event.change.name() == "updated");
        updates += roster.take_effects().iter().filter(is_update).count();
    }
    assert_eq!(updates, 10);
}

#[test]
fn heartbeats_come_every_two_seconds_and_less_often_in_a_large_fleet() {
    let mut roster = roster();
    let beats = |roster: &mut Roster, from: u32| {
        let ticks = (from * 4..(from + 12) * 4).map(|quarter| {
            roster.tick(SECOND / 4 * quarter);
            heartbeats(&roster.take_effects())
        });
        ticks.sum::<usize>()
    };
    assert_eq!(beats(&mut roster, 0), 6);
    for number in 0..99 {
        let name = InstanceId::new(&format!("i{number}")).expect("a word");
        roster.heard(12 * SECOND, heartbeat(name, 1, 0, 0));
    }
    assert_eq!(beats(&mut roster, 12), 3, "100 instances: every 4 s");
}

#[test]
fn a_gap_is_repaired_by_the_list_and_what_came_meanwhile() {
    let mut roster = acquainted();
    roster.event(SECOND, event(5, Change::Updated(listing(1, 3))));
    let first = asked(&mut roster);
    roster.event(SECOND, event(6, Change::Opened(listing(9, 0))));
    roster.event(SECOND, event(7, Change::Closed { room: Uuid::from_u128(4), game: "arena".to_owned() }));
    roster.answer(SECOND, OTHER, first, Ok(page(5, vec![(5, listing(1, 3)), (4, listing(4, 0))], Some(4))));
    let second = asked(&mut roster);
    roster.answer(SECOND, OTHER, first, Ok(page(5, Vec::new(), None)));
    assert_eq!(listed(&mut roster), [(1, 1)], "an answer twice is none");
    roster.answer(SECOND, OTHER, second, Ok(page(5, vec![(2, listing(5, 0))], None)));
    assert_eq!(listed(&mut roster), [(1, 3), (5, 0), (9, 0)]);
    roster.event(SECOND, event(6, Change::Updated(listing(9, 2))));
    assert_eq!(listed(&mut roster), [(1, 3), (5, 0), (9, 0)], "late is nothing");
}

#[test]
fn a_page_that_does_not_move_on_is_refused() {
    let mut roster = acquainted();
    roster.heard(SECOND, heartbeat(OTHER, 2, 9, 2));
    let ask = asked(&mut roster);
    roster.answer(SECOND, OTHER, ask, Ok(page(9, vec![(1, listing(4, 0))], Some(4))));
    let ask = asked(&mut roster);
    roster.answer(SECOND, OTHER, ask, Ok(page(9, vec![(1, listing(4, 0))], Some(4))));
    assert!(roster.take_effects().is_empty());
    assert_eq!(listed(&mut roster), [(1, 1)]);
    roster.tick(3 * SECOND);
    asked(&mut roster);
}

#[test]
fn who_is_silent_is_asked_and_dead_only_if_nobody_takes_the_question() {
    let mut roster = acquainted();
    roster.tick(20 * SECOND);
    let ask = asked(&mut roster);
    roster.answer(20 * SECOND, OTHER, ask, Err(Unanswered::Silent));
    roster.tick(22 * SECOND);
    let ask = asked(&mut roster);
    roster.answer(22 * SECOND, OTHER, ask, Ok(page(3, vec![(3, listing(1, 1))], None)));
    roster.tick(23 * SECOND);
    assert!(roster.take_effects().is_empty(), "a reply is a sign of life");
    assert_eq!(listed(&mut roster), [(1, 1)]);
    roster.tick(40 * SECOND);
    let ask = asked(&mut roster);
    roster.answer(40 * SECOND, OTHER, ask, Err(Unanswered::Gone));
    roster.tick(40 * SECOND);
    assert!(roster.take_effects().contains(&Effect::Lost(OTHER)));
    assert!(listed(&mut roster).is_empty());
    // A late heartbeat of the dead does not bring it back, a later one does.
    roster.heard(41 * SECOND, heartbeat(OTHER, 1, 3, 1));
    assert_eq!(roster.fleet().len(), 0);
    roster.heard(41 * SECOND, heartbeat(OTHER, 2, 3, 1));
    assert_eq!(roster.fleet().len(), 1);
}

#[test]
fn nobody_is_judged_while_the_bus_is_away() {
    let mut roster = acquainted();
    roster.gone(OTHER);
    roster.disconnected();
    roster.tick(100 * SECOND);
    assert!(roster.take_effects().is_empty(), "nobody is told anything either");
    assert_eq!((roster.fleet().len(), roster.home_of(Uuid::from_u128(1))), (1, None), "suspect, not dead");
    roster.connected(100 * SECOND);
    roster.tick(105 * SECOND);
    assert_eq!(roster.fleet().len(), 1, "it has had no three heartbeats' time");
}

#[test]
fn a_restarted_instance_has_no_rooms_of_its_former_life() {
    let mut roster = acquainted();
    let mut again = heartbeat(OTHER, 1, 0, 0);
    again.incarnation = Incarnation(2);
    roster.heard(SECOND, again);
    assert!(listed(&mut roster).is_empty());
    roster.event(SECOND, event(4, Change::Opened(listing(7, 0))));
    assert!(listed(&mut roster).is_empty(), "a word from the former life");
}

#[test]
fn a_twin_and_a_foreign_room_change_nothing() {
    let mut roster = acquainted();
    let mut twin = heartbeat(ME, 1, 0, 0);
    twin.incarnation = Incarnation(2);
    roster.heard(SECOND, twin);
    assert_eq!(roster.take_effects().last(), Some(&Effect::Twin));
    roster.put(SECOND, listing(2, 4));
    roster.event(SECOND, event(4, Change::Opened(listing(2, 0))));
    assert_eq!(listed(&mut roster), [(1, 1), (2, 4)]);
    assert!(roster.home_of(Uuid::from_u128(2)).is_none());
}

#[test]
fn the_picture_of_the_fleet_is_one_until_an_instance_changes() {
    let mut roster = acquainted();
    let before = roster.fleet().clone();
    assert!(Arc::ptr_eq(&before, roster.fleet()), "nobody makes it twice");
    assert!(before.is_open(OTHER) && !before.is_open(ME));
    assert_eq!(before.find(OTHER), before.emptiest());
    for (beat, change) in [
        (2, Heartbeat { draining: true, ..heartbeat(OTHER, 2, 3, 1) }),
        (4, Heartbeat { players: 10, ..heartbeat(OTHER, 4, 3, 1) }),
        (6, Heartbeat { region: "us".to_owned(), ..heartbeat(OTHER, 6, 3, 1) }),
    ] {
        roster.heard(2 * SECOND, change);
        assert!(!roster.fleet().is_open(OTHER) && roster.fleet().emptiest().is_none(), "beat {beat}");
        roster.heard(2 * SECOND, heartbeat(OTHER, beat + 1, 3, 1));
        assert!(roster.fleet().is_open(OTHER), "beat {}", beat + 1);
    }
    roster.gone(OTHER);
    assert!(!roster.fleet().is_open(OTHER), "suspect");
    assert_eq!(roster.fleet().len(), 1);
    roster.bye(3 * SECOND, OTHER, Incarnation(1));
    assert!(roster.fleet().is_empty());
    assert!(before.is_open(OTHER), "a picture does not change");
}
