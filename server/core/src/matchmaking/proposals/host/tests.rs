//! The host by itself: who gets a seat, when a match is one, and what becomes of free seats.

use uuid::Uuid;

use super::*;
use crate::{
    instance::instance,
    matchmaking::{
        PlayerKey,
        ticket::{Member, Ticket},
    },
};

const HOST: InstanceId = instance("i1");
const MATCHMAKER: InstanceId = instance("i2");
const HOME: InstanceId = instance("i3");
const ROOM: MatchId = MatchId(Uuid::from_u128(11));
const FILL: MatchId = MatchId(Uuid::from_u128(12));

fn at(millis: u64) -> Duration {
    Duration::from_millis(100_000 + millis)
}

/// Tickets are numbered; the players of ticket n are 10 n, 10 n + 1 and so on.
fn ticket(number: u128, size: u128) -> Ticket {
    let member = |index| {
        let id = Uuid::from_u128(number * 10 + index);
        Member { player: SessionId(id), key: PlayerKey(id), rating: 100 }
    };
    Ticket {
        id: TicketId(Uuid::from_u128(number)),
        home: HOME,
        mode: "squads".to_owned(),
        party: (0..size).map(member).collect(),
        regions: Vec::new(),
        avoid: Vec::new(),
        waited: Duration::ZERO,
    }
}

fn host() -> Host {
    let mode = Mode { min_players: 3, backfill: true, ..Mode::new("squads", 2, 2) };
    Host::new(HOST, "eu", vec![mode], 6)
}

fn reserve(id: MatchId, place: Venue, teams: [Vec<Ticket>; 2]) -> Event {
    let message =
        ToHost::Reserve(Reserve { id, matchmaker: MATCHMAKER, mode: "squads".to_owned(), place, teams: teams.into() });
    Event::Message { age: Duration::ZERO, message }
}

fn decline(id: MatchId, number: u128) -> Event {
    let message = ToHost::Decline { id, ticket: TicketId(Uuid::from_u128(number)) };
    Event::Message { age: Duration::ZERO, message }
}

fn ask(host: &mut Host, millis: u64, number: u128) -> Vec<Effect> {
    let message = ToHost::Ask { id: ROOM, ticket: TicketId(Uuid::from_u128(number)), home: HOME };
    host.handle(at(millis), Event::Message { age: Duration::ZERO, message })
}

fn claim(id: MatchId, reservation: u64, number: u128, index: u128) -> Claim {
    let (ticket, player) = (TicketId(Uuid::from_u128(number)), SessionId(Uuid::from_u128(number * 10 + index)));
    Claim { id, reservation: Reservation(reservation), ticket, player }
}

fn reserved(id: MatchId, reservation: u64) -> Effect {
    let reservation = Reservation(reservation);
    Effect::Send(MATCHMAKER, Message::Matchmaker(ToMatchmaker::Reserved { id, reservation }))
}

fn seated(id: MatchId, number: u128) -> Effect {
    tell(HOME, id, TicketId(Uuid::from_u128(number)), Verdict::Seated)
}

/// A ticket is sent back, with these players absent, numbered as the players of tickets are; whether its own are late.
fn returned(id: MatchId, number: u128, absent: &[u128], late: bool) -> Effect {
    let absent = absent.iter().map(|player| PlayerKey(Uuid::from_u128(*player))).collect();
    tell(HOME, id, TicketId(Uuid::from_u128(number)), Verdict::Returned { absent, late, ago: Duration::ZERO })
}

/// A host that keeps seats for a party of two against two singles.
fn reserving() -> Host {
    let mut host = host();
    let effects = host.handle(at(0), reserve(ROOM, Venue::New, [vec![ticket(1, 2)], vec![ticket(2, 1), ticket(3, 1)]]));
    assert_eq!(effects, [Effect::Open { room: ROOM, mode: "squads".to_owned() }, reserved(ROOM, 1)]);
    host
}

