//! When a connection comes back, and when it does not.

use super::*;

#[test]
fn a_seat_is_tried_for_as_long_as_the_server_keeps_it_and_the_last_try_comes_at_the_end() {
    let mut bench = played();
    let lost = bench.now;
    bench.cut();
    let tries = bench.fail();
    assert_eq!((bench.state(), bench.now - lost), (State::Over, 30_000 * MS));
    assert!(tries >= 30, "{tries} tries in 30 s");
    let mut search = Bench::new(false, Some(PATIENCE)).ready().live(6000 * MS);
    search.cut();
    for _ in 0..500 {
        search.tick();
        search.cut();
    }
    assert_eq!(search.state(), State::Waiting, "where no seat is lost it is tried for ever");
}

#[test]
fn before_the_first_seat_the_patience_counts() {
    let mut bench = Bench::new(true, Some(4000 * MS));
    let begun = bench.now;
    bench.start();
    bench.cut();
    bench.fail();
    assert_eq!((bench.state(), bench.now - begun), (State::Over, 4000 * MS));
    let mut hasty = Bench::new(true, Some(Duration::ZERO));
    hasty.start();
    hasty.cut();
    assert_eq!(hasty.state(), State::Over);
}

#[test]
fn whoever_was_asleep_for_the_whole_grace_still_tries_once() {
    let mut bench = played();
    bench.cut();
    bench.now += 60_000 * MS;
    bench.tick();
    assert_eq!(bench.state(), State::Connecting);
    bench.come_in();
}

#[test]
fn a_line_that_comes_back_is_noticed_within_a_second_and_within_three_after_a_minute() {
    for (away, soon) in [(20_000, 1000), (60_000, 3000)] {
        let mut bench = played();
        bench.cut();
        bench.random = 0.999;
        bench.connection.attempts.until = None;
        let back = bench.now + away * MS;
        while bench.now < back {
            bench.tick();
            bench.cut();
        }
        assert!(bench.connection.deadline().unwrap() - bench.now <= soon * MS, "after {away} ms away");
    }
}

#[test]
fn failures_are_forgotten_only_after_five_good_seconds() {
    let mut bench = played();
    for _ in 0..3 {
        bench.cut();
        bench.tick();
        bench.come_in();
        bench.live_on(1000 * MS);
    }
    bench.cut();
    assert_eq!(bench.connection.attempts.count, 4, "a server that takes us in and throws us out is not hammered");
    bench.tick();
    bench.come_in();
    bench.live_on(5000 * MS);
    bench.cut();
    assert_eq!(bench.connection.attempts.count, 1, "and a good one is tried as if nothing had been");
}

#[test]
fn five_thousand_returns_after_a_deploy_are_spread_over_the_time_that_the_server_names() {
    let within = 8000;
    let mut slots = [0; 10];
    for number in 0..5000 {
        let mut bench = played();
        bench.random = (f64::from(number) + 0.5) / 5000.0;
        let at = bench.now;
        bench.goodbye(Code::Stopping, within);
        // The network says that it is there: that must not undo the spreading.
        bench.happen(Event::Online, Duration::ZERO);
        bench.tick();
        assert_eq!(bench.state(), State::Connecting);
        let after = (bench.now - at).as_secs_f64() * 1000.0;
        assert!(after <= f64::from(within) * 1.05);
        slots[((after * 10.0 / f64::from(within)) as usize).min(9)] += 1;
    }
    assert!(slots.iter().all(|slot| *slot <= 600), "at most 12 % in a tenth of the time: {slots:?}");
}

#[test]
fn a_refusal_that_passes_is_asked_again_after_the_time_that_it_names_and_not_before() {
    let mut bench = Bench::new(true, Some(60_000 * MS));
    bench.start();
    bench.opened();
    bench.welcome();
    let at = bench.now;
    bench.refuse(Code::ServerFull, Some(3000));
    bench.happen(Event::Online, 10 * MS);
    bench.tick();
    let after = bench.now - at;
    assert!(after >= 3000 * MS && after <= 4500 * MS, "after {after:?}");
    bench.cut();
    bench.happen(Event::Retry, Duration::ZERO);
    assert_eq!(bench.state(), State::Connecting, "whoever wants to try now does");
}

#[test]
fn only_final_codes_end_it_however_they_come() {
    let all = (0..Code::ALL.len() as u16).chain([300]).map(Code::from_number);
    for code in all {
        let wanted = if code.is_final() { State::Over } else { State::Waiting };
        let mut bench = played();
        bench.happen(Event::Closed(Some(code)), Duration::ZERO);
        assert_eq!(bench.state(), wanted, "closed: {code:?}");
        let mut bench = played();
        bench.goodbye(code, 0);
        assert_eq!(bench.state(), wanted, "goodbye: {code:?}");
        let mut bench = played();
        bench.cut();
        bench.tick();
        bench.opened();
        bench.welcome();
        bench.refuse(code, None);
        assert_eq!(bench.state(), wanted, "refused: {code:?}");
    }
}

