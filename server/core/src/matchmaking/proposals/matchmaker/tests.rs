//! The matchmaker by itself: whom it asks in which order, and when it gives up.

use uuid::Uuid;

use super::*;
use crate::{
    instance::instance,
    matchmaking::{
        PlayerKey, SessionId,
        mode::Mode,
        pool::Renewal,
        ticket::{Member, Ticket},
    },
};

const ID: InstanceId = instance("i1");
const HOSTS: [InstanceId; 2] = [instance("i2"), instance("i3")];
const HOMES: [InstanceId; 2] = [instance("i4"), instance("i5")];
const RESERVATION: Reservation = Reservation(7);

fn at(millis: u64) -> Duration {
    Duration::from_millis(100_000 + millis)
}

/// A player whose key has the number of the session.
fn member(id: Uuid) -> Member {
    Member { player: SessionId(id), key: PlayerKey(id), rating: 0 }
}

fn ticket(home: usize) -> Ticket {
    let number = Uuid::from_u128(20 + home as u128);
    let party = vec![member(number)];
    let (mode, home) = ("duel".to_owned(), HOMES[home]);
    Ticket { id: TicketId(number), home, mode, party, regions: Vec::new(), avoid: Vec::new(), waited: Duration::ZERO }
}

/// A ticket of somebody else.
fn other() -> Ticket {
    let number = Uuid::from_u128(30);
    let party = vec![member(number)];
    Ticket { id: TicketId(number), party, ..ticket(0) }
}

fn request(request: Request) -> Event {
    Event::Request { delivery: 9, age: Duration::ZERO, request }
}

fn message(message: ToMatchmaker) -> Event {
    Event::Message { age: Duration::ZERO, message }
}

fn load(host: usize, seats: usize, capacity: usize) -> HostLoad {
    HostLoad { host: HOSTS[host], region: "eu".to_owned(), seats, capacity }
}

/// A matchmaker that knows two hosts and a ticket of each home.
fn waiting() -> Matchmaker {
    let mut matchmaker = Matchmaker::new(ID, Pool::new(vec![Mode::new("duel", 2, 1)]).unwrap());
    matchmaker.handle(at(0), Event::Hosts(vec![load(0, 4, 10), load(1, 6, 20)]));
    for home in [0, 1] {
        let submit = Request::Submit { number: 1, ticket: ticket(home) };
        assert_eq!(matchmaker.handle(at(0), request(submit)), [Effect::Acknowledge(9)]);
    }
    matchmaker
}

/// A round that proposes one match: its id and the host that is asked.
fn propose(matchmaker: &mut Matchmaker, millis: u64) -> (MatchId, InstanceId) {
    let effects = matchmaker.handle(at(millis), Event::Round { unix: at(millis), seed: millis });
    match &effects[..] {
        [Effect::Send(host, Message::Host(ToHost::Reserve(Reserve { id, .. })))] => (*id, *host),
        other => panic!("{other:?}"),
    }
}

fn reserve(matchmaker: &mut Matchmaker, millis: u64, id: MatchId) -> Vec<Effect> {
    matchmaker.handle(at(millis), message(ToMatchmaker::Reserved { id, reservation: RESERVATION }))
}

fn yes(id: MatchId, home: usize) -> ToMatchmaker {
    ToMatchmaker::Yes { id, home: HOMES[home] }
}

fn says(home: usize, message: ToHome) -> Effect {
    Effect::Send(HOMES[home], Message::Home(message))
}

#[test]
fn go_is_said_when_host_and_homes_have_agreed() {
    let mut matchmaker = waiting();
    let (id, host) = propose(&mut matchmaker, 0);
    assert_eq!(id.0.get_version_num(), 7);
    assert_eq!(host, HOSTS[1], "6 of 20 seats is less than 4 of 10");
    let agree = |home| says(home, ToHome::Agree { id, matchmaker: ID, tickets: vec![ticket(home).id] });
    assert_eq!(reserve(&mut matchmaker, 100, id), [agree(0), agree(1)]);
    assert_eq!(reserve(&mut matchmaker, 100, id), [], "doubled");
    assert_eq!(matchmaker.handle(at(200), message(yes(id, 1))), []);
    assert_eq!(matchmaker.handle(at(200), message(yes(id, 1))), [], "doubled");
    let reservation = RESERVATION;
    let go = |home| says(home, ToHome::Go(Go { id, host, reservation, tickets: vec![ticket(home).id] }));
    assert_eq!(matchmaker.handle(at(3_199), message(yes(id, 0))), [go(0), go(1)]);
    assert_eq!(matchmaker.handle(at(3_199), message(yes(id, 0))), [], "done with it");
    assert!(matchmaker.handle(at(3_200), Event::Round { unix: at(0), seed: 0 }).is_empty(), "they wait no more");
    assert_eq!(matchmaker.stats().agreed, 1);
}

