//! That the claims of `make lines` fail where they must: records made by hand, of lines that did well and of lines that did not.

use std::collections::BTreeSet;

use tiltyard_lab::Profile;

use crate::{
    claims::{Seen, Verdict},
    record::{Draws, Record, Ticks},
};

/// A player for whom all is well, from 4 s before the steps to their end: 20 frames a second, 60 draws.
fn fine(profile: &Profile) -> (Record, Ticks) {
    let seconds = profile.length.as_secs() as u32 + 4;
    let at = |tick: u32| f64::from(tick) * 50.0;
    let frames = (0..20 * seconds).map(|tick| (at(tick) + 20.0, tick, 100)).collect();
    let draws = |tenth: u32| {
        let (at, shown) = (f64::from(tenth) * 100.0, f64::from(tenth) * 2.0 - 3.0);
        Draws { at, count: 6, under: 0, delay: 12.0, tick: 6.0 * shown, lag: 0.0 }
    };
    let record = Record {
        frames,
        draws: (0..10 * seconds).map(draws).collect(),
        events: vec![3, 5, 9],
        own_seat: true,
        ..Record::default()
    };
    (record, Ticks((0..20 * seconds).map(|tick| (tick, at(tick))).collect()))
}

/// The claims that do not hold, of a record that was fine before something was done to it.
fn failures(name: &str, spoil: impl FnOnce(&mut Record)) -> Vec<String> {
    let profile = Profile::named(name).unwrap();
    let (mut record, ticks) = fine(&profile);
    spoil(&mut record);
    let witnessed = BTreeSet::from([3, 5, 9]);
    let ended = 4_000.0 + profile.length.as_secs_f64() * 1000.0;
    let seen = Seen {
        profile: &profile,
        record: &record,
        began: 4_000.0,
        ended,
        woken: None,
        ticks: &ticks,
        witnessed: &witnessed,
    };
    let failed = |verdict: Verdict| (!verdict.holds).then_some(verdict.claim);
    seen.judge(&seen.figures()).into_iter().filter_map(failed).collect()
}

#[test]
fn who_plays_well_fails_nowhere() {
    for name in ["good", "wifi", "jitter-150", "step-up-600", "step-down-1000-both"] {
        assert_eq!(failures(name, |_| {}), [""; 0], "{name}");
    }
}

#[test]
fn a_wrong_state_a_lost_event_and_a_lost_seat_fail_everywhere() {
    assert_eq!(failures("edge", |record| record.mismatches = 1), ["mismatches and bad frames: 0"]);
    assert_eq!(failures("edge", |record| record.events = vec![3, 9]), ["every event once, in order"]);
    assert_eq!(failures("edge", |record| record.events = vec![3, 5, 5, 9]), ["every event once, in order"]);
    assert_eq!(failures("edge", |record| record.own_seat = false), ["the own seat at the end"]);
}

#[test]
fn underruns_count_from_two_seconds_after_the_line_is_what_it_will_be() {
    let from = |ms: f64| {
        move |record: &mut Record| {
            // A step at 15 s, 1.5 s, one and a half new round trips of 628 ms, and two seconds.
            let is_late = |draws: &&mut Draws| (19_000.0..19_000.0 + ms).contains(&draws.at);
            record.draws.iter_mut().filter(is_late).for_each(|draws| draws.under = 6);
        }
    };
    assert_eq!(failures("step-up-600", from(5_000.0 - 600.0)), [""; 0], "that is over in time");
    assert_eq!(failures("step-up-600", from(6_500.0)), ["underruns, %: at most 1"]);
}

#[test]
fn a_second_of_fewer_frames_after_a_step_fails() {
    let without =
        |from: f64, to: f64| move |record: &mut Record| record.frames.retain(|frame| !(from..to).contains(&frame.0));
    assert_eq!(failures("step-up-600", without(19_100.0, 21_300.0)), [""; 0], "the line is new");
    assert_eq!(failures("step-up-600", without(40_000.0, 40_100.0)), ["frames in every second: at least 19"]);
}

#[test]
fn too_many_resyncs_fail() {
    assert_eq!(failures("step-up-600", |record| record.resyncs = vec![20_000.0]), [""; 0]);
    assert_eq!(failures("step-up-600", |record| record.resyncs = vec![20_000.0, 21_000.0]), ["resyncs: at most 1"]);
    assert_eq!(failures("3g", |record| record.resyncs = vec![5_000.0; 3]), ["resyncs and reconnects: at most 2"]);
}

#[test]
fn a_silence_that_nobody_notices_and_a_tunnel_that_nobody_comes_back_from_fail() {
    assert_eq!(failures("half-open", |_| {}), ["silence noticed, ms: at most 6000"]);
    let noticed = |record: &mut Record| record.breaks = vec![24_000.0, 54_900.0];
    assert_eq!(failures("half-open", noticed), [""; 0]);
    let late = |record: &mut Record| record.frames.retain(|frame| !(14_000.0..19_000.0).contains(&frame.0));
    assert_eq!(failures("train", late), ["back, ms: at most 1560"]);
}
