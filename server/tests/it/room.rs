//! In the room: inputs, resuming, taking over, the end of a match, a game that fails, a peer that is gone.

use std::time::Duration;

use tiltyard_shared::{
    protocol::{Code, Resync, Target, limits},
    replica::Replica,
};
use uuid::Uuid;

use crate::{
    client::{Client, Seat},
    game::{AWAY, Pull, Strings, config, create, serve},
};

#[tokio::test]
async fn an_input_moves_what_everybody_sees() {
    let server = serve(&config()).await;
    let (mut ann, seat) = Client::seated(server.listen_addr(), create(&Strings::default())).await;
    let (mut bob, _) = Client::seated(server.listen_addr(), Target::Room(seat.room)).await;
    ann.pull(&Pull::Step(7)).await;
    ann.pull(&Pull::Step(-2)).await;
    ann.until_place(seat.player, 5).await;
    bob.until_place(seat.player, 5).await;
}

#[tokio::test]
async fn a_resume_that_names_too_many_groups_is_refused_and_the_seat_stays() {
    let server = serve(&config()).await;
    let (client, seat) = Client::seated(server.listen_addr(), create(&Strings::default())).await;
    drop(client);
    let Target::Resume(mut resume) = seat.resume(Resync { epoch: seat.epoch + 1, applied: None, event: 0 }) else {
        panic!("it is a resume");
    };
    resume.groups = (0..=limits::RESUME_GROUPS as u32).collect();
    let mut client = Client::welcome(server.listen_addr()).await;
    assert_eq!(client.enter(Target::Resume(resume.clone())).await.unwrap_err(), Code::TooLarge);
    resume.groups.pop();
    assert_eq!(client.enter(Target::Resume(resume)).await.map(|seat| seat.player), Ok(seat.player));
}

#[tokio::test]
async fn a_dropped_connection_keeps_its_seat_and_resumes_it_by_token() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (mut ann, seat) = Client::seated(addr, create(&Strings { seats: 1, ..Strings::default() })).await;
    ann.pull(&Pull::Step(7)).await;
    ann.until_place(seat.player, 7).await;
    let first_frames = ann.frames;
    drop(ann);
    let mut other = Client::welcome(addr).await;
    assert_eq!(other.enter(Target::Room(seat.room)).await.unwrap_err(), Code::RoomFull);
    let (mut ann, again) = Client::resumed(addr, &seat).await.unwrap();
    assert_eq!((again.player, again.input, again.epoch), (seat.player, 1, seat.epoch + 1));
    ann.until_place(seat.player, 7).await;
    ann.pull(&Pull::Step(1)).await;
    ann.until_place(seat.player, 8).await;
    ann.pull(&Pull::End).await;
    let (code, frames) = ann.goodbye().await;
    assert_eq!(code, Code::Finished);
    assert!(frames >= first_frames + ann.frames, "{frames} frames on both connections");
}

#[tokio::test]
async fn a_second_connection_takes_the_seat_over() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (mut ann, seat) = Client::seated(addr, create(&Strings::default())).await;
    let (mut again, new) = Client::resumed(addr, &seat).await.unwrap();
    assert_eq!(new.player, seat.player);
    assert_eq!(ann.goodbye().await, (Code::TakenOver, ann.frames));
    again.pull(&Pull::Step(2)).await;
    again.until_place(seat.player, 2).await;
}

#[tokio::test]
async fn resuming_what_is_not_there_is_refused() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (_ann, seat) = Client::seated(addr, create(&Strings::default())).await;
    let refused = async |seat: Seat| Client::resumed(addr, &seat).await.err();
    assert_eq!(refused(Seat { token: Uuid::nil(), ..seat }).await, Some(Code::UnknownSession));
    assert_eq!(refused(Seat { room: Uuid::nil(), ..seat }).await, Some(Code::UnknownRoom));
    let mut client = Client::welcome(addr).await;
    let resync = Resync { epoch: seat.epoch, applied: None, event: 0 };
    let stale = client.enter(seat.resume(resync)).await;
    assert_eq!(stale.unwrap_err(), Code::StaleEpoch);
}

#[tokio::test]
async fn a_seat_is_free_once_its_grace_has_passed() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let strings = Strings { seats: 2, grace_ms: 100, ..Strings::default() };
    let (mut ann, seat) = Client::seated(addr, create(&strings)).await;
    let (bob, lost) = Client::seated(addr, Target::Room(seat.room)).await;
    ann.until_place(lost.player, 0).await;
    drop(bob);
    // The game hears of it, and its figure goes.
    while ann.figure(lost.player).is_some() {
        ann.pull(&Pull::Step(1)).await;
        let place = ann.figure(seat.player).unwrap().place;
        ann.until_place(seat.player, place + 1).await;
    }
    assert_eq!(Client::resumed(addr, &lost).await.err(), Some(Code::UnknownSession));
    Client::seated(addr, Target::Room(seat.room)).await;
}

#[tokio::test]
async fn an_empty_room_goes_away() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (mut ann, seat) = Client::seated(addr, create(&Strings::default())).await;
    ann.say(&tiltyard_shared::protocol::ClientMessage::Leave).await;
    assert_eq!(ann.goodbye().await.0, Code::Left);
    let gone = async {
        loop {
            let mut client = Client::welcome(addr).await;
            match Client::resumed(addr, &seat).await.err() {
                Some(Code::UnknownSession) => drop(client.stream.close(None).await),
                other => return other,
            }
        }
    };
    assert!(matches!(gone.await, Some(Code::UnknownRoom | Code::RoomClosed)));
}