#[test]
fn a_refusal_of_something_else_ends_nothing() {
    let mut bench = Bench::room();
    bench.start();
    bench.opened();
    bench.welcome();
    for (request, code) in [(9, Code::RoomFull), (0, Code::Unsupported)] {
        bench.hear(ServerMessage::refused(request, code));
        assert_eq!(bench.state(), State::Entering);
    }
}

#[test]
fn a_socket_that_never_opens_is_given_up_and_a_late_one_is_of_no_account() {
    let mut bench = Bench::room();
    bench.start();
    assert_eq!(bench.connection.deadline(), Some(bench.now + 5000 * MS));
    assert_eq!(in_words(&bench.tick()), ["shut", "tell waiting"]);
    assert_eq!((bench.opened(), bench.cut()), (vec![], vec![]));
    assert_eq!(bench.state(), State::Waiting);
}

#[test]
fn attempts_on_a_line_that_was_good_hang_for_a_second_only_and_there_is_never_more_than_one() {
    let mut bench = played();
    bench.cut();
    let mut open = 0;
    for _ in 0..10 {
        for word in in_words(&bench.tick()) {
            open += i32::from(word == "open") - i32::from(word == "shut");
        }
        assert!((0..=1).contains(&open));
        if bench.state() == State::Connecting {
            assert_eq!(bench.connection.deadline(), Some(bench.now + 1000 * MS));
        }
    }
}

#[test]
fn a_line_that_became_much_slower_still_gets_its_time_after_attempts_that_hung() {
    let mut bench = played();
    bench.cut();
    bench.connection.attempts.until = None;
    let longest = (0..120).filter_map(|_| {
        bench.tick();
        let is_connecting = bench.state() == State::Connecting;
        is_connecting.then(|| bench.connection.deadline().unwrap() - bench.now)
    });
    assert_eq!(longest.max(), Some(5000 * MS));
}

#[test]
fn every_second_attempt_goes_where_the_client_came_in_and_the_first_where_the_seat_is() {
    let mut bench = Bench::room();
    bench.start();
    bench.opened();
    bench.welcome();
    bench.redirect("ws://there/ws");
    bench.come_in();
    bench.live_on(6000 * MS);
    bench.cut();
    let mut tried = Vec::new();
    for _ in 0..4 {
        bench.tick();
        tried.push(bench.connection.address().to_owned());
        bench.cut();
    }
    assert_eq!(tried, ["ws://there/ws", HERE, "ws://there/ws", HERE]);
    bench.tick();
    bench.cut();
    bench.tick();
    assert_eq!(bench.connection.address(), HERE);
    bench.opened();
    bench.welcome();
    bench.redirect("ws://elsewhere/ws");
    assert_eq!(bench.connection.address(), "ws://elsewhere/ws");
    bench.come_in();
    bench.live_on(6000 * MS);
    bench.cut();
    bench.tick();
    assert_eq!(bench.connection.address(), "ws://elsewhere/ws", "that is where the seat is by now");
}

#[test]
fn what_was_closed_on_purpose_or_is_final_is_not_revived_by_the_network() {
    let mut closed = played();
    closed.happen(Event::Close, Duration::ZERO);
    let mut left = played();
    left.goodbye(Code::Left, 0);
    let mut taken = played();
    taken.goodbye(Code::TakenOver, 0);
    let mut gone = played();
    gone.cut();
    gone.fail();
    gone.happen(Event::Close, Duration::ZERO);
    for mut bench in [closed, left, taken, gone] {
        for event in [Event::Online, Event::Retry, Event::Tick] {
            assert_eq!(bench.happen(event, 5000 * MS), []);
        }
        assert_eq!((bench.state(), bench.connection.deadline()), (State::Over, None));
    }
}

#[test]
fn who_has_given_up_comes_back_when_the_network_does_and_by_hand() {
    for event in [Event::Online, Event::Retry] {
        let mut bench = played();
        bench.cut();
        bench.fail();
        bench.happen(event, 60_000 * MS);
        assert_eq!(bench.state(), State::Connecting);
        bench.come_in();
    }
}

#[test]
fn an_attempt_that_has_just_begun_is_not_dropped_when_the_network_comes_and_an_old_one_is() {
    let mut bench = Bench::room();
    bench.start();
    assert_eq!(bench.happen(Event::Online, 100 * MS), []);
    assert_eq!(in_words(&bench.happen(Event::Online, 2000 * MS)), ["shut", "open"]);
}

#[test]
fn a_server_that_stalls_a_resume_is_asked_again() {
    let mut bench = played();
    bench.cut();
    bench.tick();
    bench.opened();
    assert_eq!(bench.state(), State::Hello);
    bench.tick();
    assert_eq!(bench.state(), State::Waiting);
    bench.tick();
    bench.come_in();
}
