//! Properties of the pool against a naive model: after every operation the same tickets wait, and after every round each
//! proposal is checked ticket by ticket, slowly and from the documentation.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tiltyard_core::matchmaking::{
    InstanceId, MatchId, PlayerKey, SessionId, TicketId,
    mode::{Mode, Window},
    no_shows::{NoShow, PENALTY},
    pool::{FORGET, Offer, Placed, Pool, Proposal, Renewal, Venue},
    ticket::{Distance, Member, Refused, Ticket, Vacancy},
};
use uuid::Uuid;

const REGIONS: [&str; 3] = ["asia", "eu", "us"];
const HOMES: u64 = 3;

#[derive(Clone, Debug)]
enum Act {
    /// A new ticket: home, mode, ratings of the party, regions and their distances, waiting in seconds.
    Add(u64, usize, Vec<i32>, Vec<(usize, u32)>, u64),
    /// A home states its tickets but for every so-many-th, some seconds late.
    Renew(u64, usize, u64),
    /// A message of a home that was overtaken.
    Repeat(u64),
    Cancel(prop::sample::Index),
    /// A host offers seats: room, region, team, seats, rating.
    Offer(u64, usize, usize, usize, i32),
    Wait(u64),
    Round,
    /// A proposal comes to nothing.
    Free(prop::sample::Index),
    /// A proposal becomes a match.
    Settle(prop::sample::Index),
    /// The first player of a ticket did not come to a match.
    Miss(prop::sample::Index),
    /// A ticket is stated again by its home, and avoids the players of another one.
    Avoid(prop::sample::Index, prop::sample::Index),
    Gone(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let rating = prop_oneof![0..400i32, Just(200), Just(210)];
    let party = prop_oneof![2 => prop::collection::vec(rating.clone(), 1), 1 => prop::collection::vec(rating, 2..=3)];
    let regions = prop_oneof![Just(Vec::new()), prop::collection::vec((0..3usize, 0..200u32), 0..=3)];
    let add = (0..HOMES, 0..4usize, party, regions, 0..40u64);
    prop_oneof![
        12 => add.prop_map(|(home, mode, party, regions, waited)| Act::Add(home, mode, party, regions, waited)),
        3 => (0..HOMES, 2..9usize, 0..8u64).prop_map(|(home, skip, late)| Act::Renew(home, skip, late)),
        1 => (0..HOMES).prop_map(Act::Repeat),
        1 => any::<prop::sample::Index>().prop_map(Act::Cancel),
        2 => (0..3u64, 0..3usize, 0..2usize, 1..=3usize, 0..400i32).prop_map(|(a, b, c, d, e)| Act::Offer(a, b, c, d, e)),
        3 => (0..3_000u64).prop_map(Act::Wait),
        4 => Just(Act::Round),
        2 => any::<prop::sample::Index>().prop_map(Act::Free),
        1 => any::<prop::sample::Index>().prop_map(Act::Settle),
        1 => any::<prop::sample::Index>().prop_map(Act::Miss),
        2 => any::<(prop::sample::Index, prop::sample::Index)>().prop_map(|(one, other)| Act::Avoid(one, other)),
        1 => (0..HOMES).prop_map(Act::Gone),
    ]
}

fn modes() -> Vec<Mode> {
    let window = Window { start: 60, growth: 5, limit: 200 };
    let latency = Window { start: 80, growth: 2, limit: 150 };
    let max_wait = Duration::from_secs(20);
    vec![
        Mode { window, latency, ..Mode::new("duel", 2, 1) },
        Mode { window, latency, max_wait, min_players: 4, backfill: true, balance: 70, ..Mode::new("threes", 2, 3) },
        Mode { window, latency, max_wait, min_players: 2, ..Mode::new("all against all", 1, 4) },
        Mode { window: Window::fixed(250), latency, ..Mode::new("pairs", 2, 2) },
    ]
}

/// What is known, without any index.
struct Model {
    pool: Pool,
    now: Duration,
    modes: Vec<Mode>,
    /// Tickets as they would be stated now, when they were heard of, and in which statement.
    tickets: BTreeMap<TicketId, (Ticket, Duration, u64)>,
    numbers: u64,
    vacancies: BTreeMap<(MatchId, usize), (Vacancy, Duration)>,
    open: Vec<Proposal>,
    held: BTreeMap<TicketId, Duration>,
    reached: Reached,
}

/// What the cases reached: properties that nothing tests prove nothing.
#[derive(Debug, Default)]
struct Reached {
    full: u32,
    partial: u32,
    with_parties: u32,
    backfills: u32,
    passed_by: u32,
    bounded: u32,
    singles: u32,
    expired: u32,
    cancelled: u32,
    missed: u32,
    kept_apart: u32,
}

#[test]
fn the_pool_is_what_the_model_says() {
    let reached = RefCell::new(Reached::default());
    let config = Config { source_file: Some(file!()), ..Config::with_cases(2_000) };
    let played = TestRunner::new(config).run(&prop::collection::vec(act(), 1..120), |acts| {
        let mut model = Model::new(reached.take());
        for act in acts {
            model.act(act);
            let known: Vec<_> = model.pool.tickets().map(|ticket| ticket.id).collect();
            prop_assert_eq!(known, model.tickets.keys().copied().collect::<Vec<_>>());
        }
        reached.replace(model.reached);
        Ok(())
    });
    played.unwrap();
    let reached = reached.into_inner();
    let Reached { full, partial, with_parties, backfills, passed_by, bounded, singles, expired, cancelled, .. } =
        reached;
    let (missed, kept_apart) = (reached.missed, reached.kept_apart);
    let all =
        [full, partial, with_parties, backfills, passed_by, bounded, singles, expired, cancelled, missed, kept_apart];
    assert!(all.iter().all(|count| *count > 20), "the cases do not reach everything: {all:?}");
}

impl Model {
    fn new(reached: Reached) -> Self {
        let mut pool = Pool::new(modes()).expect("modes that can be played");
        pool.set_regions(REGIONS[..2].iter().map(|name| (*name).to_owned()).collect());
        Self {
            pool,
            now: Duration::from_secs(1_000),
            modes: modes(),
            tickets: BTreeMap::new(),
            numbers: 0,
            vacancies: BTreeMap::new(),
            open: Vec::new(),
            held: BTreeMap::new(),
            reached,
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Add(home, mode, party, regions, waited) => self.add(home, mode, &party, &regions, waited),
            Act::Renew(home, skip, late) => self.renew(home, skip, Duration::from_secs(late)),
            Act::Repeat(home) => {
                let renewal = Renewal { home: instance(home), number: 0, tickets: Vec::new() };
                assert!(self.pool.renew(self.now, Duration::ZERO, renewal).stale);
            }
            Act::Cancel(index) if !self.tickets.is_empty() => {
                let ticket = *self.tickets.keys().nth(index.index(self.tickets.len())).expect("an index");
                self.tickets.remove(&ticket);
                assert!(self.pool.remove(ticket) && !self.pool.remove(ticket));
            }
            Act::Offer(room, region, team, seats, rating) => self.offer(room, region, team, seats, rating),
            Act::Wait(millis) => self.wait(Duration::from_millis(millis)),
            Act::Round => self.round(),
            Act::Free(index) if !self.open.is_empty() => {
                let proposal = self.open.remove(index.index(self.open.len()));
                self.pool.free(&proposal, self.now);
                self.held.retain(|id, _| proposal.tickets().all(|ticket| ticket.id != *id));
            }
            Act::Settle(index) if !self.open.is_empty() => {
                let proposal = self.open.remove(index.index(self.open.len()));
                let until = self.now + Duration::from_secs(10);
                self.pool.free(&proposal, until);
                self.held.extend(proposal.tickets().map(|ticket| (ticket.id, until)));
            }
            Act::Miss(index) if !self.tickets.is_empty() => self.miss(index),
            Act::Avoid(one, other) if !self.tickets.is_empty() => self.avoid(one, other),
            Act::Gone(home) => {
                self.pool.forget(instance(home));
                self.tickets.retain(|_, (ticket, ..)| ticket.home != instance(home));
            }
            Act::Cancel(_) | Act::Free(_) | Act::Settle(_) | Act::Miss(_) | Act::Avoid(..) => {}
        }
    }