#[test]
fn go_is_not_said_three_seconds_after_the_first_yes() {
    let mut matchmaker = waiting();
    let (id, host) = propose(&mut matchmaker, 0);
    reserve(&mut matchmaker, 0, id);
    let old = Event::Message { age: Duration::from_millis(500), message: yes(id, 0) };
    assert_eq!(matchmaker.handle(at(1_000), old), []);
    let release = Effect::Send(host, Message::Host(ToHost::Release { id }));
    let released = [release, says(0, ToHome::Release { id }), says(1, ToHome::Release { id })];
    assert_eq!(matchmaker.handle(at(3_500), message(yes(id, 1))), released, "said 3 s ago");
    assert_eq!(matchmaker.stats().no_home, 1);
}

#[test]
fn a_no_frees_the_others_and_holds_the_one() {
    let mut matchmaker = waiting();
    let (id, _) = propose(&mut matchmaker, 0);
    reserve(&mut matchmaker, 0, id);
    let no = |id, why| message(ToMatchmaker::No { id, home: HOMES[0], tickets: vec![(ticket(0).id, why)] });
    assert_eq!(matchmaker.handle(at(10), no(id, No::Bound(Duration::from_secs(1)))).len(), 3);
    assert!(matchmaker.handle(at(1_009), Event::Round { unix: at(0), seed: 0 }).is_empty(), "bound elsewhere");
    let (id, _) = propose(&mut matchmaker, 1_010);
    reserve(&mut matchmaker, 1_010, id);
    matchmaker.handle(at(1_010), no(id, No::NotOpen));
    assert_eq!(matchmaker.pool().waiting(), 1, "what is not open is no ticket");
}

#[test]
fn who_changes_their_mind_frees_the_others_at_once() {
    let mut matchmaker = waiting();
    let (id, host) = propose(&mut matchmaker, 0);
    reserve(&mut matchmaker, 0, id);
    matchmaker.handle(at(5), message(yes(id, 1)));
    let cancel = Request::Cancel { home: HOMES[0], ticket: ticket(0).id };
    let release = Effect::Send(host, Message::Host(ToHost::Release { id }));
    let released = [release, says(0, ToHome::Release { id }), says(1, ToHome::Release { id }), Effect::Acknowledge(9)];
    assert_eq!(matchmaker.handle(at(10), request(cancel)), released);
    assert_eq!((matchmaker.pool().waiting(), matchmaker.stats().no_home), (1, 1));
    matchmaker.handle(at(11), request(Request::Submit { number: 2, ticket: other() }));
    matchmaker.handle(at(11), Event::Hosts(vec![load(0, 4, 10), load(1, 6, 20)]));
    assert_eq!(propose(&mut matchmaker, 11).1, host, "the other is matched anew, and the host was not to blame");
}

#[test]
fn who_is_back_from_a_match_is_proposed_at_once() {
    let mut matchmaker = waiting();
    let (id, _) = propose(&mut matchmaker, 0);
    let submit = |number, home| request(Request::Submit { number, ticket: ticket(home) });
    matchmaker.handle(at(0), submit(2, 0));
    assert!(matchmaker.handle(at(0), Event::Round { unix: at(0), seed: 0 }).is_empty(), "a proposal names both");
    reserve(&mut matchmaker, 0, id);
    matchmaker.handle(at(0), message(yes(id, 0)));
    assert_eq!(matchmaker.handle(at(0), message(yes(id, 1))).len(), 2, "go");
    for (number, home) in [(2, 0), (1, 1)] {
        matchmaker.handle(at(500), submit(number, home));
    }
    assert!(matchmaker.handle(at(500), Event::Round { unix: at(500), seed: 0 }).is_empty(), "doubled");
    for home in [0, 1] {
        matchmaker.handle(at(1_000), submit(3, home));
    }
    propose(&mut matchmaker, 1_000);
}

/// A matchmaker of single players of one rating: so many of each home.
fn crowd(of_first: usize, of_second: usize) -> Matchmaker {
    let mut matchmaker = Matchmaker::new(ID, Pool::new(vec![Mode::new("duel", 2, 1)]).unwrap());
    matchmaker.handle(at(0), Event::Hosts(vec![load(0, 0, 10_000)]));
    for (number, home) in (1..).zip([vec![0; of_first], vec![1; of_second]].concat()) {
        let player = Uuid::from_u128(1_000 + u128::from(number));
        let party = vec![member(player)];
        let ticket = Ticket { id: TicketId(player), party, ..ticket(home) };
        matchmaker.handle(at(0), request(Request::Submit { number, ticket }));
    }
    matchmaker
}