/// Has these players claim at a time, and returns what was decided.
fn come(host: &mut Host, players: &[(u128, u128)], millis: u64) -> Vec<Effect> {
    let mut decided = Vec::new();
    for (number, index) in players {
        let mut effects = host.handle(at(millis), Event::Claim(claim(ROOM, 1, *number, *index)));
        assert!(matches!(effects.remove(0), Effect::Admit { room: ROOM, .. }), "{number}/{index}");
        decided.extend(effects);
    }
    decided
}

#[test]
fn a_match_starts_when_all_have_come() {
    let mut host = reserving();
    assert_eq!(come(&mut host, &[(1, 0), (2, 0), (2, 0), (3, 0)], 100), [], "one of four is missing");
    let started = come(&mut host, &[(1, 1)], 9_999);
    let all = [Effect::Start(ROOM), seated(ROOM, 1), seated(ROOM, 2), seated(ROOM, 3)];
    assert_eq!(started, all);
    assert_eq!(host.handle(at(20_000), Event::Claim(claim(ROOM, 1, 1, 1))).len(), 1, "admitted again, at any time");
}

#[test]
fn doubled_and_late_reservations_change_nothing() {
    let mut host = reserving();
    let again = || reserve(ROOM, Venue::New, [vec![ticket(1, 2)], vec![ticket(2, 1), ticket(3, 1)]]);
    assert_eq!(host.handle(at(1), again()), [reserved(ROOM, 1)], "the same answer, no second room");
    let refused = Effect::Send(MATCHMAKER, Message::Matchmaker(ToMatchmaker::Refused { id: ROOM }));
    host.handle(at(10_000), Event::Tick);
    assert_eq!(host.handle(at(10_001), again()), [refused], "it is over");
    let Event::Message { message, .. } = again() else { unreachable!("it is a message") };
    let late = Event::Message { age: MESSAGE + Duration::from_millis(1), message };
    assert_eq!(host.handle(at(90_000), late), []);
    assert_eq!(host.handle(at(90_000), again()).len(), 2, "forgotten by now: new seats that no old pass fits");
    assert_eq!(host.handle(at(90_000), Event::Claim(claim(ROOM, 1, 1, 0))).len(), 1);
    assert_eq!(host.seated().count(), 0);
}

#[test]
fn below_the_minimum_it_ends_and_all_go_back() {
    let mut host = reserving();
    assert_eq!(come(&mut host, &[(2, 0), (3, 0)], 100), []);
    let back = |number| returned(ROOM, number, &[10, 11], number == 1);
    let all = [Effect::End(ROOM), back(1), back(2), back(3)];
    assert_eq!(host.handle(at(10_000), Event::Tick), all);
    let Effect::Send(_, Message::Home(ToHome::Returned { absent, ago, .. })) = &ask(&mut host, 10_700, 2)[0] else {
        panic!("not told")
    };
    assert_eq!((absent.len(), *ago), (2, Duration::from_millis(700)), "what became of it stays known");
    assert_eq!((host.seats(), host.seated().count()), (0, 0));
    let effects = host.handle(at(10_701), Event::Claim(claim(ROOM, 1, 1, 0)));
    assert_eq!(effects, [Effect::Refuse(claim(ROOM, 1, 1, 0))]);
}

#[test]
fn it_ends_at_once_when_the_minimum_is_out_of_reach() {
    let mut host = reserving();
    assert_eq!(host.handle(at(1), decline(ROOM, 3)), [returned(ROOM, 3, &[30], false)], "three of four can still come");
    come(&mut host, &[(2, 0)], 2);
    assert_eq!(host.handle(at(3), decline(ROOM, 2)), [], "who is here is not declined");
    let (all, effects) = ([30, 10, 11], host.handle(at(4), decline(ROOM, 1)));
    assert_eq!(effects, [returned(ROOM, 1, &all, false), Effect::End(ROOM), returned(ROOM, 2, &all, false)]);
}

