//! When silence means that a line is dead.

use super::*;

#[test]
fn a_line_on_which_nothing_arrives_is_noticed_within_six_seconds_of_whatever_kind_it_is() {
    for seat in [true, false] {
        let mut bench = Bench::new(seat, Some(PATIENCE)).ready().live(6000 * MS);
        let silent = bench.now;
        while bench.state() == State::Ready {
            bench.tick_after(500 * MS);
            assert!(bench.now - silent <= 6000 * MS, "the picture still stands");
        }
        assert_eq!(bench.state(), State::Waiting);
    }
}

#[test]
fn the_pings_of_the_server_are_answered_at_once_in_every_state() {
    for seat in [true, false] {
        let mut bench = Bench::new(seat, None);
        bench.start();
        bench.opened();
        let asks = |bench: &mut Bench| {
            let effects = bench.hear(ServerMessage::Ping { number: 9 });
            assert_eq!(effects[0], Effect::Send(ClientMessage::Pong { number: 9, held_ms: 0 }));
        };
        asks(&mut bench);
        bench.welcome();
        asks(&mut bench);
        bench.enter();
        asks(&mut bench);
    }
}

#[test]
fn five_pings_come_about_a_second_apart_and_later_ones_two() {
    let mut bench = Bench::new(false, None).ready();
    let (mut gaps, mut before) = (Vec::new(), bench.now);
    while gaps.len() < 8 {
        bench.answer();
        while !in_words(&bench.tick_after(10 * MS)).contains(&"Ping") {
            assert_eq!(bench.state(), State::Ready);
        }
        gaps.push((bench.now - before).as_millis());
        before = bench.now;
    }
    assert_eq!(gaps, [1030, 1030, 1030, 1030, 1030, 2030, 2030, 2030]);
}

#[test]
fn round_trips_are_measured_without_any_input() {
    let mut bench = Bench::room().ready();
    let number = bench.asked.pop().unwrap();
    bench.now += 100 * MS;
    bench.hear(ServerMessage::Pong { number, held_ms: 20 });
    assert_eq!(bench.connection.pulse().round_trip(), 80 * MS);
}

#[test]
fn a_pong_that_is_stuck_behind_large_messages_is_no_death() {
    let mut bench = played();
    for _ in 0..10 {
        bench.happen(Event::Sign, 3500 * MS);
        bench.tick_after(Duration::ZERO);
    }
    assert_eq!(bench.state(), State::Ready, "something arrives, if only every 3.5 s");
}

#[test]
fn who_was_stopped_for_30_s_asks_first_and_then_judges() {
    let mut awake = played();
    assert_eq!(in_words(&awake.tick_after(30_000 * MS))[0], "Ping");
    awake.happen(Event::Sign, 20 * MS);
    awake.live_on(10_000 * MS);
    assert_eq!(awake.state(), State::Ready, "the line had lived on");
    let mut dead = played();
    dead.tick_after(30_000 * MS);
    let woke = dead.now;
    while dead.state() == State::Ready {
        dead.tick();
        assert!(dead.now - woke <= 2000 * MS, "a zombie is still there {:?} after waking", dead.now - woke);
    }
}

#[test]
fn an_open_line_that_gives_no_sign_after_the_network_changed_is_dropped_soon() {
    let mut bench = played();
    assert_eq!(in_words(&bench.happen(Event::Online, Duration::ZERO)), ["Ping"]);
    let asked = bench.now;
    while bench.state() == State::Ready {
        bench.tick();
        assert!(bench.now - asked <= 2000 * MS, "nobody has answered for {:?}", bench.now - asked);
    }
}

#[test]
fn a_server_that_says_nothing_but_pongs_has_ten_seconds_for_a_seat() {
    let mut bench = Bench::room();
    bench.start();
    bench.opened();
    bench.welcome();
    let asked = bench.now;
    while bench.state() == State::Entering {
        bench.answer();
        bench.tick();
    }
    assert_eq!((bench.state(), bench.now - asked), (State::Over, 10_000 * MS));
}
