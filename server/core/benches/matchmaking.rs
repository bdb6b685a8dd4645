//! What a round of the pool costs over 100,000 waiting tickets: `cargo bench -p tiltyard-core --bench matchmaking`.
//!
//! Parties of 1 to 3 for two teams of 5, ratings spread like a bell, three regions of which a ticket reaches one to three.
//! Once all have just come (most are matched), once nobody can be matched because only parties of 3 wait, once ratings are
//! all the same, as on a game's first day, and once they are far apart.

use std::{collections::BTreeSet, hint::black_box, time::Duration};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tiltyard_core::matchmaking::{
    InstanceId, PlayerKey, SessionId, TicketId,
    mode::Mode,
    pool::{Pool, Renewal},
    ticket::{Distance, Member, Ticket},
};
use tiltyard_shared::game::Rng;
use uuid::Uuid;

const TICKETS: u32 = 100_000;
const HOMES: u32 = 100;
const REGIONS: [&str; 3] = ["eu", "us", "asia"];

/// A pool with so many tickets, each of a party and a rating that are drawn.
fn pool(tickets: u32, party: impl Fn(&mut Rng) -> u32, rating: impl Fn(&mut Rng) -> i32) -> Pool {
    let mut rng = Rng::new(1);
    let mut pool = Pool::new(vec![Mode::new("fives", 2, 5)]).expect("a mode that can be played");
    pool.set_regions(REGIONS.map(str::to_owned).into());
    let id = |high: u64, low: u32| Uuid::from_u64_pair(high, low.into());
    for home in 0..HOMES {
        let ticket = |number| Ticket {
            id: TicketId(id(1, number)),
            home: instance(home),
            mode: "fives".to_owned(),
            party: (0..party(&mut rng))
                .map(|member| {
                    let player = id(3 + u64::from(member), number);
                    Member { player: SessionId(player), key: PlayerKey(player), rating: rating(&mut rng) }
                })
                .collect(),
            regions: (0..=rng.below(3))
                .map(|region| Distance { region: REGIONS[region as usize].to_owned(), ms: rng.below(120) })
                .collect(),
            avoid: Vec::new(),
            waited: Duration::from_millis(rng.below(60_000).into()),
        };
        let tickets = (home..tickets).step_by(HOMES as usize).map(ticket).collect();
        let renewal = Renewal { home: instance(home), number: 1, tickets };
        pool.renew(Duration::ZERO, Duration::ZERO, renewal);
    }
    pool
}

fn instance(number: u32) -> InstanceId {
    InstanceId::new(&format!("i{number:03}")).expect("a word")
}

fn bell(rng: &mut Rng) -> i32 {
    1_000 + (0..4).map(|_| rng.below(250) as i32).sum::<i32>()
}

fn rounds(c: &mut Criterion) {
    let mixed = |rng: &mut Rng| 1 + rng.below(3);
    let pools = [
        ("mixed", pool(TICKETS, mixed, bell)),
        ("hopeless", pool(TICKETS, |_| 3, bell)),
        ("equals", pool(TICKETS, mixed, |_| 1_500)),
        ("sparse", pool(TICKETS, |_| 1, |rng| rng.below(2_000_000) as i32 - 1_000_000)),
    ];
    let mut group = c.benchmark_group("round over 100,000 tickets");
    group.sample_size(10);
    for (name, pool) in pools {
        let matched: usize = pool.clone().round(Duration::ZERO).iter().map(|proposal| proposal.tickets().count()).sum();
        let names: BTreeSet<_> = pool.tickets().map(|ticket| ticket.id).collect();
        group.bench_function(format!("{name}: {matched} of {} matched", names.len()), |b| {
            b.iter_batched_ref(|| pool.clone(), |pool| black_box(pool.round(Duration::ZERO)), BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn renewals(c: &mut Criterion) {
    let pool = pool(TICKETS, |_| 1, bell);
    let home = pool.tickets().next().expect("a ticket").home;
    let tickets: Vec<_> = pool.tickets().filter(|ticket| ticket.home == home).cloned().collect();
    c.bench_function(&format!("renewal of {} tickets among 100,000", tickets.len()), |b| {
        b.iter_batched(
            || (pool.clone(), Renewal { home, number: 2, tickets: tickets.clone() }),
            |(mut pool, renewal)| (pool.renew(Duration::ZERO, Duration::ZERO, renewal), pool),
            BatchSize::PerIteration,
        );
    });
}

criterion_group!(benches, rounds, renewals);
criterion_main!(benches);