    fn any_ticket(&self, index: prop::sample::Index) -> TicketId {
        *self.tickets.keys().nth(index.index(self.tickets.len())).expect("an index")
    }

    fn miss(&mut self, index: prop::sample::Index) {
        let id = self.any_ticket(index);
        let (ticket, ..) = self.tickets.remove(&id).expect("it waits");
        let no_show = NoShow { key: ticket.party[0].key, id: MatchId(Uuid::nil()), ago: Duration::ZERO };
        let taken = self.pool.miss(self.now, Duration::ZERO, vec![no_show]);
        assert_eq!(taken.refused, [(ticket.home, id, Refused::NoShow(PENALTY))]);
        self.numbers += 1;
        let again = self.pool.add(self.now, Duration::ZERO, self.numbers, ticket);
        assert_eq!(again.refused, taken.refused, "the penalty runs");
        self.reached.missed += 1;
    }

    fn avoid(&mut self, one: prop::sample::Index, other: prop::sample::Index) {
        let (one, other) = (self.any_ticket(one), self.any_ticket(other));
        if one == other {
            return;
        }
        let avoid = self.tickets[&other].0.keys().collect();
        self.numbers += 1;
        let (ticket, heard, number) = self.tickets.get_mut(&one).expect("it waits");
        let waited = ticket.waited + (self.now - *heard);
        *ticket = Ticket { avoid, waited, ..ticket.clone() };
        (*heard, *number) = (self.now, self.numbers);
        assert_eq!(self.pool.add(self.now, Duration::ZERO, self.numbers, ticket.clone()).added, 0);
        self.held.remove(&one);
    }

