//! The home by itself: what binds it, for how long, and what it says.

use uuid::Uuid;

use super::*;
use crate::{instance::instance, matchmaking::ticket::Member};

const MATCHMAKER: InstanceId = instance("i1");
const HOST: InstanceId = instance("i2");
const ONE: MatchId = MatchId(Uuid::from_u128(11));
const OTHER: MatchId = MatchId(Uuid::from_u128(12));
const TICKET: TicketId = TicketId(Uuid::from_u128(21));
const RESERVATION: Reservation = Reservation(5);

fn at(millis: u64) -> Duration {
    Duration::from_millis(100_000 + millis)
}

fn ticket(id: TicketId) -> Ticket {
    let party = vec![Member { player: SessionId(id.0), rating: 0 }];
    let waited = Duration::from_secs(3);
    Ticket { id, home: MATCHMAKER, mode: "duel".to_owned(), party, regions: Vec::new(), waited }
}

fn message(message: ToHome) -> Event {
    Event::Message { age: Duration::ZERO, message }
}

fn agree(id: MatchId) -> Event {
    message(ToHome::Agree { id, matchmaker: MATCHMAKER, tickets: vec![TICKET] })
}

fn go(id: MatchId) -> Event {
    message(ToHome::Go(Go { id, host: HOST, reservation: RESERVATION, tickets: vec![TICKET] }))
}

fn searching() -> Home {
    let mut home = Home::new(instance("i3"));
    home.handle(at(0), Event::Search(ticket(TICKET)));
    home
}

/// What it answers to a matchmaker or a host.
fn said(effects: &[Effect]) -> Vec<&Message> {
    let said = effects.iter().filter_map(|effect| match effect {
        Effect::Send(_, message) => Some(message),
        Effect::Publish(_) | Effect::Tell(..) => None,
    });
    said.collect()
}

fn yes(home: &Home, id: MatchId) -> Message {
    Message::Matchmaker(ToMatchmaker::Yes { id, home: home.id })
}

#[test]
fn a_yes_binds_to_one_match_for_ten_seconds() {
    let mut home = searching();
    assert_eq!(said(&home.handle(at(0), agree(ONE))), [&yes(&home, ONE)]);
    assert_eq!(said(&home.handle(at(4_000), agree(ONE))), [&yes(&home, ONE)], "asked again, it says so again");
    let no = |why| Message::Matchmaker(ToMatchmaker::No { id: OTHER, home: home.id, tickets: vec![(TICKET, why)] });
    let bound = no(No::Bound(Duration::from_millis(1)));
    assert_eq!(said(&home.handle(at(9_999), agree(OTHER))), [&bound], "but is not bound for longer");
    assert_eq!(said(&home.handle(at(10_000), agree(OTHER))), [&yes(&home, OTHER)]);
}

#[test]
fn go_counts_while_the_yes_holds_and_is_declined_after() {
    let told = Effect::Tell(TICKET, Told::Go { id: ONE, host: HOST, reservation: RESERVATION });
    let mut home = searching();
    home.handle(at(0), agree(ONE));
    assert_eq!(home.handle(at(9_999), go(ONE)), [told]);
    assert_eq!(home.handle(at(9_999), go(ONE)), [], "doubled");

    let decline = Effect::Send(HOST, Message::Host(ToHost::Decline { id: ONE, ticket: TICKET }));
    let mut home = searching();
    assert_eq!(home.handle(at(0), go(ONE)), std::slice::from_ref(&decline), "never agreed to");
    home.handle(at(0), agree(ONE));
    let searching = Effect::Tell(TICKET, Told::Searching { waited: Duration::from_secs(13) });
    assert_eq!(home.handle(at(10_000), go(ONE)), [searching, decline]);
    assert_eq!(home.tickets().count(), 1, "it waits on");
}

#[test]
fn what_comes_to_nothing_waits_again_with_its_waiting_time() {
    let mut home = searching();
    home.handle(at(0), agree(ONE));
    home.handle(at(1_000), message(ToHome::Release { id: ONE }));
    home.handle(at(1_000), agree(OTHER));
    home.handle(at(2_000), go(OTHER));
    assert_eq!(home.handle(at(3_000), message(ToHome::Release { id: OTHER })), [], "they are on their way");
    assert_eq!(home.handle(at(3_000), message(ToHome::Returned { id: ONE, ticket: TICKET })), [], "of another match");
    let decline = Effect::Send(HOST, Message::Host(ToHost::Decline { id: ONE, ticket: TICKET }));
    assert_eq!(home.handle(at(3_000), go(ONE)), [decline], "late, and they are on their way to another");
    let effects = home.handle(at(5_000), message(ToHome::Returned { id: OTHER, ticket: TICKET }));
    let waited = Duration::from_secs(8);
    let Effect::Publish(Request::Submit { number, ticket }) = &effects[1] else { panic!("{effects:?}") };
    assert_eq!((*number, ticket.waited, ticket.home), (2, waited, home.id));
    assert_eq!(effects[0], Effect::Tell(TICKET, Told::Searching { waited }));
    assert_eq!(home.handle(at(5_000), Event::Back { id: OTHER, ticket: TICKET }), [], "known already");
}

