//! Bytes on one way of a line: all arrive, in order, never earlier or faster than the profile allows, and the same for
//! a seed.

use proptest::prelude::*;

use tiltyard_shared::game::Rng;

use super::*;
use crate::{
    line::Line,
    profile::{Change, Profile, Ways},
};

const MS: Duration = Duration::from_millis(1);

fn terms(name: &str) -> Terms {
    Line::new(Profile::named(name).unwrap(), 1).conditions().down
}

fn silent(name: &str) -> Terms {
    let mut line = Line::new(Profile::named(name).unwrap(), 1);
    line.change(Change::Silence(Ways::Both));
    line.conditions().down
}

/// All that arrives until then, with its time to the millisecond, and whether the stream has ended.
fn drain(way: &mut Way, from: Duration, until: Duration) -> (Vec<(Duration, Vec<u8>)>, bool) {
    let (mut arrived, mut now) = (Vec::new(), from);
    while now <= until {
        while let Some(bytes) = way.poll(now) {
            if bytes.is_empty() {
                return (arrived, true);
            }
            arrived.push((now, bytes));
        }
        now += MS;
    }
    (arrived, false)
}

/// A game's traffic: something of each of these sizes every 50 ms.
fn play(name: &str, seed: u64, sizes: &[usize]) -> (Vec<u8>, Vec<(Duration, Vec<u8>)>) {
    let mut way = Way::new(terms(name), seed);
    let (mut all, mut arrived, mut count) = (Vec::new(), Vec::new(), 0u8);
    for (index, size) in sizes.iter().enumerate() {
        let now = index as u32 * 50 * MS;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            count = count.wrapping_add(1);
            count
        })
        .take(*size)
        .collect();
        way.push(&bytes, now);
        all.extend(bytes);
        let next = if index + 1 == sizes.len() { now + 600_000 * MS } else { now + 49 * MS };
        if index + 1 == sizes.len() {
            way.finish(now);
        }
        let (some, ended) = drain(&mut way, now, next);
        arrived.extend(some);
        assert_eq!(ended, index + 1 == sizes.len(), "the end comes last, and comes");
    }
    (all, arrived)
}

