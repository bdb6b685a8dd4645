//! Searching for a match, as clients meet it.

use std::time::Duration;

use tiltyard_shared::protocol::{
    ClientMessage, Code, ServerMessage, Target, limits,
    search::{Party, Search, SearchState},
};
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    client::{Client, Seat},
    game::{config, serve},
};

fn search(mode: &str) -> Search {
    Search { game: "puppet".to_owned(), mode: mode.to_owned(), rating: 0, party: None }
}

/// The next state that is so.
async fn until<T>(client: &mut Client, so: impl Fn(SearchState) -> Option<T>) -> T {
    loop {
        match client.control().await {
            ServerMessage::Search(state) => {
                if let Some(found) = so(state) {
                    return found;
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn until_joining(client: &mut Client) -> (Uuid, Vec<u8>) {
    until(client, |state| match state {
        SearchState::Joining { id, url, pass } => {
            assert_eq!(url, "", "an instance alone sends nobody away");
            Some((id, pass))
        }
        SearchState::Searching { .. } | SearchState::Agreed => None,
        other => panic!("{other:?}"),
    })
    .await
}

async fn until_matched(client: &mut Client) -> Uuid {
    until(client, |state| if let SearchState::Matched { id } = state { Some(id) } else { None }).await
}

/// A connection that searches.
async fn searching(addr: std::net::SocketAddr, wish: &Search) -> Client {
    let mut client = Client::welcome(addr).await;
    client.say(&ClientMessage::Search { request: 3, search: wish.clone() }).await;
    client
}

async fn take_seat(addr: std::net::SocketAddr, pass: &[u8]) -> (Client, Seat) {
    Client::seated(addr, Target::Pass(pass.to_vec())).await
}

#[tokio::test]
async fn two_who_search_are_matched_into_one_room_of_two_teams() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (mut ann, mut bob) = (searching(addr, &search("duel")).await, searching(addr, &search("duel")).await);
    let ((match_a, pass_a), (match_b, pass_b)) = (until_joining(&mut ann).await, until_joining(&mut bob).await);
    assert_eq!(match_a, match_b);
    let (mut playing, seat) = take_seat(addr, &pass_a).await;
    let (_other, other_seat) = take_seat(addr, &pass_b).await;
    assert_eq!((seat.room, other_seat.room), (match_a, match_a));
    assert_eq!(until_matched(&mut ann).await, match_a);
    assert_eq!(until_matched(&mut bob).await, match_a);
    // The puppet stands where its team is.
    let mut places =
        [playing.until_figure(seat.player).await.place, playing.until_figure(other_seat.player).await.place];
    places.sort_unstable();
    assert_eq!(places, [100, 200]);
    // Nobody else comes in, and the place in the queue is free again.
    let mut guest = Client::welcome(addr).await;
    assert_eq!(guest.enter(Target::Room(seat.room)).await.unwrap_err(), Code::Locked);
    ann.say(&ClientMessage::Search { request: 3, search: search("duel") }).await;
    until(&mut ann, |state| matches!(state, SearchState::Searching { .. }).then_some(())).await;
    server.stop().await;
}

#[tokio::test]
async fn a_match_of_too_few_ends_and_who_came_searches_on_with_the_time_waited() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let mut ann = searching(addr, &search("duel")).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut bob = searching(addr, &search("duel")).await;
    let (_, pass) = until_joining(&mut ann).await;
    until_joining(&mut bob).await;
    let (mut playing, _) = take_seat(addr, &pass).await;
    bob.say(&ClientMessage::CancelSearch { request: 4 }).await;
    until(&mut bob, |state| (state == SearchState::ended(Code::Cancelled)).then_some(())).await;
    assert!(matches!(playing.control().await, ServerMessage::Goodbye { code: Code::TooFew, .. }));
    let waited =
        until(&mut ann, |state| if let SearchState::Searching { waited_ms } = state { Some(waited_ms) } else { None });
    assert!(waited.await >= 300);
    // Another opponent is found for her.
    let mut cyd = searching(addr, &search("duel")).await;
    let ((again, pass_a), (_, pass_c)) = (until_joining(&mut ann).await, until_joining(&mut cyd).await);
    let (_first, _second) = (take_seat(addr, &pass_a).await, take_seat(addr, &pass_c).await);
    assert_eq!(until_matched(&mut ann).await, again);
    server.stop().await;
}

#[tokio::test]
async fn a_pass_shown_again_takes_the_own_seat_over_and_is_worth_nothing_to_others() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (mut ann, mut bob) = (searching(addr, &search("duel")).await, searching(addr, &search("duel")).await);
    let ((_, pass_a), (_, pass_b)) = (until_joining(&mut ann).await, until_joining(&mut bob).await);
    let (mut first, seat) = take_seat(addr, &pass_a).await;
    let (_bob, _) = take_seat(addr, &pass_b).await;
    let (mut second, again) = take_seat(addr, &pass_a).await;
    assert_eq!((again.player, again.token), (seat.player, seat.token));
    assert_eq!(first.goodbye().await.0, Code::TakenOver);
    second.until_figure(seat.player).await;
    let mut forged = pass_a.clone();
    *forged.last_mut().unwrap() ^= 1;
    let mut thief = Client::welcome(addr).await;
    assert_eq!(thief.enter(Target::Pass(forged)).await.unwrap_err(), Code::BadPass);
    server.stop().await;
}

#[tokio::test]
async fn a_party_is_matched_into_one_team() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let party = |code: &str| Search { party: Some(Party { code: code.to_owned(), size: 2 }), ..search("pairs") };
    let mut clients = Vec::new();
    for code in ["red", "blue", "red", "blue"] {
        clients.push((code, searching(addr, &party(code)).await));
    }
    let mut seats = Vec::new();
    for (code, client) in &mut clients {
        let joining = until(client, |state| match state {
            SearchState::Joining { pass, .. } => Some(pass),
            SearchState::Ended { code, .. } => panic!("{code}"),
            _ => None,
        });
        seats.push((*code, take_seat(addr, &joining.await).await));
    }
    let mut places = Vec::new();
    for (code, (client, seat)) in &mut seats {
        places.push((*code, client.until_figure(seat.player).await.place));
    }
    assert!(
        places.iter().all(|(code, place)| places.iter().all(|(other, at)| (code == other) == (place == at))),
        "{places:?}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_mate_who_changes_their_mind_lets_nobody_wait() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let party = |code: &str| Search { party: Some(Party { code: code.to_owned(), size: 2 }), ..search("pairs") };
    let (mut ann, mut ben) = (searching(addr, &party("red")).await, searching(addr, &party("red")).await);
    let (mut cyd, mut dan) = (searching(addr, &party("blue")).await, searching(addr, &party("blue")).await);
    let pass = until(&mut ann, |state| if let SearchState::Joining { pass, .. } = state { Some(pass) } else { None });
    let (mut playing, _) = take_seat(addr, &pass.await).await;
    let began = std::time::Instant::now();
    ben.say(&ClientMessage::CancelSearch { request: 4 }).await;
    assert!(matches!(playing.control().await, ServerMessage::Goodbye { code: Code::TooFew, .. }));
    for other in [&mut cyd, &mut dan] {
        until(other, |state| matches!(state, SearchState::Joining { .. }).then_some(())).await;
        until(other, |state| matches!(state, SearchState::Searching { .. }).then_some(())).await;
    }
    assert!(began.elapsed() < limits::PASS_LIFETIME / 2, "the seats are not kept until their time is over");
    // A party searches together or not at all.
    until(&mut ann, |state| (state == SearchState::ended(Code::Cancelled)).then_some(())).await;
    server.stop().await;
}

#[tokio::test]
async fn a_mate_whose_connection_breaks_on_the_way_leaves_nobody_alone_for_long() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (mut ann, mut bob) = (searching(addr, &search("duel")).await, searching(addr, &search("duel")).await);
    let (_, pass) = until_joining(&mut ann).await;
    until_joining(&mut bob).await;
    let (mut playing, _) = take_seat(addr, &pass).await;
    let began = std::time::Instant::now();
    drop(bob);
    assert!(matches!(playing.control().await, ServerMessage::Goodbye { code: Code::TooFew, .. }));
    until(&mut ann, |state| matches!(state, SearchState::Searching { .. }).then_some(())).await;
    let alone = began.elapsed();
    assert!((limits::CUT_OFF..limits::PASS_LIFETIME / 2).contains(&alone), "{alone:?}");
    server.stop().await;
}

#[tokio::test]
async fn who_hangs_up_the_search_on_the_way_and_takes_the_seat_plays() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (mut ann, mut bob) = (searching(addr, &search("duel")).await, searching(addr, &search("duel")).await);
    let ((id, pass_a), (_, pass_b)) = (until_joining(&mut ann).await, until_joining(&mut bob).await);
    drop(bob);
    let (_first, _second) = (take_seat(addr, &pass_a).await, take_seat(addr, &pass_b).await);
    assert_eq!(until_matched(&mut ann).await, id);
    server.stop().await;
}

