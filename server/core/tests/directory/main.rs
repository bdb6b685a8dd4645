//! The directory of a fleet from outside: a simulation of instances whose rosters and reservations speak over a bus that loses,
//! doubles and delays, while they crash, restart, pause and are cut off.
//!
//! 1,000 seeds of 200 steps; `DIRECTORY_SEED=n cargo test -p tiltyard-core --test directory` replays one with every message
//! printed, `DIRECTORY_SEEDS=n` plays another number.

#![expect(clippy::print_stdout, reason = "the counts are what people run it for")]

mod bus;
mod node;
mod world;

use bus::Counts;
use world::{Mutant, World};

/// Each kind of fault happens at least once in so many seeds.
const BLOCK: u64 = 20;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn every_list_is_whole_once_faults_stop() {
    let (first, seeds) = match number("DIRECTORY_SEED") {
        Some(seed) => (seed, 1),
        None => (1, number("DIRECTORY_SEEDS").unwrap_or(1_000)),
    };
    let (mut all, mut block) = (Counts::default(), Counts::default());
    for seed in first..first + seeds {
        let counts = World::new(seed, Mutant::None, seeds == 1).play().unwrap_or_else(|why| {
            panic!(
                "seed {seed}: {why}\nreplay: DIRECTORY_SEED={seed} cargo test -p tiltyard-core --test directory -- \
                 --nocapture"
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
fn the_simulation_catches_who_does_not_see_gaps() {
    assert_caught(Mutant::BlindToGaps, "lists");
}

#[test]
fn the_simulation_catches_who_thinks_nobody_dead() {
    assert_caught(Mutant::NobodyIsGone, "lists");
}

#[test]
fn the_simulation_catches_who_answers_a_wish_twice() {
    assert_caught(Mutant::WishesTwice, "one wish");
}

/// Some of the first seeds has to fail, with these words.
fn assert_caught(mutant: Mutant, words: &str) {
    let faults: Vec<_> = (1..=40).filter_map(|seed| World::new(seed, mutant, false).play().err()).collect();
    assert!(faults.iter().any(|why| why.contains(words)), "{mutant:?}: {faults:?}");
}