fn names() -> impl Strategy<Value = String> {
    proptest::sample::select(Profile::all().into_iter().map(|profile| profile.name).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_byte_arrives_once_and_in_order(
        name in names(),
        seed: u64,
        sizes in prop::collection::vec(1usize..4000, 1..60),
    ) {
        let (sent, arrived) = play(&name, seed, &sizes);
        prop_assert_eq!(arrived.iter().flat_map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>(), sent);
    }

    #[test]
    fn nothing_arrives_before_the_base_delay_nor_faster_than_the_rate(
        name in names(),
        seed: u64,
        sizes in prop::collection::vec(1usize..4000, 1..60),
    ) {
        let direction = terms(&name).direction;
        let (_, arrived) = play(&name, seed, &sizes);
        let mut bytes = 0;
        for (at, part) in &arrived {
            bytes += part.len();
            let mut pushed = 0;
            let push = sizes.iter().position(|size| { pushed += size; pushed >= bytes }).unwrap() as u32 * 50 * MS;
            prop_assert!(*at >= push + direction.delay, "pushed {push:?}, arrived {at:?}");
            if let Some(rate) = direction.rate {
                let least = Duration::from_secs_f64(bytes as f64 / f64::from(rate));
                prop_assert!(*at + MS >= direction.delay + least, "{bytes} bytes by {at:?}");
            }
        }
    }

    #[test]
    fn the_same_seed_is_the_same_line(name in names(), seed: u64, sizes in prop::collection::vec(1usize..4000, 1..40)) {
        prop_assert_eq!(play(&name, seed, &sizes), play(&name, seed, &sizes));
    }
}

#[test]
fn another_seed_is_another_line() {
    let sizes = [100; 50];
    assert_ne!(play("lossy", 1, &sizes).1, play("lossy", 7, &sizes).1);
}

#[test]
fn a_full_queue_takes_no_more_than_it_holds() {
    let mut way = Way::new(terms("capped"), 1);
    let room = way.room(Duration::ZERO);
    assert_eq!(room, 16_000, "two seconds of 8 kB/s");
    way.push(&vec![0; room], Duration::ZERO);
    assert_eq!(way.room(Duration::ZERO), 0);
    let half = way.room_at(Duration::ZERO);
    assert!(half.abs_diff(1000 * MS) < 2 * MS && way.room(half).abs_diff(8_000) < 10, "{half:?}");
    let (arrived, _) = drain(&mut way, Duration::ZERO, 2051 * MS);
    assert_eq!(arrived.iter().map(|(_, bytes)| bytes.len()).sum::<usize>(), room);
}

/// A lossy line on which the first segment is lost and the second is not.
fn loses_the_first() -> Way {
    let seeds = |seed: &u64| {
        let mut rng = Rng::new(*seed);
        terms("lossy").direction.spread.draw(&mut rng);
        let lost = rng.chance(0.02);
        // Whether it is lost again, the next one's spread, and whether that is lost.
        lost && !rng.chance(0.02) && rng.unit() < 1.0 && !rng.chance(0.02)
    };
    Way::new(terms("lossy"), (0..).find(seeds).unwrap())
}

#[test]
fn a_lost_segment_comes_with_those_behind_it_after_the_gap_and_a_round_trip_and_a_quarter() {
    let mut way = loses_the_first();
    way.push(&[1; 100], Duration::ZERO);
    way.push(&[2; 100], 50 * MS);
    let (arrived, _) = drain(&mut way, Duration::ZERO, 1000 * MS);
    let usual = 50 * MS;
    assert!(arrived[0].0.abs_diff(50 * MS + 125 * MS + usual) < 10 * MS, "{:?}", arrived[0].0);
    assert_eq!((arrived[0].0, arrived[1].0), (arrived[1].0, arrived[0].0), "together");
}

#[test]
fn a_lost_segment_that_nothing_follows_comes_after_two_round_trips() {
    let mut way = loses_the_first();
    way.push(&[1; 100], Duration::ZERO);
    let (arrived, _) = drain(&mut way, Duration::ZERO, 1000 * MS);
    assert!(arrived[0].0.abs_diff(250 * MS) < 10 * MS, "{:?}", arrived[0].0);
}

#[test]
fn a_silence_ends_for_a_connection_with_the_next_of_its_attempts() {
    let mut way = Way::new(silent("good"), 1);
    way.push(&[1; 100], Duration::ZERO);
    way.push(&[2; 100], 50 * MS);
    assert_eq!(drain(&mut way, Duration::ZERO, 2000 * MS).0, []);
    way.set(terms("good"), 2000 * MS);
    let (arrived, _) = drain(&mut way, 2000 * MS, 9000 * MS);
    // Timeouts of 228 ms, doubled: attempts at 228, 684, 1,596 and 3,420 ms.
    let due = 3420 * MS + 10 * MS;
    assert!(arrived[0].0.abs_diff(due) < 3 * MS && arrived[0].1[0] == 1, "{:?}", arrived[0].0);
    assert!(arrived[1].0.abs_diff(due + 28 * MS) < 4 * MS && arrived[1].1[0] == 2, "{:?}", arrived[1].0);
}

#[test]
fn who_is_not_answered_sends_ten_segments_and_stops() {
    let mut line = Line::new(Profile::named("good").unwrap(), 1);
    line.change(Change::Silence(Ways::Up));
    let mut way = Way::new(line.conditions().down, 1);
    for frame in 0..40 {
        way.push(&[frame; 100], u32::from(frame) * 50 * MS);
    }
    assert_eq!(drain(&mut way, Duration::ZERO, 5000 * MS).0.len(), 10);
    way.set(terms("good"), 5000 * MS);
    assert_eq!(drain(&mut way, 5000 * MS, 20_000 * MS).0.len(), 30);
}

#[test]
fn a_step_down_lets_nothing_overtake() {
    let mut line = Line::new(Profile::named("good").unwrap(), 1);
    line.change(Change::Delay { down: 1000 * MS, up: Duration::ZERO });
    let mut way = Way::new(line.conditions().down, 1);
    way.push(&[1], Duration::ZERO);
    way.set(terms("good"), 50 * MS);
    way.push(&[2], 50 * MS);
    let (arrived, _) = drain(&mut way, Duration::ZERO, 2000 * MS);
    assert_eq!(arrived.iter().map(|(_, bytes)| bytes[0]).collect::<Vec<_>>(), [1, 2]);
    assert!(arrived[0].0 >= 1000 * MS);
}
