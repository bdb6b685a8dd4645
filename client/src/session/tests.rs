//! Sessions without a socket: frames written by hand, time passed in.

use tiltyard_arena::{
    Arena,
    messages::{Event as ArenaEvent, Input},
};
use tiltyard_shared::{
    frame::{Head, Settled, part_flags, write_events, write_view},
    game::PlayerId,
    hash::StateHash,
    protocol::Code,
    replica::ReplicaError,
    schema::Schema,
    world::GroupId,
};
use uuid::Uuid;

use super::*;

const MS: Duration = Duration::from_millis(1);

fn seat(epoch: u32, input: u32) -> Seat {
    let (room, token) = (Uuid::from_u128(1), Uuid::from_u128(2));
    Seat {
        room,
        player: PlayerId(1),
        token,
        tick_hz: 20,
        send_every: 1,
        tick: Tick(0),
        input,
        epoch,
        grace: Duration::from_secs(30),
        owner: 1,
        cut: None,
    }
}

/// A frame that shows one empty group and brings these events.
fn frame(head: &Head, events: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    head.write(&mut bytes);
    let payload = codec::encode(&ArenaEvent::Empty);
    bytes.push(if head.start { part_flags::VIEW } else { 0 } | if events.is_empty() { 0 } else { part_flags::EVENTS });
    if head.start {
        write_view(&mut bytes, &[GroupId(3)]);
    }
    if !events.is_empty() {
        write_events(&mut bytes, events.iter().map(|number| (*number, &payload[..])));
    }
    bytes
}

fn schema() -> KnownSchema {
    Schema::of::<Arena>().into()
}

fn head(epoch: u32, tick: u32, start: bool) -> Head {
    Head { epoch, tick: Tick(tick), start, ..Head::default() }
}

fn entered(now: Instant) -> Session<Arena> {
    let mut session = Session::new(seat(1, 0), schema(), now);
    session.handle(&frame(&head(1, 10, true), &[]), now).unwrap();
    assert!(matches!(session.next_event(), Some(Event::Frame(Frame { tick: Tick(10), start: true, .. }))));
    session
}

fn sent(session: &mut Session<Arena>) -> Option<ClientMessage> {
    session.outgoing.pop_front().map(|bytes| codec::decode_client(&bytes).unwrap())
}

fn events(session: &mut Session<Arena>) -> Vec<Event<ArenaEvent>> {
    std::iter::from_fn(|| session.next_event()).collect()
}

#[test]
fn a_frame_is_reported_alone_within_100_ms_unless_an_input_does_it() {
    let now = Instant::now();
    let mut session = entered(now);
    assert!(session.deadline().unwrap() <= now + limits::REPORT);
    session.handle_time(now + 70 * MS);
    assert_eq!(sent(&mut session), None);
    session.handle_time(now + 85 * MS);
    let report = Report { epoch: 1, applied: Tick(10), event: 0 };
    assert_eq!(sent(&mut session), Some(ClientMessage::Report(report)));
    session.handle(&frame(&head(1, 11, false), &[]), now + 90 * MS).unwrap();
    session.send(&Input::default(), now + 95 * MS).unwrap();
    let Some(ClientMessage::Inputs { number: 1, report, inputs }) = sent(&mut session) else { panic!() };
    let aim = inputs[0].aim;
    assert!(aim > Tick(11), "{aim:?}");
    assert_eq!(report.applied, Tick(11));
    session.handle_time(now + 500 * MS);
    assert_eq!(sent(&mut session), None);
}

#[test]
fn settled_and_refused_inputs_are_told() {
    let now = Instant::now();
    let mut session = entered(now);
    session.send(&Input::default(), now).unwrap();
    session.send(&Input::default(), now + 10 * MS).unwrap();
    let settled = Head { inputs: Some(Settled { number: 2, margin: 1 }), ..head(1, 12, false) };
    let refused = vec![(2, Code::TooManyEarly)];
    session.handle(&frame(&Head { refused, ..settled }, &[]), now + 100 * MS).unwrap();
    let events = events(&mut session);
    assert!(matches!(events[1], Event::Settled { number: 1, after } if after == 100 * MS));
    assert!(matches!(events[2], Event::Settled { number: 2, after } if after == 90 * MS));
    assert!(matches!(events[3], Event::InputRefused { number: 2, .. }));
    assert_eq!(session.counts().inputs_refused, 1);
}