/// The proposals of a round.
fn round(matchmaker: &mut Matchmaker, millis: u64) -> Vec<Reserve> {
    let effects = matchmaker.handle(at(millis), Event::Round { unix: at(millis), seed: millis });
    let reserves = effects.into_iter().filter_map(|effect| match effect {
        Effect::Send(_, Message::Host(ToHost::Reserve(reserve))) => Some(reserve),
        _ => None,
    });
    reserves.collect()
}

#[test]
fn no_home_is_asked_for_more_tickets_than_it_answers() {
    let mut matchmaker = crowd(WINDOW + 100, 0);
    let asked = round(&mut matchmaker, 0);
    assert_eq!(asked.len(), WINDOW / 2);
    asked.iter().for_each(|asked| drop(reserve(&mut matchmaker, 400, asked.id)));
    assert_eq!(round(&mut matchmaker, 500), [], "the home has not answered");
    for asked in asked {
        matchmaker.handle(at(900), message(yes(asked.id, 0)));
    }
    assert_eq!(round(&mut matchmaker, 1_000).len(), 50, "the others follow");
}

#[test]
fn who_searches_elsewhere_does_not_wait_for_a_home_that_is_silent() {
    let mut matchmaker = crowd(WINDOW + 1, 0);
    let asked = round(&mut matchmaker, 0);
    assert_eq!(asked.len(), WINDOW / 2);
    for (number, player) in [(1, 5_000), (2, 5_001)] {
        let id = Uuid::from_u128(player);
        let party = vec![member(id)];
        let ticket = Ticket { id: TicketId(id), party, ..ticket(1) };
        matchmaker.handle(at(100), request(Request::Submit { number, ticket }));
    }
    let asked = round(&mut matchmaker, 500);
    let homes: Vec<_> = asked.iter().flat_map(|asked| asked.teams.iter().flatten().map(|ticket| ticket.home)).collect();
    assert_eq!(homes, [HOMES[1], HOMES[1]], "matched with each other, not with older tickets of that home");
}

#[test]
fn no_host_is_asked_for_more_seats_than_it_answers() {
    let mut matchmaker = crowd(WINDOW, WINDOW);
    assert_eq!(round(&mut matchmaker, 0).len(), WINDOW);
    for number in 1..=4 {
        let player = Uuid::from_u128(9_000 + u128::from(number));
        let party = vec![member(player)];
        let home = instance("i6");
        let ticket = Ticket { id: TicketId(player), party, home, ..ticket(0) };
        matchmaker.handle(at(1), request(Request::Submit { number, ticket }));
    }
    assert_eq!(round(&mut matchmaker, 500), [], "the host has not answered");
    matchmaker.handle(at(1_000), Event::Hosts(vec![load(0, 0, 10_000), load(1, 0, 10)]));
    let effects = matchmaker.handle(at(1_000), Event::Round { unix: at(1_000), seed: 1 });
    let other = |effect: &Effect| matches!(effect, Effect::Send(host, _) if *host == HOSTS[1]);
    assert_eq!((effects.len(), effects.iter().all(other)), (2, true), "the other takes them");
}

#[test]
fn a_host_that_cannot_be_asked_frees_everybody_at_once() {
    let mut matchmaker = waiting();
    let (id, host) = propose(&mut matchmaker, 0);
    let asked = Message::Host(ToHost::Reserve(Reserve {
        id,
        matchmaker: ID,
        mode: "duel".to_owned(),
        place: Venue::New,
        teams: Vec::new(),
    }));
    let release = Effect::Send(host, Message::Host(ToHost::Release { id }));
    let missed = || Event::Undelivered { to: host, message: asked.clone() };
    assert_eq!(matchmaker.handle(at(10), missed()), [release]);
    assert_ne!(propose(&mut matchmaker, 10).1, host, "both are asked for elsewhere");
    assert_eq!(matchmaker.handle(at(11), missed()), [], "of a proposal that is over");
}

