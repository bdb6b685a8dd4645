//! The home by itself: what binds it, for how long, and what it says.

use uuid::Uuid;

use super::*;

use crate::{
    instance::instance,
    matchmaking::{no_shows::NoShow, proposals::Reservation, ticket::Member},
};

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
    let party = vec![Member { player: SessionId(id.0), key: PlayerKey(id.0), rating: 0 }];
    let waited = Duration::from_secs(3);
    Ticket { id, home: MATCHMAKER, mode: "duel".to_owned(), party, regions: Vec::new(), avoid: Vec::new(), waited }
}

fn modes() -> [Mode; 1] {
    [Mode::new("duel", 2, 1)]
}

fn returned(id: MatchId, absent: &[PlayerKey]) -> Event {
    message(ToHome::Returned { id, ticket: TICKET, absent: absent.to_vec(), late: true, ago: Duration::ZERO })
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
    let mut home = Home::new(instance("i3"), &modes());
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
    assert_eq!(home.handle(at(3_000), returned(ONE, &[])), [], "of another match");
    let decline = Effect::Send(HOST, Message::Host(ToHost::Decline { id: ONE, ticket: TICKET }));
    assert_eq!(home.handle(at(3_000), go(ONE)), [decline], "late, and they are on their way to another");
    let effects = home.handle(at(5_000), returned(OTHER, &[]));
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
    let mut home = Home::with_limit(HOST, &modes(), 2);
    assert_eq!(refused(home.handle(at(0), Event::Search(other(1)))), None);
    let unknown = Ticket { mode: "solitaire".to_owned(), ..other(1) };
    assert_eq!(refused(home.handle(at(0), Event::Search(other(1)))), Some(Refused::AlreadySearching));
    assert_eq!(
        refused(home.handle(at(0), Event::Search(Ticket { id: TICKET, ..unknown }))),
        Some(Refused::UnknownMode)
    );
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
    let effects = home.handle(at(2), returned(ONE, &[]));
    assert_eq!(effects, [over.clone(), cancel]);
    assert_eq!((home.tickets().count(), home.players.len()), (0, 0));

    let mut home = going();
    let ask = Message::Host(ToHost::Ask { id: ONE, ticket: TICKET, home: home.id });
    assert_eq!(home.handle(at(12_000), Event::Undelivered(ask.clone())), [over], "the host is gone, too");
    let mut home = searching();
    home.handle(at(0), agree(ONE));
    home.handle(at(0), go(ONE));
    assert_eq!(home.handle(at(14_999), Event::Undelivered(ask.clone())), [], "players who are there say so themselves");
    let expired = Effect::Tell(TICKET, Told::Over(Over::Expired));
    assert_eq!(home.handle(at(15_000), Event::Undelivered(ask)), [expired], "in 15 s, or they are not");
}

#[test]
fn who_says_to_be_back_is_declined_at_the_host_and_waits_again() {
    let mut home = searching();
    home.handle(at(0), agree(ONE));
    home.handle(at(0), go(ONE));
    let effects = home.handle(at(1_000), Event::Back { id: ONE, ticket: TICKET });
    let decline = Message::Host(ToHost::Decline { id: ONE, ticket: TICKET });
    let ask = Message::Host(ToHost::Ask { id: ONE, ticket: TICKET, home: home.id });
    assert_eq!(said(&effects), [&decline, &ask], "nobody waits for them");
    assert!(matches!(&effects[2..], [Effect::Tell(_, Told::Searching { .. })]), "{effects:?}");
    let stranger = PlayerKey(Uuid::from_u128(9));
    let effects = home.handle(at(1_001), returned(ONE, &[PlayerKey(TICKET.0), stranger]));
    let [Effect::Publish(Request::Submit { ticket, .. })] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(ticket.avoid, [stranger], "it has said so in time, and avoids who has not");
    assert_eq!(home.handle(at(1_002), returned(ONE, &[stranger])), [], "said again");
    assert_eq!(home.handle(at(1_002), returned(OTHER, &[stranger])), [], "of another match");

    let mut home = searching();
    home.handle(at(0), agree(ONE));
    home.handle(at(0), go(ONE));
    home.handle(at(1_000), Event::Back { id: ONE, ticket: TICKET });
    let submits = |effects: &[Effect]| {
        effects.iter().filter(|effect| matches!(effect, Effect::Publish(Request::Submit { .. }))).count()
    };
    let ticks = [1_999, 2_000, 3_000].map(|millis| submits(&home.handle(at(millis), Event::Tick)));
    assert_eq!(ticks, [0, 1, 0], "a host that does not answer costs a second");
}

/// A home whose ticket goes to a match and comes back while these players are absent.
fn back_from_match(absent: &[PlayerKey]) -> (Home, Vec<Effect>) {
    let mut home = searching();
    home.handle(at(0), agree(ONE));
    home.handle(at(0), go(ONE));
    let effects = home.handle(at(10_000), returned(ONE, absent));
    (home, effects)
}