#[tokio::test]
async fn a_seat_that_becomes_free_is_filled_by_who_searches() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (mut ann, mut bob) = (searching(addr, &search("relay")).await, searching(addr, &search("relay")).await);
    let ((room, pass_a), (_, pass_b)) = (until_joining(&mut ann).await, until_joining(&mut bob).await);
    let (mut staying, seat) = take_seat(addr, &pass_a).await;
    let (mut leaving, left) = take_seat(addr, &pass_b).await;
    until_matched(&mut ann).await;
    let freed = staying.until_figure(left.player).await.place;
    leaving.say(&ClientMessage::Leave).await;
    assert_eq!(leaving.goodbye().await.0, Code::Left);
    let mut cyd = searching(addr, &search("relay")).await;
    let (fill, pass) = until_joining(&mut cyd).await;
    assert_ne!(fill, room, "a proposal of its own");
    let (mut playing, new) = take_seat(addr, &pass).await;
    assert_eq!(new.room, seat.room);
    assert_eq!(playing.until_figure(new.player).await.place, freed, "in the team of who has left");
    staying.until_figure(new.player).await;
    assert_eq!(until_matched(&mut cyd).await, fill);
    server.stop().await;
}

#[tokio::test]
async fn a_search_that_cannot_be_is_refused_and_the_connection_goes_on() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let mut client = Client::welcome(addr).await;
    let big = Party { code: "x".to_owned(), size: 2 };
    for (wish, code) in [
        (Search { game: "chess".to_owned(), ..search("duel") }, Code::UnknownGame),
        (search("solitaire"), Code::UnknownMode),
        (Search { rating: 2_000_000, ..search("duel") }, Code::BadRating),
        (Search { party: Some(big), ..search("duel") }, Code::BadParty),
    ] {
        client.say(&ClientMessage::Search { request: 3, search: wish }).await;
        assert!(matches!(client.control().await, ServerMessage::Refused { code: refused, .. } if refused == code));
    }
    client.say(&ClientMessage::Search { request: 3, search: search("duel") }).await;
    until(&mut client, |state| matches!(state, SearchState::Searching { .. }).then_some(())).await;
    client.say(&ClientMessage::Search { request: 3, search: search("duel") }).await;
    let refused = client.control().await;
    assert!(matches!(refused, ServerMessage::Refused { code: Code::AlreadySearching, .. }), "{refused:?}");
    // Who goes in somewhere else searches no more.
    client.enter(Target::Game("puppet".to_owned())).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn behind_a_balancer_a_match_is_joined_where_its_host_is() {
    let mut config = config();
    config.public_url = Some("wss://play.example/i/one".to_owned());
    let server = serve(&config).await;
    let addr = server.listen_addr();
    let (mut ann, _bob) = (searching(addr, &search("duel")).await, searching(addr, &search("duel")).await);
    let url = until(&mut ann, |state| if let SearchState::Joining { url, .. } = state { Some(url) } else { None });
    assert_eq!(url.await, "wss://play.example/i/one/ws");
    server.stop().await;
}

#[tokio::test]
async fn who_drains_is_not_empty_while_somebody_searches() {
    let server = serve(&config()).await;
    let mut ann = searching(server.listen_addr(), &search("duel")).await;
    until(&mut ann, |state| matches!(state, SearchState::Searching { .. }).then_some(())).await;
    server.drain();
    assert!(timeout(Duration::from_millis(300), server.emptied()).await.is_err(), "her search goes on");
    let (emptied, ()) = tokio::join!(timeout(Duration::from_secs(5), server.emptied()), async { drop(ann) });
    emptied.expect("nobody is left");
    server.stop().await;
}