#[test]
fn a_wrong_hash_asks_for_everything_anew_but_not_twice_a_second() {
    let now = Instant::now();
    let mut session = entered(now);
    let wrong = |head| frame(&Head { hash: Some(StateHash(1, 2)), ..head }, &[]);
    session.handle(&wrong(head(1, 11, false)), now).unwrap();
    assert!(matches!(
        events(&mut session)[..],
        [Event::Resyncing(Reason::Failed(ReplicaError::HashMismatch(Tick(11))))]
    ));
    assert_eq!(sent(&mut session), Some(ClientMessage::Resync(Resync { epoch: 2, applied: None, event: 0 })));
    session.handle(&frame(&head(1, 12, false), &[]), now).unwrap();
    session.handle(&frame(&head(2, 13, true), &[]), now + 50 * MS).unwrap();
    session.handle(&wrong(head(2, 14, false)), now + 100 * MS).unwrap();
    session.handle_time(now + 900 * MS);
    assert_eq!(sent(&mut session), None, "the second resync waits");
    session.send(&Input::default(), now + 900 * MS).unwrap();
    let Some(ClientMessage::Inputs { report, .. }) = sent(&mut session) else { panic!() };
    assert_eq!((report.epoch, report.applied), (2, Tick(13)), "the server knows nothing of epoch 3 yet");
    assert_eq!(session.deadline(), Some(now + 1000 * MS));
    session.handle_time(now + 1000 * MS);
    assert_eq!(sent(&mut session), Some(ClientMessage::Resync(Resync { epoch: 3, applied: None, event: 0 })));
    let counts = session.counts();
    assert_eq!((counts.mismatches, counts.stale, counts.resyncs, counts.bad_frames), (2, 1, 2, 0));
}

/// Frames of one epoch from a tick on, so long apart, the first at a time after `now`: all but the last event are taken.
fn frames(session: &mut Session<Arena>, now: Instant, ticks: std::ops::Range<u32>, at: impl Fn(u32) -> Duration) {
    for tick in ticks {
        let epoch = session.counts().resyncs as u32 + 1;
        session.handle(&frame(&head(epoch, tick, false), &[]), now + at(tick)).unwrap();
        session.replica.drain_events().count();
    }
}

#[test]
fn on_a_new_line_frames_come_at_every_send_tick_again() {
    let now = Instant::now();
    let mut session = entered(now);
    session.handle(&codec::encode_control(&ServerMessage::Pace { every: 4 }), now).unwrap();
    session.lost();
    session.resume();
    session.resumed(seat(2, 0), now).unwrap();
    session.handle(&frame(&head(2, 11, true), &[]), now).unwrap();
    for tick in 12..40 {
        let then = now + (tick - 11) * 50 * MS;
        session.handle(&frame(&head(2, tick, false), &[]), then).unwrap();
        session.playout().draw(then);
    }
    let delay = session.playout().delay();
    assert!(delay < 70 * MS, "{delay:?}");
}

#[test]
fn a_line_slower_by_a_step_goes_on_without_a_resync_and_its_aims_stay_right() {
    let now = Instant::now();
    let mut session = entered(now);
    frames(&mut session, now, 11..30, |tick| (tick - 10) * 50 * MS);
    frames(&mut session, now, 30..60, |tick| (tick - 10) * 50 * MS + 600 * MS);
    let then = now + 49 * 50 * MS + 600 * MS;
    assert_eq!((session.counts().resyncs, session.counts().stale), (0, 0));
    assert!(session.clock().age(Tick(59), then) < 5 * MS);
    assert_eq!(session.clock().tick(then), Tick(59), "what has arrived is now");
    assert_eq!(session.lead(), 14, "which the server executed 600 ms ago");
}