#[test]
fn who_did_not_come_searches_no_more_until_the_penalty_is_over() {
    let key = PlayerKey(TICKET.0);
    let (mut home, effects) = back_from_match(&[PlayerKey(Uuid::nil()), key]);
    let penalty = |seconds| Told::Over(Over::Refused(Refused::NoShow(Duration::from_secs(seconds))));
    let no_show = |ago| NoShow { key, id: ONE, ago: Duration::from_millis(ago) };
    let published = |ago| Effect::Publish(Request::NoShows(vec![no_show(ago)]));
    assert_eq!(effects, [Effect::Tell(TICKET, penalty(10)), published(0)]);
    assert_eq!(home.tickets().count(), 0);

    let again = || Event::Search(ticket(TicketId(Uuid::from_u128(22))));
    let other_key = |id: u128| Member { key, ..ticket(TicketId(Uuid::from_u128(id))).party[0] };
    let by_another_session = Ticket { party: vec![other_key(23)], ..ticket(TicketId(Uuid::from_u128(23))) };
    let effects = home.handle(at(12_000), Event::Search(by_another_session.clone()));
    assert_eq!(effects, [Effect::Tell(by_another_session.id, penalty(8))]);
    assert!(
        home.handle(at(12_500), Event::Tick).contains(&published(2_500)),
        "whoever is the matchmaker now hears of it"
    );
    assert!(matches!(home.handle(at(13_000), again())[0], Effect::Tell(_, Told::Searching { .. })), "another player");
    let effects = home.handle(at(20_000), Event::Search(by_another_session));
    assert!(matches!(effects[0], Effect::Tell(_, Told::Searching { .. })), "{effects:?}");
}

#[test]
fn nobody_is_blamed_who_was_told_too_late_to_come() {
    let key = PlayerKey(TICKET.0);
    let mut home = searching();
    home.handle(at(0), agree(ONE));
    home.handle(at(6_000), go(ONE));
    let ago = Duration::from_millis(500);
    let answer = message(ToHome::Returned { id: ONE, ticket: TICKET, absent: vec![key], late: true, ago });
    let effects = home.handle(at(11_499), answer.clone());
    assert!(matches!(effects[0], Effect::Tell(_, Told::Searching { .. })), "decided 4.999 s after the word to go");
    assert_eq!(home.tickets().next().map(|ticket| ticket.avoid.len()), Some(0), "nobody avoids oneself");
    home.handle(at(12_000), agree(ONE));
    home.handle(at(12_000), go(ONE));
    let declined = ToHome::Returned { id: ONE, ticket: TICKET, absent: vec![key], late: false, ago };
    let effects = home.handle(at(17_500), message(declined));
    assert!(matches!(effects[0], Effect::Tell(_, Told::Searching { .. })), "somebody has declined for them");
    home.handle(at(17_500), agree(ONE));
    home.handle(at(17_500), go(ONE));
    let effects = home.handle(at(23_000), answer);
    assert!(matches!(effects[0], Effect::Tell(_, Told::Over(Over::Refused(Refused::NoShow(_))))), "{effects:?}");
}

#[test]
fn who_has_waited_in_vain_avoids_those_who_did_not_come() {
    let stranger = |number| PlayerKey(Uuid::from_u128(number));
    let (mut home, effects) = back_from_match(&[stranger(1), stranger(2)]);
    let stated = |effects: &[Effect]| match &effects[1] {
        Effect::Publish(Request::Submit { ticket, .. }) => ticket.avoid.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(stated(&effects), [stranger(1), stranger(2)]);
    for number in 1..=MAX_AVOIDED as u128 {
        home.handle(at(20_000), agree(OTHER));
        home.handle(at(20_000), go(OTHER));
        let effects = home.handle(at(20_000), returned(OTHER, &[stranger(number + 1)]));
        assert_eq!(stated(&effects).last(), Some(&stranger(number + 1)));
    }
    let last: Vec<_> = (2..=MAX_AVOIDED as u128 + 1).map(stranger).collect();
    assert_eq!(home.tickets().next().map(|ticket| &ticket.avoid), Some(&last), "the last ones, each once");
}

#[test]
fn a_player_has_one_ticket_the_newest() {
    let mut home = searching();
    let newer = Ticket { id: TicketId(Uuid::from_u128(22)), ..ticket(TICKET) };
    let effects = home.handle(at(0), Event::Search(newer.clone()));
    assert_eq!(effects[0], Effect::Tell(TICKET, Told::Over(Over::Refused(Refused::Superseded))));
    assert_eq!(effects[1], Effect::Publish(Request::Cancel { home: home.id, ticket: TICKET }));
    assert_eq!(home.tickets().map(|ticket| ticket.id).collect::<Vec<_>>(), [newer.id]);
}

#[test]
fn a_search_without_a_match_ends_when_the_mode_says_so() {
    let mut home = searching();
    let over = Effect::Tell(TICKET, Told::Over(Over::Expired));
    let cancel = Effect::Publish(Request::Cancel { home: home.id, ticket: TICKET });
    assert!(!home.handle(at(176_999), Event::Tick).contains(&over), "it had waited for 3 s when it came");
    assert_eq!(home.handle(at(177_000), Event::Tick)[..2], [over.clone(), cancel.clone()]);
    let mut home = searching();
    home.handle(at(170_000), agree(ONE));
    home.handle(at(170_000), go(ONE));
    assert_eq!(said(&home.handle(at(177_000), Event::Tick)).len(), 1, "on the way it is not given up, but asked about");
    home.handle(at(180_000), returned(ONE, &[]));
    let effects = home.handle(at(180_001), Event::Tick);
    assert!(effects.contains(&over) && effects.contains(&cancel), "{effects:?}");
}
