//! Clock, playout, pulse, lead and resyncs decide on whole lines what `shared/vectors/time.json` says: what `web/sdk`
//! does, by whose tests (`web/test/time.test.js`) the figures are bounded.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;
use tiltyard_client::{
    clock::{Clock, ClockState},
    lead::Lead,
    playout::Playout,
    pulse::Pulse,
    resyncs::{Remedy, Resyncs},
};
use tiltyard_shared::game::Tick;

/// A page draws so often, in ms.
const DRAW: u64 = 16;

fn vectors() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/time.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn signed(value: &Value) -> i32 {
    value.as_i64().unwrap().try_into().unwrap()
}

/// A time is as many ms after the start.
fn at(start: Instant, value: &Value) -> Instant {
    start + Duration::from_secs_f64(value.as_f64().unwrap() / 1000.0)
}

fn near(found: f64, wanted: &Value, what: &str) {
    let wanted = wanted.as_f64().unwrap();
    assert!((found - wanted).abs() < 0.002, "{what}: {found}, not {wanted}");
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[test]
fn clock_and_playout_see_on_every_line_what_the_other_sdk_does() {
    for line in list(&vectors()["lines"]) {
        follow(line);
    }
}

fn follow(line: &Value) {
    let name = line["name"].as_str().unwrap();
    let (start, frames) = (Instant::now(), list(&line["frames"]));
    let first = Tick(number(&frames[0][1]) - 1);
    let (tick_hz, send_every) = (number(&line["tick_hz"]), number(&line["send_every"]));
    let mut clock = Clock::new(tick_hz, first, start);
    let mut playout = Playout::new(tick_hz, send_every, first, start);
    playout.pace(number(&line["every"]));
    let (mut shift, mut frames) = (0, frames.iter().peekable());
    let mut checks = list(&line["checks"]).iter().peekable();
    let mut passed = 0;
    for now in (0..).step_by(DRAW as usize) {
        let Some(check) = checks.peek() else { break };
        let time = start + Duration::from_millis(now);
        while let Some(frame) = frames.next_if(|frame| frame[0].as_u64().unwrap() <= now) {
            let (tick, moved) = (Tick(number(&frame[1])), frame[2].as_u64().map(|moved| moved as u32));
            shift += clock.observe(tick, moved, at(start, &frame[0]));
            playout.observe(tick, moved, at(start, &frame[0]));
        }
        let drawn = playout.draw(time);
        if check[0].as_u64() != Some(now) {
            continue;
        }
        let what = format!("{name} at {now} ms");
        let state = match clock.state(time) {
            ClockState::Cold => "cold",
            ClockState::Running => "running",
            ClockState::Standing => "standing",
        };
        assert_eq!((state, shift), (check[1].as_str().unwrap(), signed(&check[4])), "{what}");
        near(clock.time(time), &check[2], &what);
        near(ms(clock.age(clock.newest(), time)), &check[3], &what);
        assert_eq!(clock.grows(), check[5].as_bool().unwrap(), "{what}");
        near(ms(playout.delay()), &check[6], &what);
        near(drawn, &check[7], &what);
        assert_eq!(playout.underruns(), check[8].as_u64().unwrap(), "{what}");
        checks.next();
        passed += 1;
    }
    assert!(passed > 30, "{name}: {passed} checks");
}

#[test]
fn a_pulse_beats_as_that_of_the_other_sdk() {
    let start = Instant::now();
    let mut pulse = Pulse::new(start);
    for step in list(&vectors()["pulse"]) {
        let (what, now) = (step.to_string(), at(start, &step[1]));
        match step[0].as_str().unwrap() {
            "ping" => {
                assert_eq!(pulse.ping(now), Some(number(&step[2])), "{what}");
                near(ms(pulse.deadline() - start), &step[3], &what);
            }
            "pong" => {
                pulse.heard(now);
                pulse.pong(number(&step[2]), Duration::from_millis(step[3].as_u64().unwrap()), now);
                near(ms(pulse.round_trip()), &step[4], &what);
                near(ms(pulse.smoothed()), &step[5], &what);
            }
            "dead" => {
                assert_eq!(pulse.is_dead(now), step[2].as_bool().unwrap(), "{what}");
            }
            "heard" => pulse.heard(now),
            _ => pulse.reopen(now),
        }
    }
}

#[test]
fn a_lead_rises_and_falls_as_that_of_the_other_sdk() {
    let start = Instant::now();
    let mut lead = Lead::new(20, start);
    for step in list(&vectors()["lead"]) {
        lead.observe(signed(&step[1]), number(&step[2]), number(&step[3]), at(start, &step[0]));
        lead.shift(signed(&step[4]));
        assert_eq!(lead.ticks(), number(&step[5]), "{step}");
    }
}

#[test]
fn lag_is_judged_as_by_the_other_sdk() {
    let (start, mut resyncs) = (Instant::now(), Resyncs::default());
    for step in list(&vectors()["resyncs"]) {
        let now = at(start, &step[0]);
        let age = Duration::from_millis(step[1].as_u64().unwrap());
        let remedy = resyncs.judge(age, step[2].as_bool().unwrap(), now);
        if remedy == Remedy::Resync {
            resyncs.sent(true, now);
        }
        let word = match remedy {
            Remedy::None => "none",
            Remedy::Resync => "resync",
            Remedy::Rebase => "rebase",
        };
        assert_eq!(word, step[3].as_str().unwrap(), "{step}");
        near(ms(resyncs.earliest(now) - start), &step[4], &step.to_string());
    }
}