#[test]
fn a_match_counts_when_the_host_says_so_and_is_asked_until_it_does() {
    let mut home = searching();
    home.handle(at(0), agree(ONE));
    home.handle(at(0), go(ONE));
    let asks = |home: &mut Home, millis| said(&home.handle(at(millis), Event::Tick)).len();
    assert_eq!([1_900, 2_000, 3_900, 4_000].map(|millis| asks(&mut home, millis)), [0, 1, 0, 1]);
    assert_eq!(home.handle(at(13_000), message(ToHome::Seated { id: OTHER, ticket: TICKET })), []);
    let late = Event::Message { age: MESSAGE * 2, message: ToHome::Seated { id: ONE, ticket: TICKET } };
    assert_eq!(home.handle(at(13_000), late), [], "too old to count");
    let effects = home.handle(at(13_000), message(ToHome::Seated { id: ONE, ticket: TICKET }));
    assert_eq!(effects, [Effect::Tell(TICKET, Told::Over(Over::Matched(ONE)))]);
    assert_eq!((home.tickets().count(), home.players.len()), (0, 0));
}

#[test]
fn all_open_tickets_are_stated_every_two_seconds_and_none_once() {
    let mut home = searching();
    let stated = |effects: Vec<Effect>| match &effects[..] {
        [Effect::Publish(Request::Renew(renewal))] => Some((renewal.number, renewal.tickets.clone())),
        [] => None,
        other => panic!("{other:?}"),
    };
    let (number, tickets) = stated(home.handle(at(500), Event::Tick)).expect("the first is due at once");
    assert_eq!((number, tickets.len(), tickets[0].waited), (2, 1, Duration::from_millis(3_500)));
    assert_eq!(stated(home.handle(at(2_499), Event::Tick)), None);
    home.handle(at(2_499), Event::Cancel(TICKET));
    assert_eq!(stated(home.handle(at(2_500), Event::Tick)), Some((3, Vec::new())));
    assert_eq!(stated(home.handle(at(4_500), Event::Tick)), None);
}

#[test]
fn a_search_that_cannot_be_is_refused() {
    let refused = |effects: Vec<Effect>| match &effects[..] {
        [Effect::Tell(_, Told::Over(Over::Refused(why)))] => Some(*why),
        _ => None,
    };
    let other = |number| ticket(TicketId(Uuid::from_u128(number)));
    let mut home = Home::with_limit(HOST, 2);
    assert_eq!(refused(home.handle(at(0), Event::Search(other(1)))), None);
    let again = Ticket { id: TICKET, ..other(1) };
    assert_eq!(refused(home.handle(at(0), Event::Search(again))), Some(Refused::AlreadySearching));
    assert_eq!(refused(home.handle(at(0), Event::Search(other(2)))), None);
    assert_eq!(refused(home.handle(at(0), Event::Search(other(3)))), Some(Refused::Full));
    home.handle(at(0), Event::Drain);
    assert_eq!(refused(home.handle(at(0), Event::Search(other(4)))), Some(Refused::Draining));
    assert_eq!(home.tickets().count(), 2, "a draining home keeps its tickets");
}

#[test]
fn who_cancels_on_the_way_is_declined_at_the_host() {
    let mut home = searching();
    home.handle(at(0), agree(ONE));
    home.handle(at(0), go(ONE));
    let over = Effect::Tell(TICKET, Told::Over(Over::Cancelled));
    let decline = Effect::Send(HOST, Message::Host(ToHost::Decline { id: ONE, ticket: TICKET }));
    assert_eq!(home.handle(at(1), Event::Cancel(TICKET)), [over, decline]);
    assert_eq!(home.handle(at(1), Event::Cancel(TICKET)), []);
}

#[test]
fn whose_connection_breaks_on_the_way_is_the_hosts_to_judge_and_does_not_search_on() {
    let player = SessionId(TICKET.0);
    let cut_off = || Event::CutOff { ticket: TICKET, player };
    let over = Effect::Tell(TICKET, Told::Over(Over::Cancelled));
    let mut home = searching();
    let cancel = Effect::Publish(Request::Cancel { home: home.id, ticket: TICKET });
    assert_eq!(home.handle(at(0), cut_off()), [over.clone(), cancel.clone()], "while searching the search is over");

    let going = || {
        let mut home = searching();
        home.handle(at(0), agree(ONE));
        home.handle(at(0), go(ONE));
        let said = Effect::Send(HOST, Message::Host(ToHost::CutOff { id: ONE, ticket: TICKET, player }));
        assert_eq!(home.handle(at(1), cut_off()), [said]);
        home
    };
    let seated = [Effect::Tell(TICKET, Told::Over(Over::Matched(ONE)))];
    assert_eq!(going().handle(at(2), message(ToHome::Seated { id: ONE, ticket: TICKET })), seated);
    let mut home = going();
    let effects = home.handle(at(2), message(ToHome::Returned { id: ONE, ticket: TICKET }));
    assert_eq!(effects, [over.clone(), cancel]);
    assert_eq!((home.tickets().count(), home.players.len()), (0, 0));

    let mut home = going();
    let ask = Message::Host(ToHost::Ask { id: ONE, ticket: TICKET, home: home.id });
    assert_eq!(home.handle(at(12_000), Event::Undelivered(ask.clone())), [over], "the host is gone, too");
    let mut home = searching();
    home.handle(at(0), agree(ONE));
    home.handle(at(0), go(ONE));
    assert_eq!(home.handle(at(100), Event::Undelivered(ask)), [], "players who are there say so themselves");
}
