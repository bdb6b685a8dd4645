//! Statements taken by the pool, one by one; rounds are tested against a model from outside (`tests/matchmaking`).

use uuid::Uuid;

use super::*;
use crate::{
    instance::instance,
    matchmaking::{SessionId, ticket::Member},
};

const HOMES: [InstanceId; 2] = [instance("i1"), instance("i2")];
const HOST: InstanceId = instance("i3");

fn at(seconds: u64) -> Duration {
    Duration::from_secs(1_000 + seconds)
}

/// A player whose key has the number of the session.
fn member(player: u128, rating: i32) -> Member {
    let id = Uuid::from_u128(player);
    Member { player: SessionId(id), key: PlayerKey(id), rating }
}

fn ticket(number: u128, home: usize, player: u128) -> Ticket {
    Ticket {
        id: TicketId(Uuid::from_u128(number)),
        home: HOMES[home],
        mode: "duel".to_owned(),
        party: vec![member(player, 0)],
        regions: Vec::new(),
        avoid: Vec::new(),
        waited: Duration::ZERO,
    }
}

fn pool() -> Pool {
    let mode = Mode { backfill: true, ..Mode::new("duel", 2, 1) };
    let mut pool = Pool::with_limit(vec![mode], 2).unwrap();
    pool.set_regions(["eu".to_owned()].into());
    pool
}

fn add(pool: &mut Pool, number: u64, ticket: Ticket) -> Result<(), (InstanceId, TicketId, Refused)> {
    let taken = pool.add(at(0), Duration::ZERO, number, ticket);
    taken.refused.first().map_or(Ok(()), |refused| Err(*refused))
}

#[test]
fn of_two_tickets_of_a_player_the_younger_counts() {
    let mut pool = pool();
    let (old, young) = (ticket(10, 0, 1), ticket(11, 1, 1));
    assert_eq!(add(&mut pool, 1, old.clone()), Ok(()));
    assert_eq!(add(&mut pool, 1, young.clone()), Err((HOMES[0], old.id, Refused::Superseded)), "its home is told");
    assert_eq!(add(&mut pool, 2, old.clone()), Err((HOMES[0], old.id, Refused::Superseded)));
    assert_eq!(pool.tickets().map(|ticket| ticket.id).collect::<Vec<_>>(), [young.id]);
}

#[test]
fn what_cannot_be_taken_is_refused() {
    let mut pool = pool();
    let refused = |result: Result<(), (InstanceId, TicketId, Refused)>| result.map_err(|(.., why)| why);
    assert_eq!(add(&mut pool, 1, ticket(10, 0, 1)), Ok(()));
    let other_mode = Ticket { mode: "chess".to_owned(), ..ticket(11, 0, 2) };
    assert_eq!(refused(add(&mut pool, 2, other_mode)), Err(Refused::UnknownMode));
    let nobody = Ticket { party: Vec::new(), ..ticket(11, 0, 2) };
    assert_eq!(refused(add(&mut pool, 3, nobody)), Err(Refused::BadParty));
    assert_eq!(refused(add(&mut pool, 4, ticket(10, 1, 2))), Err(Refused::Changed), "another home's ticket");
    assert_eq!(add(&mut pool, 5, ticket(12, 0, 3)), Ok(()));
    assert_eq!(refused(add(&mut pool, 6, ticket(13, 0, 4))), Err(Refused::Full));
    let foreign = Renewal { home: HOMES[1], number: 1, tickets: vec![ticket(14, 0, 5)] };
    assert_eq!(pool.renew(at(0), Duration::ZERO, foreign).refused[0].2, Refused::NotItsHome);
    assert_eq!(pool.waiting(), 2);
}

#[test]
fn statements_that_were_overtaken_change_nothing() {
    let mut pool = pool();
    let renewal = |number, tickets| Renewal { home: HOMES[0], number, tickets };
    pool.renew(at(0), Duration::ZERO, renewal(5, vec![ticket(10, 0, 1)]));
    assert!(pool.add(at(0), Duration::ZERO, 4, ticket(11, 0, 2)).stale, "a later statement did not name it");
    assert!(pool.renew(at(0), Duration::ZERO, renewal(5, Vec::new())).stale, "doubled");
    assert_eq!(pool.add(at(0), Duration::ZERO, 7, ticket(11, 0, 2)).added, 1);
    let taken = pool.renew(at(1), Duration::from_secs(1), renewal(6, vec![ticket(10, 0, 1)]));
    assert_eq!((taken.stale, taken.cancelled.len()), (false, 0), "it was made before the newest ticket");
    assert_eq!(pool.waiting(), 2);
}