#[test]
fn a_home_that_cannot_be_asked_frees_the_others_at_once() {
    let mut matchmaker = waiting();
    let (id, host) = propose(&mut matchmaker, 0);
    reserve(&mut matchmaker, 10, id);
    matchmaker.handle(at(10), message(yes(id, 0)));
    let agree = |home| ToHome::Agree { id, matchmaker: ID, tickets: vec![ticket(home).id] };
    let missed = |home: usize| Event::Undelivered { to: HOMES[home], message: Message::Home(agree(home)) };
    assert_eq!(matchmaker.handle(at(20), missed(0)), [], "it has answered, so it was asked");
    let release = Effect::Send(host, Message::Host(ToHost::Release { id }));
    let released = [release, says(0, ToHome::Release { id }), says(1, ToHome::Release { id })];
    assert_eq!(matchmaker.handle(at(20), missed(1)), released);
    matchmaker.handle(at(20), request(Request::Submit { number: 2, ticket: other() }));
    propose(&mut matchmaker, 20);
}

#[test]
fn whose_home_cannot_be_told_to_go_is_waited_for_by_nobody() {
    let mut matchmaker = waiting();
    let (id, host) = propose(&mut matchmaker, 0);
    reserve(&mut matchmaker, 0, id);
    matchmaker.handle(at(0), message(yes(id, 0)));
    let effects = matchmaker.handle(at(0), message(yes(id, 1)));
    let Some(Effect::Send(to, go)) = effects.last().cloned() else { panic!("{effects:?}") };
    let decline = Effect::Send(host, Message::Host(ToHost::Decline { id, ticket: ticket(1).id }));
    let effects = matchmaker.handle(at(3_000), Event::Undelivered { to, message: go });
    assert_eq!(effects, [says(1, ToHome::Release { id }), decline]);
}

#[test]
fn a_host_that_does_not_reserve_is_avoided_and_the_tickets_go_elsewhere() {
    let mut matchmaker = waiting();
    let (id, host) = propose(&mut matchmaker, 0);
    assert_eq!(host, HOSTS[1]);
    assert_eq!(matchmaker.handle(at(1_999), Event::Tick), []);
    let release = Effect::Send(host, Message::Host(ToHost::Release { id }));
    assert_eq!(matchmaker.handle(at(2_000), Event::Tick), [release]);
    assert_eq!(propose(&mut matchmaker, 2_000).1, HOSTS[0]);
    assert_eq!(reserve(&mut matchmaker, 2_001, id), [], "too late");
    assert_eq!(matchmaker.stats().no_host, 1);
}

#[test]
fn where_every_host_is_slow_the_one_that_was_asked_before_is_asked_again() {
    let mut matchmaker = waiting();
    matchmaker.handle(at(0), Event::Hosts(vec![load(0, 6, 10), load(1, 0, 20)]));
    let asked = [0, 2_000, 4_000].map(|millis| {
        matchmaker.handle(at(millis), Event::Tick);
        propose(&mut matchmaker, millis).1
    });
    assert_eq!(asked, [HOSTS[1], HOSTS[0], HOSTS[1]]);
}

#[test]
fn who_is_dead_spoils_nothing() {
    let mut matchmaker = waiting();
    let (id, _) = propose(&mut matchmaker, 0);
    reserve(&mut matchmaker, 0, id);
    assert_eq!(matchmaker.handle(at(1), Event::Gone(HOMES[0])).len(), 3, "host and homes are released");
    assert_eq!((matchmaker.pool().waiting(), matchmaker.proposals().count()), (1, 0));
    assert_eq!(matchmaker.handle(at(2), message(yes(id, 0))), []);
}

#[test]
fn without_a_host_nothing_is_proposed() {
    let mut matchmaker = waiting();
    matchmaker.handle(at(0), Event::Hosts(vec![load(0, 10, 10), load(1, 0, 0)]));
    assert!(matchmaker.handle(at(0), Event::Round { unix: at(0), seed: 0 }).is_empty());
    assert_eq!(matchmaker.stats().no_host, 0);
}

#[test]
fn what_is_not_taken_is_acknowledged_and_its_home_told() {
    let mut matchmaker = waiting();
    let unknown = Ticket { mode: "solitaire".to_owned(), id: TicketId(Uuid::nil()), ..ticket(0) };
    let effects = matchmaker.handle(at(0), request(Request::Submit { number: 2, ticket: unknown }));
    let why = crate::matchmaking::ticket::Refused::UnknownMode;
    let told = says(0, ToHome::NotTaken { ticket: TicketId(Uuid::nil()), why });
    assert_eq!(effects, [told, Effect::Acknowledge(9)]);

    let renewal = Request::Renew(Renewal { home: HOMES[0], number: 3, tickets: Vec::new() });
    let old = Event::Request { delivery: 10, age: FORGET + Duration::from_millis(1), request: renewal };
    assert_eq!(matchmaker.handle(at(0), old), [Effect::Acknowledge(10)]);
    assert_eq!((matchmaker.pool().waiting(), matchmaker.stats().stale), (2, 1), "too old to cancel anything");
}