#[test]
fn a_client_that_reads_ever_later_resyncs_from_where_it_is_and_once_where_that_does_not_help() {
    let now = Instant::now();
    let mut session = entered(now);
    frames(&mut session, now, 11..20, |tick| (tick - 10) * 50 * MS);
    let slowly = |tick: u32| 500 * MS + (tick - 20) * 65 * MS;
    let resynced = (20..400).find(|tick| {
        frames(&mut session, now, *tick..tick + 1, slowly);
        session.counts().resyncs > 0
    });
    let resynced = resynced.expect("a resync");
    assert!((282..294).contains(&resynced), "after 15 seconds with frames older than 500 ms, not {resynced}");
    assert_eq!(events(&mut session).last(), Some(&Event::Resyncing(Reason::Lag)));
    let resync = std::iter::from_fn(|| sent(&mut session)).find(|message| matches!(message, ClientMessage::Resync(_)));
    let wanted = Resync { epoch: 2, applied: Some(Tick(resynced)), event: 0 };
    assert_eq!(resync, Some(ClientMessage::Resync(wanted)));
    session.handle(&frame(&head(2, resynced + 1, true), &[]), now + slowly(resynced + 1)).unwrap();
    frames(&mut session, now, resynced + 2..resynced + 40, slowly);
    assert_eq!(session.counts().resyncs, 1);
    let age = session.clock().age(Tick(resynced + 39), now + slowly(resynced + 39));
    assert!(age < 500 * MS, "the clock takes the line as it is, not {age:?}");
}

#[test]
fn events_are_told_once_and_in_order_across_epochs() {
    let now = Instant::now();
    let mut session = entered(now);
    session.handle(&frame(&head(1, 11, false), &[4, 7]), now).unwrap();
    let resync = session.resume().resync;
    assert_eq!(resync, Resync { epoch: 2, applied: Some(Tick(11)), event: 7 });
    session.resumed(seat(2, 0), now).unwrap();
    session.handle(&frame(&head(2, 12, true), &[7, 9]), now).unwrap();
    let numbers = events(&mut session).into_iter().filter_map(|event| match event {
        Event::Game { number, .. } => Some(number),
        _ => None,
    });
    assert_eq!(numbers.collect::<Vec<_>>(), [4, 7, 9]);
}

#[test]
fn a_resume_sends_again_what_the_server_has_not_taken_in() {
    let now = Instant::now();
    let mut session = entered(now);
    for _ in 0..3 {
        session.send(&Input::default(), now).unwrap();
    }
    session.leave();
    session.lost();
    session.resume();
    session.send(&Input::default(), now).unwrap();
    session.resumed(seat(2, 2), now).unwrap();
    let Some(ClientMessage::Inputs { number: 3, inputs, .. }) = sent(&mut session) else { panic!() };
    assert_eq!(inputs.len(), 2);
    assert_eq!(sent(&mut session), Some(ClientMessage::Leave), "the wish to leave last");
    assert_eq!(session.resumed(seat(3, 9), now), Err(Violation::Inputs { taken: 9, sent: 4 }));
}

#[test]
fn an_input_before_the_first_frame_aims_beyond_the_tick_of_the_seat() {
    let now = Instant::now();
    let mut session = Session::<Arena>::new(Seat { tick: Tick(900), ..seat(1, 0) }, schema(), now);
    session.send(&Input::default(), now + 60 * MS).unwrap();
    let Some(ClientMessage::Inputs { inputs, .. }) = sent(&mut session) else { panic!() };
    assert_eq!(inputs[0].aim, Tick(902));
}

#[test]
fn a_seat_taken_over_from_a_lost_session_numbers_its_inputs_on() {
    let now = Instant::now();
    let mut session = Session::<Arena>::new(seat(2, 7), schema(), now);
    assert_eq!(session.send(&Input::default(), now), Ok(8));
    let settled = Head { inputs: Some(Settled { number: 7, margin: 0 }), ..head(2, 10, true) };
    session.handle(&frame(&settled, &[]), now).unwrap();
    assert!(matches!(session.next_event(), Some(Event::Frame(_))));
}

