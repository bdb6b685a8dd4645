//! docs/connection.md, executed: each event in each state.

use super::*;

const PAGE: &str = include_str!("../../../../docs/connection.md");

/// Each state of the table that clients without a page have, and how one comes there.
fn bring(state: &str) -> Option<Bench> {
    let mut bench = Bench::room();
    match state {
        "idle" => return Some(bench),
        "connecting" | "hello" | "entering" => {
            bench.start();
            if state != "connecting" {
                bench.opened();
            }
            if state == "entering" {
                bench.welcome();
                bench.now += 50 * MS;
                bench.pong(1);
            }
            return Some(bench);
        }
        _ => bench = played(),
    }
    match state {
        "ready" => {}
        "waiting" => drop(bench.cut()),
        "gave up" => {
            bench.cut();
            bench.fail();
        }
        "over" => drop(bench.happen(Event::Close, Duration::ZERO)),
        _ => return None,
    }
    Some(bench)
}

/// Lets an event of the table happen; `None` for those of pages.
fn happen(event: &str, bench: &mut Bench) -> Option<Vec<Effect>> {
    let late = 1500 * MS;
    Some(match event {
        "start" => bench.start(),
        "opened" => bench.opened(),
        "message: a frame" => bench.happen(Event::Sign, Duration::ZERO),
        "message: `Welcome`" => bench.welcome(),
        "message: `Entered`" => bench.enter(),
        "message: `Wait`" => bench.hear(ServerMessage::Wait { request: 1, for_ms: 9000 }),
        "message: `Ping`" => bench.hear(ServerMessage::Ping { number: 7 }),
        "message: `Pong`" => bench.pong(7),
        "message: `Redirect`" => bench.redirect("ws://b/ws"),
        "message: `Refused`, final" => bench.hear(ServerMessage::refused(1, Code::RoomFull)),
        "message: `Refused`, passing" => bench.hear(ServerMessage::refused(1, Code::ServerFull)),
        "message: `Goodbye`, final" => bench.goodbye(Code::TakenOver, 0),
        "message: `Goodbye`, passing" => bench.goodbye(Code::Stopping, 0),
        "closed: final code" => bench.happen(Event::Closed(Some(Code::Finished)), Duration::ZERO),
        "closed: passing code" => bench.happen(Event::Closed(Some(Code::Internal)), Duration::ZERO),
        "closed: no code" => bench.cut(),
        "tick: it is time" if bench.connection.deadline().is_none() => bench.tick_after(Duration::ZERO),
        "tick: it is time" => bench.tick(),
        "tick: silence" => {
            let (before, mut effects) = (bench.state(), Vec::new());
            for _ in 0..12 {
                if bench.state() == before {
                    effects = bench.tick_after(500 * MS);
                }
            }
            effects
        }
        "online" => bench.happen(Event::Online, late),
        "retry" => bench.happen(Event::Retry, late),
        "drop" => bench.happen(Event::Drop(Duration::ZERO), Duration::ZERO),
        "close" => bench.happen(Event::Close, Duration::ZERO),
        _ => return None,
    })
}

fn name(state: State) -> String {
    format!("{state:?}").to_lowercase()
}

/// A cell of the table: the state that follows, and the effects. Who cannot probe opens a socket instead.
fn read(cell: &str, before: State) -> (String, Vec<&str>) {
    let (state, effects) = match cell.strip_prefix("**").and_then(|rest| rest.split_once("**")) {
        Some((state, effects)) => (state.to_owned(), effects.trim_start_matches(": ")),
        None => (name(before), cell),
    };
    let state = if state == "probing" { "connecting".to_owned() } else { state };
    let effects = effects.split(", ").filter(|effect| !matches!(*effect, "·" | ""));
    (state, effects.map(|effect| if effect == "probe" { "open" } else { effect }).collect())
}

#[test]
fn every_event_does_in_every_state_what_the_page_says() {
    let rows: Vec<Vec<&str>> = PAGE
        .lines()
        .skip_while(|line| !line.starts_with("| event |"))
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches(['|', ' ']).split(" | ").collect())
        .collect();
    let states = &rows[0][1..];
    let mut checked = 0;
    for row in &rows[2..] {
        let event = row[0];
        for (state, cell) in states.iter().zip(&row[1..]) {
            let Some(mut bench) = bring(state) else { continue };
            let before = bench.state();
            let Some(effects) = happen(event, &mut bench) else { continue };
            let wanted = read(cell, before);
            assert_eq!((name(bench.state()), in_words(&effects)), wanted, "{event} while {state}");
            checked += 1;
        }
    }
    assert_eq!(checked, 8 * 22, "all states and events but those of pages and probes");
}