#[test]
fn waiting_is_what_the_home_says_plus_the_time_since_it_was_said() {
    let mut pool = pool();
    let waited = |seconds| Ticket { waited: Duration::from_secs(seconds), ..ticket(10, 0, 1) };
    pool.add(at(5), Duration::from_secs(5), 2, waited(10));
    pool.add(at(5), Duration::ZERO, 1, waited(3));
    pool.add(at(5), Duration::ZERO, 3, ticket(11, 1, 2));
    let proposals = pool.round(at(6));
    let times: Vec<_> = proposals[0].teams.iter().flatten().map(|placed| placed.waited.as_secs()).collect();
    assert_eq!(times, [16, 1], "an older statement does not make it shorter");
}

#[test]
fn who_is_stated_again_while_a_proposal_names_it_is_not_proposed_twice() {
    let mut pool = pool();
    let both = |pool: &mut Pool, number| (0..2).for_each(|n| add(pool, number, ticket(10 + n, 0, n)).unwrap());
    both(&mut pool, 1);
    let proposals = pool.round(at(0));
    pool.renew(at(0), Duration::ZERO, Renewal { home: HOMES[0], number: 2, tickets: Vec::new() });
    both(&mut pool, 3);
    assert_eq!((proposals.len(), pool.round(at(0)).len()), (1, 0));
    pool.free(&proposals[0], at(1));
    assert_eq!((pool.round(at(0)).len(), pool.round(at(1)).len()), (0, 1));
}

#[test]
fn free_seats_are_proposed_once_and_forgotten_when_not_stated() {
    let mut pool = pool();
    let room = MatchId(Uuid::from_u128(20));
    let (mode, region) = ("duel".to_owned(), "us".to_owned());
    let waited = Duration::ZERO;
    let vacancy = Vacancy { room, host: HOST, mode, region, team: 1, seats: 1, rating: 50, waited };
    let offer = |number, vacancies| Offer { host: HOST, number, vacancies };
    let foreign = Vacancy { host: HOMES[0], ..vacancy.clone() };
    assert!(pool.offer(at(0), Duration::ZERO, offer(1, vec![vacancy.clone(), foreign])));
    assert!(!pool.offer(at(0), Duration::ZERO, offer(1, Vec::new())), "doubled");
    add(&mut pool, 1, ticket(10, 0, 1)).unwrap();
    let proposals = pool.round(at(0));
    assert_eq!(proposals[0].place, Venue::Running { room, host: HOST, team: 1 });
    assert_eq!(
        (&proposals[0].region[..], proposals[0].teams[1].len()),
        ("us", 1),
        "though no room can be opened there"
    );
    add(&mut pool, 2, ticket(11, 0, 2)).unwrap();
    assert_eq!(pool.round(at(0)).len(), 0, "the seat is spoken for");
    pool.free(&proposals[0], at(0));
    assert_eq!(pool.round(at(7)).len(), 0, "all is forgotten");
}

/// The older one gathers a party of two first, hoping for a single player who turns out to be too far away; the younger
/// one does not see that player at all, and finds the party of three. The match that it finds is the older one's.
#[test]
fn the_older_of_two_equals_goes_first_even_if_only_the_younger_finds_a_match() {
    let window = crate::matchmaking::mode::Window { start: 50, growth: 10, limit: 500 };
    let mut pool = Pool::new(vec![Mode { window, ..Mode::new("seven", 1, 7) }]).unwrap();
    pool.set_regions(["eu".to_owned()].into());
    let mut number = 0;
    for (size, rating, waited) in [(4, 100, 30), (4, 100, 0), (2, 105, 0), (3, 110, 0), (1, 400, 0)] {
        number += 1;
        let party = (0..size).map(|index| member(number * 10 + index, rating)).collect();
        let (mode, waited) = ("seven".to_owned(), Duration::from_secs(waited));
        add(&mut pool, 1, Ticket { party, mode, waited, ..ticket(number, 0, 0) }).unwrap();
    }
    let proposals = pool.round(at(0));
    let matched: Vec<_> = proposals.iter().flat_map(Proposal::tickets).map(|ticket| ticket.id.0.as_u128()).collect();
    assert_eq!(matched, [1, 4]);
}