#[test]
fn who_is_here_waits_for_no_mate_who_declines() {
    let mut host = reserving();
    assert_eq!(come(&mut host, &[(1, 0), (2, 0), (3, 0)], 100), []);
    let effects = host.handle(at(200), decline(ROOM, 1));
    let all = [Effect::Start(ROOM), seated(ROOM, 1), seated(ROOM, 2), seated(ROOM, 3)];
    assert_eq!(effects, all, "three are enough");
    let late = claim(ROOM, 1, 1, 1);
    assert_eq!(host.handle(at(201), Event::Claim(late)), [Effect::Refuse(late)]);
}

fn cut_off(host: &mut Host, millis: u64, number: u128, index: u128) -> Vec<Effect> {
    let (ticket, player) = (TicketId(Uuid::from_u128(number)), SessionId(Uuid::from_u128(number * 10 + index)));
    let message = ToHost::CutOff { id: ROOM, ticket, player };
    host.handle(at(millis), Event::Message { age: Duration::ZERO, message })
}

#[test]
fn who_is_cut_off_has_three_seconds_to_come() {
    let mut host = reserving();
    assert_eq!(come(&mut host, &[(1, 0), (2, 0)], 100), []);
    for (number, index) in [(1, 1), (2, 0), (3, 0)] {
        assert_eq!(cut_off(&mut host, 1_000, number, index), []);
    }
    assert_eq!(cut_off(&mut host, 2_000, 3, 0), [], "said again, it gives no more time");
    assert_eq!(come(&mut host, &[(1, 1)], 3_999), [], "on the way all the time");
    let all = [Effect::Start(ROOM), seated(ROOM, 1), seated(ROOM, 2), returned(ROOM, 3, &[30], false)];
    let effects = host.handle(at(4_000), Event::Tick);
    assert!(effects[..4].iter().all(|effect| all.contains(effect)), "{effects:?}");
    let late = claim(ROOM, 1, 3, 0);
    assert_eq!(host.handle(at(4_001), Event::Claim(late)), [Effect::Refuse(late)]);
}

#[test]
fn free_seats_are_offered_and_filled_while_it_runs() {
    let mut host = reserving();
    come(&mut host, &[(1, 0), (1, 1), (2, 0)], 100);
    let some = [Effect::Start(ROOM), seated(ROOM, 1), seated(ROOM, 2), returned(ROOM, 3, &[30], true)];
    let effects = host.handle(at(10_000), Event::Tick);
    assert_eq!(effects[..1], some[..1]);
    assert_eq!(effects[1..4].iter().filter(|effect| some.contains(effect)).count(), 3);
    let Effect::Publish(Request::Offer(offer)) = &effects[4] else { panic!("{effects:?}") };
    assert_eq!((offer.vacancies[0].team, offer.vacancies[0].seats, offer.vacancies[0].rating), (1, 1, 100));

    let place = Venue::Running { room: ROOM, host: HOST, team: 1 };
    let fill = |number| reserve(FILL, place, [vec![], vec![ticket(number, 1)]]);
    assert_eq!(host.handle(at(11_000), fill(1)).len(), 1);
    assert!(host.seated().all(|seat| seat.0 == ROOM), "a player who sits there already gets no second seat");
    assert_eq!(host.handle(at(11_000), fill(4)), [reserved(FILL, 2)]);
    let other = MatchId(Uuid::from_u128(13));
    let refused = Effect::Send(MATCHMAKER, Message::Matchmaker(ToMatchmaker::Refused { id: other }));
    let second = reserve(other, place, [vec![], vec![ticket(5, 1)]]);
    assert_eq!(host.handle(at(11_000), second), [refused], "the seat is spoken for");
    let effects = host.handle(at(12_000), Event::Claim(claim(FILL, 2, 4, 0)));
    assert_eq!(effects[1..], [seated(FILL, 4)]);
    assert_eq!(host.seated().count(), 4);
    let empty = host.handle(at(12_000), Event::Tick);
    assert!(matches!(&empty[..], [Effect::Publish(Request::Offer(offer))] if offer.vacancies.is_empty()));
}