#[tokio::test]
async fn a_finished_match_sends_its_last_frames_and_says_so() {
    let server = serve(&config()).await;
    let (mut ann, seat) = Client::seated(server.listen_addr(), create(&Strings::default())).await;
    let (mut bob, _) = Client::seated(server.listen_addr(), Target::Room(seat.room)).await;
    ann.pull(&Pull::Step(7)).await;
    ann.pull(&Pull::End).await;
    assert_eq!(ann.goodbye().await, (Code::Finished, ann.frames));
    assert_eq!(bob.goodbye().await, (Code::Finished, bob.frames));
    assert_eq!(bob.figure(seat.player).map(|figure| figure.place), Some(7));
    assert_eq!(ann.result.as_deref(), Some("\"over\""));
    assert_eq!(Client::resumed(server.listen_addr(), &seat).await.err(), Some(Code::UnknownRoom));
}

#[tokio::test]
async fn who_is_away_when_a_match_ends_is_told_how_it_ended() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (mut ann, seat) = Client::seated(addr, create(&Strings::default())).await;
    let (bob, lost) = Client::seated(addr, Target::Room(seat.room)).await;
    drop(bob);
    ann.until_place(lost.player, -AWAY).await;
    ann.pull(&Pull::Step(7)).await;
    ann.pull(&Pull::End).await;
    assert_eq!(ann.goodbye().await.0, Code::Finished);

    let mut late = Client::welcome(addr).await;
    assert_eq!(late.enter(Target::Room(seat.room)).await.unwrap_err(), Code::Finished, "nobody else comes in");
    assert_eq!(Client::resumed(addr, &seat).await.err(), Some(Code::UnknownSession), "who was told is done");
    let (mut bob, again) = Client::resumed(addr, &lost).await.unwrap();
    assert_eq!(again.player, lost.player);
    assert_eq!(bob.goodbye().await.0, Code::Finished);
    assert_eq!(bob.figure(seat.player).map(|figure| figure.place), Some(7), "the last frame");
    assert_eq!(bob.result.as_deref(), Some("\"over\""));
    assert_eq!(Client::resumed(addr, &lost).await.err(), Some(Code::UnknownRoom), "the room is gone at once");
}

#[tokio::test]
async fn who_has_no_connection_is_seen_to_be_away_and_to_come_back() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (mut ann, seat) = Client::seated(addr, create(&Strings::default())).await;
    let (bob, lost) = Client::seated(addr, Target::Room(seat.room)).await;
    ann.until_place(lost.player, 0).await;
    drop(bob);
    ann.until_place(lost.player, -AWAY).await;
    let (_bob, _) = Client::resumed(addr, &lost).await.unwrap();
    ann.until_place(lost.player, 0).await;
}

#[tokio::test]
async fn a_game_that_panics_takes_its_own_room_down_and_no_other() {
    let mut config = config();
    config.shards = std::num::NonZeroUsize::new(1);
    let server = serve(&config).await;
    let (mut witness, elsewhere) = Client::seated(server.listen_addr(), create(&Strings::default())).await;
    let (mut ann, seat) = Client::seated(server.listen_addr(), create(&Strings::default())).await;
    let (mut bob, _) = Client::seated(server.listen_addr(), Target::Room(seat.room)).await;
    ann.pull(&Pull::Break).await;
    assert_eq!(ann.goodbye().await, (Code::GameFailed, ann.frames));
    assert_eq!(bob.goodbye().await, (Code::GameFailed, bob.frames));
    witness.pull(&Pull::Step(7)).await;
    witness.until_place(elsewhere.player, 7).await;
}

#[tokio::test]
async fn a_peer_that_does_not_answer_pings_is_told_and_keeps_its_seat() {
    let mut config = config();
    config.timing.ping = Duration::from_millis(50);
    config.timing.missed_pings = 3;
    let server = serve(&config).await;
    let (mut ann, seat) = Client::seated(server.listen_addr(), create(&Strings::default())).await;
    ann.until_place(seat.player, 0).await;
    ann.stream.get_mut().mute = true;
    assert_eq!(ann.goodbye().await, (Code::Unresponsive, ann.frames));
    let (_ann, again) = Client::resumed(server.listen_addr(), &seat).await.unwrap();
    assert_eq!(again.player, seat.player);
}

#[tokio::test]
async fn who_uploads_much_is_heard_and_sees_what_happens_meanwhile() {
    let server = serve(&config()).await;
    let (mut ann, seat) = Client::seated(server.listen_addr(), create(&Strings::default())).await;
    ann.until_place(seat.player, 0).await;
    let tick = |ann: &Client| ann.replica.as_ref().and_then(Replica::tick).expect("there was a frame").0;
    let before = tick(&ann);
    for _ in 0..250 {
        ann.pull(&Pull::Tell("x".repeat(4_000))).await;
    }
    ann.pull(&Pull::Step(7)).await;
    ann.until_place(seat.player, 7).await;
    let ticks = tick(&ann) - before;
    assert!(ticks < 125, "a megabyte took {ticks} ticks: less than 8 KiB were read at each");
}

#[tokio::test]
async fn a_client_is_pinged_before_it_enters_and_in_the_room() {
    let mut config = config();
    config.timing.ping = Duration::from_millis(30);
    let server = serve(&config).await;
    // The first thing that is said to it is the welcome.
    let mut ann = Client::welcome(server.listen_addr()).await;
    ann.until_pings(3).await;
    let seat = ann.enter(create(&Strings::default())).await.unwrap();
    ann.until_place(seat.player, 0).await;
    let outside = ann.pings;
    ann.until_pings(outside + 3).await;
}
