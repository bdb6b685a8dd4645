//! Matchmaking from outside: properties of the pool against a naive model, and a simulation of homes, hosts and matchmakers
//! on a bus that loses, doubles and delays, while instances crash, pause and are cut off.
//!
//! 1,000 seeds of 200 steps; `MATCHMAKING_SEED=n cargo test -p tiltyard-core --test matchmaking simulation` replays one with
//! every message printed, `MATCHMAKING_SEEDS=n` plays another number.

#![expect(clippy::print_stdout, reason = "the counts are what people run it for")]

mod bus;
mod crowd;
mod effects;
mod faults;
mod ledger;
mod pool;
mod world;

use faults::Counts;
use world::{Mutant, World};

/// Each kind of fault happens at least once in so many seeds.
const BLOCK: u64 = 20;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn the_simulation_loses_and_doubles_nobody() {
    let (first, seeds) = match number("MATCHMAKING_SEED") {
        Some(seed) => (seed, 1),
        None => (1, number("MATCHMAKING_SEEDS").unwrap_or(1_000)),
    };
    let (mut all, mut block) = (Counts::default(), Counts::default());
    for seed in first..first + seeds {
        let played = World::new(seed, Mutant::None, seeds == 1).play();
        let counts = played.unwrap_or_else(|why| {
            panic!(
                "seed {seed}: {why}\nreplay: MATCHMAKING_SEED={seed} cargo test -p tiltyard-core --test matchmaking \
                 simulation -- --nocapture"
            )
        });
        block.add(&counts);
        all.add(&counts);
        if (seed - first + 1).is_multiple_of(BLOCK) {
            let missing = block.missing();
            assert!(missing.is_empty(), "seeds up to {seed}: {missing:?} did not happen in {BLOCK} seeds");
            block = Counts::default();
        }
    }
    println!("{seeds} seeds: {all:#?}");
}

#[test]
fn the_simulation_catches_who_acknowledges_before_the_pool_has_it() {
    assert_caught(Mutant::AcknowledgeEarly, "acknowledged and in no pool");
}

#[test]
fn the_simulation_catches_who_skips_a_yes() {
    assert_caught(Mutant::SkipYes, "");
}

/// Prints how many of the seeds notice the mutant: at least one of 20 must, and for this reason.
fn assert_caught(mutant: Mutant, reason: &str) {
    let seeds = 1..=100;
    let found: Vec<_> = seeds.filter_map(|seed| Some((seed, World::new(seed, mutant, false).play().err()?))).collect();
    println!("{mutant:?}: {} of 100 seeds, the first {:?}", found.len(), found.first());
    assert!(found.len() >= 5, "only {found:?}");
    assert!(found.iter().all(|(_, why)| why.contains(reason)), "for other reasons: {found:?}");
}
