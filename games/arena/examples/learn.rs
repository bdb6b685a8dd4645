//! Learns the codings of the arena from bots who play it: `cargo run --release -p tiltyard-arena --example learn`. Writes
//! `games/arena/codings.txt`, which the entities read; it says what is saved.

use std::{collections::BTreeMap, fs, io};

use tiltyard_arena::{Arena, Config, bot::Bot, messages::Input};
use tiltyard_shared::{game::Simulation, learn::Recording, prelude::*};

/// Rooms that are played, each by chance of its own.
const ROOMS: u64 = 8;
const PLAYERS: u32 = 300;
/// A minute.
const TICKS: u32 = 1_200;
/// A bot changes its mind so often, in ticks.
const DECIDES_EVERY: u32 = 4;

fn main() -> io::Result<()> {
    let mut recording = Recording::new(<Arena as Game>::Entity::schema());
    (1..=ROOMS).for_each(|seed| recording.merge(&play(seed)));
    fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/codings.txt"), recording.file(&recording.findings()))
}

fn play(seed: u64) -> Recording {
    let (mut bots, mut view) = (BTreeMap::new(), Vec::new());
    let decide = |player: PlayerId, room: &Simulation<Arena>, rng: &mut Rng| -> Option<Input> {
        let tick = room.tick();
        if !(player.0 + tick.0).is_multiple_of(DECIDES_EVERY) {
            return None;
        }
        room.view(player, &mut view);
        let (world, committed) = (room.world(), room.world().committed());
        let slots = view.iter().flat_map(|group| &committed.group(*group).members);
        let sees = slots.filter_map(|slot| {
            let id = EntityId { slot: u32::from(*slot), generation: u32::from(committed.member(*slot).generation) };
            Some((id, world.get(id)?.clone()))
        });
        let bot = bots.entry(player).or_insert_with(|| Bot::new(rng));
        Some(bot.decide(player, tick, sees, rng))
    };
    Recording::play::<Arena>(Config::default(), seed, PLAYERS, TICKS, decide)
}