    fn add(&mut self, home: u64, mode: usize, party: &[i32], regions: &[(usize, u32)], waited: u64) {
        self.numbers += 1;
        let member = |(number, rating): (usize, &i32)| {
            let player = Uuid::from_u64_pair(self.numbers, number as u64);
            Member { player: SessionId(player), key: PlayerKey(player), rating: *rating }
        };
        let ticket = Ticket {
            id: TicketId(Uuid::from_u64_pair(4, self.numbers)),
            home: instance(home),
            mode: self.modes[mode].name.clone(),
            party: party.iter().enumerate().map(member).collect(),
            regions: regions.iter().map(|(name, ms)| Distance { region: REGIONS[*name].to_owned(), ms: *ms }).collect(),
            avoid: Vec::new(),
            waited: Duration::from_secs(waited),
        };
        let fits = party.len() <= self.modes[mode].team_size;
        let taken = self.pool.add(self.now, Duration::ZERO, self.numbers, ticket.clone());
        assert_eq!((taken.added, taken.refused.is_empty()), (usize::from(fits), fits));
        if fits {
            self.tickets.insert(ticket.id, (ticket, self.now, self.numbers));
        }
    }

    fn renew(&mut self, home: u64, skip: usize, age: Duration) {
        self.numbers += 1;
        let mine = self.tickets.iter().filter(|(_, (ticket, ..))| ticket.home == instance(home));
        let named: Vec<_> = mine.enumerate().filter(|(at, _)| at % skip != 0).map(|(_, (id, _))| *id).collect();
        let stated = |id| {
            let (ticket, heard, _) = &self.tickets[id];
            Ticket { waited: ticket.waited + (self.now - age).saturating_sub(*heard), ..ticket.clone() }
        };
        let tickets = named.iter().map(stated).collect();
        let renewal = Renewal { home: instance(home), number: self.numbers, tickets };
        let taken = self.pool.renew(self.now, age, renewal);
        assert_eq!(taken.stale, age > FORGET);
        if taken.stale {
            return;
        }
        self.reached.cancelled += taken.cancelled.len() as u32;
        self.tickets.retain(|id, (ticket, ..)| ticket.home != instance(home) || named.contains(id));
        for id in named {
            let (ticket, heard, number) = self.tickets.get_mut(&id).expect("it waits");
            ticket.waited += (self.now - age).saturating_sub(*heard);
            (*heard, *number) = ((self.now - age).max(*heard), self.numbers);
        }
    }

    fn offer(&mut self, room: u64, region: usize, team: usize, seats: usize, rating: i32) {
        self.numbers += 1;
        let (host, room) = (instance(100 + room), MatchId(Uuid::from_u64_pair(7, room)));
        let (mode, region) = ("threes".to_owned(), REGIONS[region].to_owned());
        let vacancy = Vacancy { room, host, mode, region, team, seats, rating, waited: Duration::from_secs(3) };
        let offer = Offer { host, number: self.numbers, vacancies: vec![vacancy.clone()] };
        assert!(self.pool.offer(self.now, Duration::ZERO, offer));
        self.vacancies.retain(|(other, _), _| *other != room);
        self.vacancies.insert((room, team), (vacancy, self.now));
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        let now = self.now;
        self.reached.expired += self.pool.expire(now).len() as u32;
        self.tickets.retain(|_, (_, heard, _)| *heard + FORGET >= now);
        self.vacancies.retain(|_, (_, heard)| *heard + FORGET >= now);
    }

