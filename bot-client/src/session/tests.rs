//! Sessions without a socket: frames written by hand, time passed in.

use tiltyard_arena::{
    Arena,
    messages::{Event as ArenaEvent, Input},
};
use tiltyard_shared::{
    frame::{Settled, part_flags, write_events, write_view},
    hash::StateHash,
    world::GroupId,
};

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

fn head(epoch: u32, tick: u32, start: bool) -> Head {
    Head { epoch, tick: Tick(tick), start, ..Head::default() }
}

fn entered(now: Instant) -> Session<Arena> {
    let mut session = Session::new(seat(1, 0), now);
    session.handle_time(now);
    assert_eq!(session.outgoing.pop_front(), Some(Outgoing::Ping(1)));
    session.handle(&frame(&head(1, 10, true), &[]), now).unwrap();
    assert!(matches!(session.next_event(), Some(Event::Frame(Frame { tick: Tick(10), start: true, .. }))));
    session
}

fn sent(session: &mut Session<Arena>) -> Option<ClientMessage> {
    session.outgoing.pop_front().map(|outgoing| match outgoing {
        Outgoing::Message(bytes) => codec::decode_client(&bytes).unwrap(),
        Outgoing::Ping(number) => panic!("ping {number}"),
    })
}

fn events(session: &mut Session<Arena>) -> Vec<Event<ArenaEvent>> {
    std::iter::from_fn(|| session.next_event()).collect()
}

#[test]
fn a_frame_is_reported_alone_within_100_ms_unless_an_input_does_it() {
    let now = Instant::now();
    let mut session = entered(now);
    assert!(session.deadline() <= now + limits::REPORT);
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
    let refused = vec![(2, tiltyard_shared::protocol::Code::TooManyEarly)];
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
    assert!(matches!(events(&mut session)[..], [Event::Jumping(Reason::Failed(ReplicaError::HashMismatch(Tick(11))))]));
    assert_eq!(sent(&mut session), Some(ClientMessage::Resync(Resync { epoch: 2, applied: None, event: 0 })));
    session.handle(&frame(&head(1, 12, false), &[]), now).unwrap();
    session.handle(&frame(&head(2, 13, true), &[]), now + 50 * MS).unwrap();
    session.handle(&wrong(head(2, 14, false)), now + 100 * MS).unwrap();
    session.handle_time(now + 900 * MS);
    assert_eq!(sent(&mut session), None, "the second jump waits");
    session.send(&Input::default(), now + 900 * MS).unwrap();
    let Some(ClientMessage::Inputs { report, .. }) = sent(&mut session) else { panic!() };
    assert_eq!((report.epoch, report.applied), (2, Tick(13)), "the server knows nothing of epoch 3 yet");
    assert_eq!(session.deadline(), now + 1000 * MS);
    session.handle_time(now + 1000 * MS);
    assert_eq!(sent(&mut session), Some(ClientMessage::Resync(Resync { epoch: 3, applied: None, event: 0 })));
    let counts = session.counts();
    assert_eq!((counts.mismatches, counts.stale, counts.jumps, counts.bad_frames), (2, 1, 2, 0));
}

#[test]
fn a_client_that_reads_old_frames_jumps_from_where_it_is() {
    let now = Instant::now();
    let mut session = entered(now);
    let late = |session: &mut Session<Arena>, tick: u32, at| {
        session.handle(&frame(&head(1, tick, false), &[]), now + at).unwrap();
    };
    late(&mut session, 11, 700 * MS);
    late(&mut session, 12, 900 * MS);
    assert_eq!(session.counts().jumps, 0);
    late(&mut session, 13, 951 * MS);
    assert_eq!(session.counts().jumps, 1);
    assert_eq!(events(&mut session).last(), Some(&Event::Jumping(Reason::Lag)));
    assert_eq!(sent(&mut session), Some(ClientMessage::Resync(Resync { epoch: 2, applied: Some(Tick(13)), event: 0 })));
}

#[test]
fn events_are_told_once_and_in_order_across_epochs() {
    let now = Instant::now();
    let mut session = entered(now);
    session.handle(&frame(&head(1, 11, false), &[4, 7]), now).unwrap();
    let jump = session.resume().resync;
    assert_eq!(jump, Resync { epoch: 2, applied: Some(Tick(11)), event: 7 });
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
    session.resume();
    session.send(&Input::default(), now).unwrap();
    session.resumed(seat(2, 2), now).unwrap();
    let numbers: Vec<_> = std::iter::from_fn(|| sent(&mut session))
        .map(|message| if let ClientMessage::Inputs { number, .. } = message { number } else { 0 })
        .collect();
    assert_eq!(numbers, [3, 4, 0], "and the wish to leave last");
    assert_eq!(session.resumed(seat(3, 9), now), Err(Violation::Inputs { taken: 9, sent: 4 }));
}

#[test]
fn an_input_before_the_first_frame_aims_beyond_the_tick_of_the_seat() {
    let now = Instant::now();
    let mut session = Session::<Arena>::new(Seat { tick: Tick(900), ..seat(1, 0) }, now);
    session.send(&Input::default(), now + 60 * MS).unwrap();
    let Some(ClientMessage::Inputs { inputs, .. }) = sent(&mut session) else { panic!() };
    assert_eq!(inputs[0].aim, Tick(903));
}

#[test]
fn a_seat_taken_over_from_a_lost_session_numbers_its_inputs_on() {
    let now = Instant::now();
    let mut session = Session::<Arena>::new(seat(2, 7), now);
    assert_eq!(session.send(&Input::default(), now), Ok(8));
    let settled = Head { inputs: Some(Settled { number: 7, margin: 0 }), ..head(2, 10, true) };
    session.handle(&frame(&settled, &[]), now).unwrap();
    assert!(matches!(session.next_event(), Some(Event::Frame(_))));
}

#[test]
fn what_a_server_must_not_send_is_a_violation() {
    let now = Instant::now();
    for bytes in [&[][..], &[2], &[CONTROL], &[CONTROL, 4], &[CONTROL, 0, 1, 0, 0, 9]] {
        assert!(entered(now).handle(bytes, now).is_err(), "{bytes:?}");
    }
    let mut session = entered(now);
    let goodbye = ServerMessage::Goodbye {
        code: tiltyard_shared::protocol::Code::Left,
        message: String::new(),
        frames: 1,
        retry_within_ms: 0,
    };
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
        assert!(session.deadline() > at + 90 * MS);
    }
    assert!(session.outgoing.len() <= BACKLOG + 1, "and one jump");
}
