//! The codings of the sandbox's entities, which most tests here send by: they are what a play at random gives.

use std::{env, fs};

use tiltyard_shared::{game::Simulation, learn::Recording, prelude::*, replicate::LaneSchema};

use crate::sandbox::{Act, Sandbox, Thing};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testing/support/src/codings.txt");

#[test]
fn the_sandbox_sends_by_learned_codings() {
    // A few entities that live long; what is said may be of any size.
    let act = |_: PlayerId, room: &Simulation<Sandbox>, rng: &mut Rng| match Act::arbitrary(rng) {
        Act::Shout { .. } | Act::Whisper { .. } | Act::Despawn { .. } | Act::Replace { .. } | Act::End => None,
        Act::Spawn { .. } | Act::SpawnOwn { .. } if room.game().alive.len() >= 50 => None,
        act => Some(act),
    };
    let recording = Recording::play::<Sandbox>(false, 1, 4, 20_000, act);
    let file = recording.file(&recording.findings());
    if env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(FILE, &file).expect("the folder of the tests can be written");
        return;
    }
    assert_eq!(fs::read_to_string(FILE).unwrap_or_default(), file, "UPDATE_VECTORS=1 writes it anew");
    let kinds = Thing::schema().kinds;
    let learned = |lane: &&LaneSchema| !lane.learned.is_empty();
    assert!(kinds[0].mask.is_some(), "masks are coded");
    assert!(kinds[0].lanes.iter().any(|lane| lane.linear && lane.learned.error.is_some()), "lines are coded");
    assert!(kinds[0].lanes.iter().filter(learned).any(|lane| !lane.linear), "held lanes are coded");
    assert!(kinds[0].lanes.iter().any(|lane| lane.learned.is_empty()), "some lanes are not");
}
