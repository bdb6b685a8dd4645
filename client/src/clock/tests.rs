//! The clock of a client on lines whose latency steps, drifts and comes back.

use super::*;
use crate::lead::Lead;

const MS: Duration = Duration::from_millis(1);

/// A clock of 20 ticks a second that has heard frames of ticks 0 to 9, the first at `start`.
fn warm(start: Instant) -> Clock {
    let mut clock = Clock::new(20, Tick(0), start);
    for tick in 0..10 {
        clock.observe(Tick(tick), (tick == 0).then_some(0), start + tick * 50 * MS);
    }
    clock
}

#[test]
fn the_earliest_arrival_is_believed_and_delays_are_not() {
    let start = Instant::now();
    let mut clock = warm(start);
    clock.observe(Tick(10), None, start + 500 * MS);
    clock.observe(Tick(11), None, start + 590 * MS);
    assert!(clock.age(Tick(11), start + 590 * MS).abs_diff(40 * MS) < MS);
    assert_eq!(clock.tick(start + 615 * MS), Tick(12));
}

#[test]
fn a_cold_clock_stands_at_the_newest_frame_and_calls_none_old() {
    let start = Instant::now();
    let mut clock = Clock::new(20, Tick(77), start);
    assert_eq!((clock.state(start), clock.tick(start + 5000 * MS)), (ClockState::Cold, Tick(77)));
    for (tick, state) in [(80, ClockState::Cold), (81, ClockState::Cold), (82, ClockState::Cold)] {
        clock.observe(Tick(tick), None, start + tick * 50 * MS);
        assert_eq!(clock.state(start + tick * 50 * MS), state);
    }
    assert_eq!(clock.age(Tick(80), start + 9000 * MS), Duration::ZERO);
    clock.observe(Tick(83), None, start + 83 * 50 * MS);
    assert_eq!(clock.state(start + 83 * 50 * MS), ClockState::Running);
}

#[test]
fn a_moved_schedule_makes_no_frame_old() {
    let start = Instant::now();
    let mut clock = warm(start);
    let now = start + (500 + 19 * 50) * MS;
    assert_eq!(clock.observe(Tick(10), Some(19), now), 0);
    assert!(clock.age(Tick(10), now) < 2 * MS);
    assert_eq!(clock.tick(now + 110 * MS), Tick(12));
}

#[test]
fn the_clock_coasts_for_half_a_second_and_stands() {
    let start = Instant::now();
    let clock = warm(start);
    let last = start + 450 * MS;
    assert_eq!((clock.tick(last + 410 * MS), clock.state(last + 410 * MS)), (Tick(17), ClockState::Running));
    assert_eq!((clock.tick(last + 9000 * MS), clock.state(last + 9000 * MS)), (Tick(19), ClockState::Standing));
}

#[test]
fn after_a_step_of_the_line_inputs_go_on_to_aim_where_they_did() {
    let start = Instant::now();
    let (mut clock, mut lead) = (warm(start), Lead::new(20, start));
    let mut aims = Vec::new();
    for tick in 10..100 {
        let now = start + tick * 50 * MS + if tick < 60 { 600 * MS } else { Duration::ZERO };
        lead.shift(clock.observe(Tick(tick), None, now));
        aims.push(clock.tick(now).0 + lead.ticks() - tick);
    }
    assert_eq!(aims[..50].iter().filter(|aim| aim.abs_diff(14) > 1).count(), 0, "{aims:?}");
    assert_eq!(aims[50..].iter().filter(|aim| aim.abs_diff(2) > 1).count(), 0, "{aims:?}");
    assert_eq!(lead.ticks(), 2);
}