#[test]
fn what_a_server_must_not_send_is_a_violation() {
    let now = Instant::now();
    for bytes in [&[][..], &[4], &[CONTROL], &[CONTROL, 4], &[CONTROL, 0, 1, 0, 0, 9]] {
        assert!(entered(now).handle(bytes, now).is_err(), "{bytes:?}");
    }
    let mut session = entered(now);
    let goodbye = ServerMessage::Goodbye { code: Code::Left, message: String::new(), frames: 1, retry_within_ms: 0 };
    session.handle(&codec::encode_control(&goodbye), now).unwrap();
    assert!(session.is_over() && session.counts().frames == 1);
}

#[test]
fn a_frame_that_is_none_asks_for_everything_anew() {
    let now = Instant::now();
    let mut session = entered(now);
    session.handle(&[FRAME, 0xFF], now).unwrap();
    assert_eq!(session.counts().bad_frames, 1);
    assert_eq!(sent(&mut session), Some(ClientMessage::Resync(Resync { epoch: 2, applied: None, event: 0 })));
}

#[test]
fn a_line_that_takes_nothing_gets_no_more_reports() {
    let now = Instant::now();
    let mut session = entered(now);
    for tick in 11..100 {
        let at = now + tick * 100 * MS;
        session.handle(&frame(&head(1, tick, false), &[]), at).unwrap();
        session.handle_time(at + 90 * MS);
        assert!(session.deadline().is_none_or(|due| due > at + 90 * MS));
    }
    assert!(session.outgoing.len() <= BACKLOG + 1, "and one resync");
}

#[test]
fn a_fast_screen_sends_a_message_every_16_ms_and_none_on_a_line_that_takes_nothing() {
    let now = Instant::now();
    let mut session = entered(now);
    let mut messages = 0;
    for ms in 0..1000 {
        session.send(&Input::default(), now + ms * MS).ok();
        session.handle_time(now + ms * MS);
        messages += std::iter::from_fn(|| sent(&mut session))
            .filter(|message| matches!(message, ClientMessage::Inputs { .. }))
            .count();
    }
    assert!((10..=63).contains(&messages), "{messages} in a second");
    let mut stuck = entered(now);
    for ms in 0..10_000 {
        stuck.send(&Input::default(), now + ms * MS).ok();
        stuck.handle_time(now + ms * MS);
        assert!(stuck.deadline().is_none_or(|due| due > now + ms * MS), "or the caller would spin");
    }
    assert!(stuck.outgoing.len() <= BACKLOG);
}

#[test]
fn a_piece_that_does_not_fit_asks_for_everything_anew_and_the_rest_of_its_frame_is_dropped() {
    let now = Instant::now();
    let mut session = entered(now);
    session.handle(&[PIECE, 1, 0, 0, FRAME, 0], now).unwrap();
    assert_eq!((session.counts().frames, sent(&mut session)), (1, None), "no frame yet");
    session.handle(&[PIECE, 1, 2, 0, 1], now).unwrap();
    assert_eq!(sent(&mut session), Some(ClientMessage::Resync(Resync { epoch: 2, applied: None, event: 0 })));
    session.handle(&[PIECE, 1, 3, 1, 1], now).unwrap();
    let counts = session.counts();
    assert_eq!((counts.bad_frames, counts.stale, counts.resyncs), (1, 1, 1));
    let start = frame(&head(2, 12, true), &[4]);
    let (first, second) = start.split_at(5);
    session.handle(&[&[PIECE, 2, 0, 0], first].concat(), now).unwrap();
    events(&mut session);
    session.handle(&[&[PIECE, 2, 1, 1], second].concat(), now).unwrap();
    let told = events(&mut session);
    let bytes = start.len() + 8;
    assert!(matches!(told[0], Event::Frame(Frame { tick: Tick(12), bytes: all, .. }) if all == bytes), "{told:?}");
    assert!(matches!(told[1], Event::Game { number: 4, .. }));
}

