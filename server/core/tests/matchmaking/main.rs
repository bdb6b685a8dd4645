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

use bus::Trouble;
use faults::Counts;
use world::{Mutant, World};

/// Each kind of fault happens at least once in so many seeds.
const BLOCK: u64 = 20;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn the_simulation_loses_and_doubles_nobody() {
    play(Trouble::All, number("MATCHMAKING_SEEDS").unwrap_or(1_000), Counts::missing);
}

#[test]
fn in_the_simulation_nobody_waits_out_what_a_refused_command_was_about() {
    play(Trouble::Refusals, number("MATCHMAKING_SEEDS").unwrap_or(200), |block| {
        let needed = [("refused batch", block.refused), ("player cut off", block.cut_off), ("match", block.matched)];
        needed.into_iter().filter(|(_, count)| *count == 0).map(|(name, _)| name).collect()
    });
}

#[test]
fn in_the_simulation_a_no_show_costs_others_one_reservation_and_is_not_met_again() {
    play(Trouble::NoShows, number("MATCHMAKING_SEEDS").unwrap_or(1_000), |block| {
        let needed = [
            ("no-show", block.no_shows),
            ("search refused by a penalty", block.refused_by_penalty),
            ("player turned away", block.turned_away),
            ("search given up", block.given_up),
            ("ticket superseded", block.superseded),
            ("match", block.matched),
        ];
        needed.into_iter().filter(|(_, count)| *count == 0).map(|(name, _)| name).collect()
    });
}

/// Plays seeds in which this goes wrong. What is missing of a block of them did not happen.
fn play(trouble: Trouble, seeds: u64, missing: impl Fn(&mut Counts) -> Vec<&'static str>) {
    let (first, seeds) = number("MATCHMAKING_SEED").map_or((1, seeds), |seed| (seed, 1));
    let (mut all, mut block) = (Counts::default(), Counts::default());
    for seed in first..first + seeds {
        let played = World::new(seed, Mutant::None, trouble, seeds == 1).play();
        let counts = played.unwrap_or_else(|why| {
            panic!(
                "seed {seed}: {why}\nreplay: MATCHMAKING_SEED={seed} cargo test -p tiltyard-core --test matchmaking \
                 simulation -- --nocapture"
            )
        });
        block.add(&counts);
        all.add(&counts);
        if (seed - first + 1).is_multiple_of(BLOCK) {
            let missing = missing(&mut block);
            assert!(missing.is_empty(), "seeds up to {seed}: {missing:?} did not happen in {BLOCK} seeds");
            block = Counts::default();
        }
    }
    println!("{seeds} seeds, {trouble:?}: {all:#?}");
}

#[test]
fn the_simulation_catches_who_acknowledges_before_the_pool_has_it() {
    assert_caught(Mutant::AcknowledgeEarly, Trouble::All, "acknowledged and in no pool");
}

#[test]
fn the_simulation_catches_who_skips_a_yes() {
    assert_caught(Mutant::SkipYes, Trouble::All, "");
}

#[test]
fn the_simulation_catches_who_forgets_what_was_refused() {
    assert_caught(Mutant::ForgetRefused, Trouble::Refusals, "somebody has waited");
}

#[test]
fn the_simulation_catches_who_keeps_the_seat_of_who_is_cut_off() {
    assert_caught(Mutant::KeepWhoIsCutOff, Trouble::Refusals, "somebody has waited");
}

#[test]
fn the_simulation_catches_who_blames_nobody() {
    assert_caught(Mutant::BlameNobody, Trouble::NoShows, "and is proposed to it again");
}

#[test]
fn the_simulation_catches_who_blames_players_for_a_host_that_stood_still() {
    assert_caught_in(400, Mutant::BlameEverybody, Trouble::All, "but all of its players have come");
}

#[test]
fn the_simulation_catches_who_forgets_penalties() {
    assert_caught(Mutant::ForgetPenalties, Trouble::NoShows, "is proposed while the penalty runs");
}

#[test]
fn the_simulation_catches_who_lets_those_meet_again_who_have_waited_in_vain() {
    assert_caught(Mutant::MeetAgain, Trouble::NoShows, "and is proposed to it again");
}

#[test]
fn the_simulation_catches_who_takes_two_tickets_of_one_player() {
    assert_caught(Mutant::TakeTwoTickets, Trouble::NoShows, "");
}

#[test]
fn the_simulation_catches_who_lets_players_search_for_ever() {
    assert_caught(Mutant::SearchForEver, Trouble::NoShows, "still waits after");
}

/// Prints how many of the seeds notice the mutant: at least one of 20 must, and for this reason.
fn assert_caught(mutant: Mutant, trouble: Trouble, reason: &str) {
    assert_caught_in(100, mutant, trouble, reason);
}

fn assert_caught_in(seeds: u64, mutant: Mutant, trouble: Trouble, reason: &str) {
    let caught = |seed| Some((seed, World::new(seed, mutant, trouble, false).play().err()?));
    let found: Vec<_> = (1..=seeds).filter_map(caught).collect();
    println!("{mutant:?}: {} of {seeds} seeds, the first {:?}", found.len(), found.first());
    assert!(found.len() >= 5, "only {found:?}");
    assert!(found.iter().all(|(_, why)| why.contains(reason)), "for other reasons: {found:?}");
}