#[test]
fn who_did_not_come_to_fill_a_seat_goes_back() {
    let mut host = reserving();
    come(&mut host, &[(1, 0), (1, 1), (2, 0)], 100);
    host.handle(at(10_000), Event::Tick);
    let place = Venue::Running { room: ROOM, host: HOST, team: 1 };
    host.handle(at(11_000), reserve(FILL, place, [vec![], vec![ticket(4, 1)]]));
    assert_eq!(host.handle(at(20_999), Event::Ended(FILL)), [], "not a room");
    assert_eq!(host.handle(at(21_000), Event::Ended(ROOM)), [returned(FILL, 4, &[40], true)]);
    assert_eq!(ask(&mut host, 21_001, 1), [seated(ROOM, 1)], "what became of the others stays known");
}

#[test]
fn seats_are_kept_for_the_whole_party_and_free_when_it_has_left() {
    let mut host = reserving();
    come(&mut host, &[(1, 0), (2, 0), (3, 0)], 100);
    assert_eq!(ask(&mut host, 9_000, 1), [], "open");
    host.handle(at(10_000), Event::Tick);
    assert_eq!(ask(&mut host, 10_001, 1), [seated(ROOM, 1)]);
    assert_eq!(come(&mut host, &[(1, 1)], 15_000), [], "late, but with its party");
    for index in [0, 1] {
        let player = SessionId(Uuid::from_u128(10 + index));
        host.handle(at(16_000), Event::Left { room: ROOM, player });
    }
    let refused = host.handle(at(16_000), Event::Claim(claim(ROOM, 1, 1, 1)));
    assert_eq!(refused, [Effect::Refuse(claim(ROOM, 1, 1, 1))], "who has left has left");
    assert_eq!(ask(&mut host, 16_001, 1), [seated(ROOM, 1)], "it was in");
    assert_eq!(host.seated().count(), 2);
}

#[test]
fn a_host_that_is_full_or_draining_refuses() {
    let mut host = reserving();
    let more = || reserve(FILL, Venue::New, [vec![ticket(5, 2)], vec![ticket(6, 2)]]);
    let refused = Effect::Send(MATCHMAKER, Message::Matchmaker(ToMatchmaker::Refused { id: FILL }));
    assert_eq!(host.handle(at(1), more()), std::slice::from_ref(&refused), "4 of 6 seats are taken");
    let release = Event::Message { age: Duration::ZERO, message: ToHost::Release { id: ROOM } };
    assert!(host.handle(at(1), release).contains(&Effect::End(ROOM)));
    host.handle(at(2), Event::Drain);
    assert_eq!(host.handle(at(2), more()), [refused]);
    let wrong = reserve(FILL, Venue::New, [vec![ticket(5, 2)], vec![ticket(5, 2)]]);
    assert_eq!(self::host().handle(at(3), wrong).len(), 1, "nobody sits twice");
}

#[test]
fn who_is_turned_away_at_the_door_is_not_there_and_may_come_again() {
    let mut host = reserving();
    come(&mut host, &[(1, 0), (1, 1), (2, 0), (3, 0)][..3], 100);
    let player = SessionId(Uuid::from_u128(20));
    assert_eq!(host.handle(at(200), Event::TurnedAway { room: ROOM, player }), []);
    assert_eq!(host.seated().count(), 2);
    assert_eq!(come(&mut host, &[(3, 0)], 300), [], "nothing starts without the one who was turned away");
    assert_eq!(come(&mut host, &[(2, 0)], 400).len(), 4, "all have come");
}

#[test]
fn the_time_in_which_the_host_stood_still_is_nobodys_fault() {
    let mut host = reserving();
    come(&mut host, &[(1, 0), (1, 1)], 100);
    cut_off(&mut host, 1_000, 3, 0);
    assert_eq!(host.handle(at(21_000), Event::StoodStill(Duration::from_secs(20))), []);
    assert_eq!(come(&mut host, &[(2, 0)], 23_999), []);
    assert_eq!(host.handle(at(24_000), Event::Tick).len(), 5, "3 s to come for the one who was cut off");
}
