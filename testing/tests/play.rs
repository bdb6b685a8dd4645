//! What a test sees through [`Play`] is what players see.

use std::time::Duration;

use tiltyard_arena::{
    Arena, Config,
    entities::{Fighter, Thing},
    messages::{Event, Input},
};
use tiltyard_shared::{
    game::{PlayerId, Tick},
    protocol::Code,
};
use tiltyard_testing::Play;

const TICK: Duration = Duration::from_millis(50);
const SECOND: Duration = Duration::from_secs(1);

/// An arena in which everybody sees everything.
fn arena() -> Play<Arena> {
    Play::new(Config { view_depth: 16, ..Config::default() })
}

fn fighter(play: &Play<Arena>, of: PlayerId, seen_by: PlayerId) -> Option<Fighter> {
    play.sees(seen_by).into_iter().find_map(|(_, thing)| match thing {
        Thing::Fighter(fighter) if fighter.owner == of => Some(fighter),
        _ => None,
    })
}

fn walk(x: i8) -> Input {
    Input { walk: [x, 0], ..Input::default() }
}

/// Lets so many ticks pass in which a player looks around, so that each has something to tell.
fn looking(play: &mut Play<Arena>, player: PlayerId, ticks: u32) {
    for tick in 0..ticks {
        play.send(player, &Input { aim: tick as f32, ..Input::default() });
        play.tick();
    }
}

#[test]
fn an_input_is_played_and_seen() {
    let mut play = arena();
    let ann = play.join("Ann");
    play.run(SECOND);
    let before = fighter(&play, ann, ann).unwrap();
    assert_eq!(before.name, "Ann");
    play.send(ann, &walk(if before.x < 1024.0 { 127 } else { -127 }));
    play.run(SECOND / 2);
    assert!((fighter(&play, ann, ann).unwrap().x - before.x).abs() > 80.0);
    assert_eq!(play.refused(ann), []);
}

#[test]
fn who_is_far_away_sees_what_was_and_plays_what_will_be() {
    let mut play = arena();
    let ann = play.join("Ann");
    play.line(ann).delay = 4 * TICK;
    looking(&mut play, ann, 40);
    assert_eq!(play.holds(ann), Tick(36), "four ticks ago");
    assert_eq!(play.send(ann, &walk(127)), 41);
    play.run(SECOND);
    assert_eq!(play.refused(ann), [], "it aimed at the tick in which it came");
    assert_eq!(play.room().stats().inputs.late, 0);
}

#[test]
fn a_line_that_stalls_brings_everything_at_once_and_a_long_one_is_throttled() {
    let mut play = arena();
    let [ann, bob] = ["Ann", "Bob"].map(|name| play.join(name));
    looking(&mut play, bob, 20);
    play.line(ann).stalled = true;
    looking(&mut play, bob, 20);
    assert_eq!((play.holds(ann), play.holds(bob), play.is_throttled(ann)), (Tick(20), Tick(40), false));
    looking(&mut play, bob, 40);
    assert!(play.is_throttled(ann));
    play.line(ann).stalled = false;
    looking(&mut play, bob, 20);
    assert_eq!((play.holds(ann), play.holds(bob), play.is_throttled(ann)), (Tick(100), Tick(100), false));
}

#[test]
fn who_comes_back_goes_on_and_who_stays_away_is_gone() {
    let mut play = arena();
    let [ann, bob] = ["Ann", "Bob"].map(|name| play.join(name));
    looking(&mut play, ann, 20);
    for player in [ann, bob] {
        play.disconnect(player);
    }
    play.run(5 * SECOND);
    assert_eq!(play.holds(ann), Tick(20), "nothing comes without a connection");
    play.resume(ann).unwrap();
    looking(&mut play, ann, 20);
    assert_eq!((play.holds(ann), play.refused(ann)), (Tick(140), Vec::new()));
    play.run(30 * SECOND);
    assert_eq!((play.gone(ann), play.gone(bob)), (None, Some(Code::Unresponsive)));
    assert_eq!(play.resume(bob), Err(Code::UnknownSession));
    assert!(fighter(&play, bob, ann).is_none());
}

#[test]
fn events_come_once_to_those_who_are_told() {
    let mut play = arena();
    let ann = play.join("Ann");
    play.run(SECOND);
    play.send(ann, &Input { fire: true, ..Input::default() });
    play.send(ann, &Input::default());
    play.run(SECOND);
    let fired = play.events(ann).into_iter().filter(|event| matches!(event, Event::Fired { by, .. } if *by == ann));
    assert_eq!(fired.count(), 1);
    assert_eq!(play.events(ann), []);
}

#[test]
fn a_full_room_takes_nobody() {
    let mut play = Play::<Arena>::new(Config { max_players: 2, ..Config::default() });
    let ann = play.join("Ann");
    play.join("Bob");
    assert_eq!(play.try_join("Cyd"), Err(Code::RoomFull));
    play.leave(ann);
    assert_eq!(play.gone(ann), Some(Code::Left));
    play.tick();
    assert!(play.try_join("Cyd").is_ok());
}

#[test]
#[should_panic(expected = "is not in the room: Some(Left)")]
fn who_has_left_sees_nothing() {
    let mut play = arena();
    let ann = play.join("Ann");
    play.leave(ann);
    play.sees(ann);
}