#[test]
fn a_resync_that_waits_is_not_asked_for_on_a_new_line_which_begins_anew_by_itself() {
    let now = Instant::now();
    let mut session = entered(now);
    let wrong = |epoch, tick| frame(&Head { hash: Some(StateHash(1, 2)), ..head(epoch, tick, true) }, &[]);
    session.handle(&wrong(1, 11), now).unwrap();
    session.handle(&wrong(2, 12), now + 50 * MS).unwrap();
    session.lost();
    let resume = session.resume();
    session.resumed(seat(resume.resync.epoch, 0), now + 60 * MS).unwrap();
    session.handle(&frame(&head(resume.resync.epoch, 13, true), &[]), now + 70 * MS).unwrap();
    session.handle_time(now + 2000 * MS);
    let report = Report { epoch: resume.resync.epoch, applied: Tick(13), event: 0 };
    assert_eq!(sent(&mut session), Some(ClientMessage::Report(report)), "the world stays as it is");
    assert_eq!(sent(&mut session), None);
    assert_eq!(session.counts().resyncs, 1);
}

#[test]
fn a_result_comes_before_the_goodbye_and_a_goodbye_that_passes_is_none() {
    let now = Instant::now();
    let mut session = entered(now);
    let say = |session: &mut Session<Arena>, message| session.handle(&codec::encode_control(&message), now).unwrap();
    let goodbye = |code| ServerMessage::Goodbye { code, message: String::new(), frames: 1, retry_within_ms: 0 };
    say(&mut session, ServerMessage::Announcement { text: "soon".to_owned() });
    say(&mut session, goodbye(Code::Stopping));
    assert!(!session.is_over());
    say(&mut session, ServerMessage::Result { result: "[1]".to_owned() });
    say(&mut session, goodbye(Code::Finished));
    assert!(session.is_over());
    let told = events(&mut session);
    assert_eq!(told[..2], [Event::Announcement("soon".to_owned()), Event::Result("[1]".to_owned())]);
    assert!(matches!(told[2..], [Event::Goodbye { code: Code::Finished, .. }]));
}

#[test]
fn a_room_that_goes_on_elsewhere_from_an_earlier_tick_takes_back_what_was_seen_since() {
    let now = Instant::now();
    let mut session = entered(now);
    session.handle(&frame(&head(1, 50, false), &[6]), now + 2000 * MS).unwrap();
    for (cut, rewound) in [(50, None), (40, Some(Event::Rewound { from: Tick(50), to: Tick(40) }))] {
        events(&mut session);
        session.lost();
        let epoch = session.resume().resync.epoch;
        session.resumed(Seat { cut: Some(Tick(cut)), ..seat(epoch, 0) }, now + 2100 * MS).unwrap();
        assert_eq!(session.next_event(), Some(Event::Reconnected));
        assert_eq!(session.next_event(), rewound, "cut at {cut}");
    }
    assert_eq!((session.replica().tables().count(), session.replica().tick()), (0, None));
    assert_eq!(session.clock().tick(now + 2100 * MS), Tick(40), "inputs aim at what will be");
    session.handle(&frame(&head(3, 41, true), &[6, 7]), now + 2200 * MS).unwrap();
    let told = events(&mut session);
    assert!(matches!(told[0], Event::Frame(Frame { tick: Tick(41), .. })));
    assert!(matches!(told[1..], [Event::Game { number: 7, .. }]), "event 6 is told once: {told:?}");
}

#[test]
fn inputs_that_an_earlier_owner_of_the_room_had_settled_are_sent_again_to_the_next() {
    let now = Instant::now();
    let mut session = entered(now);
    for ms in 0..3 {
        session.send(&Input::default(), now + 20 * ms * MS).unwrap();
    }
    let settled = Head { inputs: Some(Settled { number: 3, margin: 1 }), ..head(1, 12, false) };
    session.handle(&frame(&settled, &[]), now + 100 * MS).unwrap();
    session.lost();
    let resume = session.resume();
    assert_eq!((resume.first_input, resume.owner, resume.groups), (1, 1, vec![3]));
    session.resumed(Seat { owner: 2, ..seat(2, 1) }, now + 200 * MS).unwrap();
    let Some(ClientMessage::Inputs { number: 2, inputs, .. }) = sent(&mut session) else { panic!() };
    assert_eq!(inputs.len(), 2);
    assert_eq!(session.resume().owner, 2);
}