    /// The tickets that no proposal names, with their waiting by now.
    fn free(&self) -> BTreeMap<TicketId, Ticket> {
        let proposed: BTreeSet<_> = self.open.iter().flat_map(Proposal::tickets).map(|ticket| ticket.id).collect();
        let held = |id| self.held.get(id).is_some_and(|until| *until > self.now);
        let free = self.tickets.iter().filter(|(id, _)| !proposed.contains(id) && !held(id));
        free.map(|(id, (ticket, heard, _))| {
            (*id, Ticket { waited: ticket.waited + (self.now - *heard), ..ticket.clone() })
        })
        .collect()
    }

    fn round(&mut self) {
        let before = self.free();
        let proposals = self.pool.round(self.now);
        let mut left = before.clone();
        for proposal in &proposals {
            for Placed { ticket, waited } in proposal.teams.iter().flatten() {
                let free = left.remove(&ticket.id).expect("free, and in no other match");
                assert_eq!(
                    (&free.avoid, &free.party, free.waited),
                    (&ticket.avoid, &ticket.party, *waited),
                    "as stated"
                );
            }
            self.check(proposal);
        }
        self.reached.kept_apart += count_kept_apart(&proposals, &left);
        // Whom somebody avoids, and who avoids somebody, has no right to the next match.
        let avoided: BTreeSet<_> = before.values().flat_map(|ticket| ticket.avoid.iter().copied()).collect();
        let is_free = |ticket: &Ticket| ticket.avoid.is_empty() && !ticket.keys().any(|key| avoided.contains(&key));
        let at_odds: BTreeSet<_> = before.values().filter(|ticket| !is_free(ticket)).map(|ticket| ticket.id).collect();
        left.retain(|id, _| !at_odds.contains(id));
        self.reached.passed_by += check_oldest_first(&proposals, &left);
        self.check_bounded_waiting(&before, &at_odds, &proposals, &left);
        self.open.extend(proposals);
    }

    fn check(&mut self, proposal: &Proposal) {
        let mode = self.modes.iter().find(|mode| mode.name == proposal.mode).expect("a mode").clone();
        assert_eq!(proposal.teams.len(), mode.teams);
        for Placed { ticket, waited } in proposal.teams.iter().flatten() {
            let ms = ticket.distance(&proposal.region).expect("within reach");
            assert!(ms <= mode.latency.at(*waited), "{ms} ms is too far for {ticket:?}");
        }
        match proposal.place {
            Venue::New => {
                let full = check_match(&mode, proposal);
                *if full { &mut self.reached.full } else { &mut self.reached.partial } += 1;
                let party = proposal.tickets().any(|ticket| ticket.party.len() > 1);
                self.reached.with_parties += u32::from(party);
                self.reached.singles += u32::from(full && !party && mode.teams > 1 && mode.team_size > 1);
            }
            Venue::Running { room, host, team } => {
                self.check_backfill(&mode, proposal, (room, team), host);
                self.reached.backfills += 1;
            }
        }
    }

    fn check_backfill(&self, mode: &Mode, proposal: &Proposal, key: (MatchId, usize), host: InstanceId) {
        let (vacancy, heard) = &self.vacancies[&key];
        assert!(vacancy.host == host && vacancy.region == proposal.region && vacancy.mode == proposal.mode);
        assert_eq!(size(&proposal.teams[key.1]), proposal.tickets().map(|ticket| ticket.party.len()).sum::<usize>());
        assert!((1..=vacancy.seats).contains(&size(&proposal.teams[key.1])));
        let mine = mode.window.at(vacancy.waited + (self.now - *heard));
        for Placed { ticket, waited } in proposal.teams.iter().flatten() {
            let apart = ticket.rating().abs_diff(vacancy.rating);
            assert!(apart <= mine && apart <= mode.window.at(*waited), "{ticket:?} does not suit {vacancy:?}");
        }
    }

    /// The oldest of a mode is matched if single tickets for all other seats are near enough.
    fn check_bounded_waiting(
        &mut self,
        before: &BTreeMap<TicketId, Ticket>,
        at_odds: &BTreeSet<TicketId>,
        proposals: &[Proposal],
        left: &BTreeMap<TicketId, Ticket>,
    ) {
        let running = proposals.iter().filter(|proposal| proposal.place != Venue::New);
        let backfills: BTreeSet<_> = running.flat_map(Proposal::tickets).map(|ticket| ticket.id).collect();
        for mode in &self.modes {
            let free = || before.values().filter(|ticket| ticket.mode == mode.name && !backfills.contains(&ticket.id));
            let Some(oldest) = free().max_by_key(|ticket| (ticket.waited, std::cmp::Reverse(ticket.id))) else {
                continue;
            };
            if at_odds.contains(&oldest.id) {
                continue;
            }
            let reached = |region| oldest.distance(region).is_some_and(|ms| ms <= mode.latency.at(oldest.waited));
            for region in REGIONS[..2].iter().filter(|region| reached(region)) {
                let near = free().filter(|ticket| {
                    let close = ticket.rating().abs_diff(oldest.rating()) <= mode.window.start / 2;
                    let reach = ticket.distance(region).is_some_and(|ms| ms <= mode.latency.start);
                    let fits = ticket.party.len() == 1 && !at_odds.contains(&ticket.id);
                    ticket.id != oldest.id && fits && close && reach
                });
                let enough = near.count() >= mode.seats() - oldest.party.len();
                self.reached.bounded += u32::from(enough);
                assert!(!enough || !left.contains_key(&oldest.id), "{oldest:?} could have been matched");
            }
        }
    }
}

fn instance(number: u64) -> InstanceId {
    InstanceId::new(&format!("i{number:06}")).expect("a word")
}

fn size(team: &[Placed]) -> usize {
    team.iter().map(|placed| placed.ticket.party.len()).sum()
}

/// Tickets that are left, and would be near enough to one of a match that avoids them.
fn count_kept_apart(proposals: &[Proposal], left: &BTreeMap<TicketId, Ticket>) -> u32 {
    let apart = |proposal: &Proposal| {
        let mode = |ticket: &&Ticket| ticket.mode == proposal.mode;
        left.values().filter(mode).any(|ticket| proposal.tickets().any(|other| other.is_apart_from(ticket)))
    };
    proposals.iter().filter(|proposal| apart(proposal)).count() as u32
}

/// Windows, teams and balance; whether it is full.
fn check_match(mode: &Mode, proposal: &Proposal) -> bool {
    let sizes: Vec<_> = proposal.teams.iter().map(|team| size(team)).collect();
    let full = sizes.iter().all(|size| *size == mode.team_size);
    let (least, most) = (sizes.iter().min().copied().unwrap_or(0), sizes.iter().max().copied().unwrap_or(0));
    let placed = || proposal.teams.iter().flatten();
    let waited = placed().any(|placed| placed.waited >= mode.max_wait);
    let enough = sizes.iter().sum::<usize>() >= mode.min_players && least > 0 && most - least <= 1;
    assert!(full || (waited && enough && most <= mode.team_size), "{sizes:?} in {proposal:?}");
    for Placed { ticket: one, waited } in placed() {
        for other in proposal.tickets() {
            let apart = one.rating().abs_diff(other.rating());
            assert!(apart <= mode.window.at(*waited), "{apart} apart: {one:?} and {other:?}");
            assert!(!one.avoid.iter().any(|key| other.keys().any(|other| other == *key)), "{one:?} avoids {other:?}");
        }
    }
    let strength = |team: &Vec<Placed>| team.iter().map(|placed| placed.ticket.strength()).sum::<i64>() as f64;
    let means = || proposal.teams.iter().map(|team| strength(team) / size(team) as f64);
    let apart = means().fold(f64::MIN, f64::max) - means().fold(f64::MAX, f64::min);
    assert!(apart <= f64::from(mode.balance) + 1e-6, "teams are {apart} apart");
    if full && proposal.tickets().all(|ticket| ticket.party.len() == 1) {
        let ratings = || proposal.tickets().map(Ticket::rating);
        let spread = f64::from(ratings().max().unwrap_or(0) - ratings().min().unwrap_or(0));
        assert!(apart <= spread / mode.team_size as f64 + 1e-6, "teams of singles are {apart} apart, of {spread}");
    }
    full
}

/// Nobody is left who differs from a matched ticket only in having waited longer. How many differ in having waited less.
fn check_oldest_first(proposals: &[Proposal], left: &BTreeMap<TicketId, Ticket>) -> u32 {
    let mut younger = 0;
    let ratings = |ticket: &Ticket| ticket.party.iter().map(|member| member.rating).collect::<Vec<_>>();
    for Placed { ticket: matched, waited } in proposals.iter().flat_map(|proposal| proposal.teams.iter().flatten()) {
        for other in left.values().filter(|other| other.mode == matched.mode && other.regions == matched.regions) {
            let equal = ratings(other) == ratings(matched);
            assert!(!equal || other.waited <= *waited, "{other:?} was passed over for {matched:?}");
            younger += u32::from(equal);
        }
    }
    younger
}
