//! Learned codings: the file that is learned from a short play, codes and what is none, and chunks written by them.

use std::{env, fs};

use serde_json::{Value, json};
use tiltyard_shared::{
    bits::{BitReader, BitWriter, low_mask},
    game::{Rng, Tick},
    learn::Recording,
    prefix::{BadPrefix, Prefix},
    replicate::Replicate,
    world::World,
};

use crate::things::{Learned, Team};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/codings.txt");

/// Everybody walks straight on, now and then into another direction.
pub(crate) fn play(world: &mut World<Learned>, rng: &mut Rng) {
    for (_, thing) in world.iter_mut() {
        if rng.chance(0.1) {
            thing.heading = rng.below(8) as f32 * 0.8;
            thing.hp = thing.hp.saturating_sub(rng.below(4) as u8);
            thing.points += 10;
        }
        let step = [triangle(thing.heading), triangle(thing.heading + 1.6)];
        thing.at = std::array::from_fn(|axis| (thing.at[axis] + step[axis]).rem_euclid(128.0));
    }
}

/// A triangle in the place of a sine: what is learned must be the same everywhere.
fn triangle(angle: f32) -> f32 {
    (angle.rem_euclid(6.4) - 3.2).abs() - 1.6
}

pub(crate) fn learned(rng: &mut Rng) -> Learned {
    let at = [rng.between(0.0, 128.0), rng.between(0.0, 128.0)];
    Learned { at, hp: 100, team: Team::Green, points: 500, name: "ab".to_owned(), ..Learned::default() }
}

#[test]
fn what_is_learned_is_the_file_that_the_entity_reads() {
    let (mut world, mut rng) = (World::new(), Rng::new(5));
    let mut recording = Recording::new(Learned::schema());
    for _ in 0..40 {
        world.spawn(learned(&mut rng));
    }
    for tick in 1..1_500 {
        play(&mut world, &mut rng);
        world.commit(Tick(tick));
        recording.observe(world.committed());
    }
    let findings = recording.findings();
    assert!(findings.iter().any(|finding| finding.code.is_none()), "some is not worth it");
    for finding in findings.iter().filter(|finding| finding.code.is_some()) {
        assert!(finding.learned < finding.default && finding.learned >= finding.entropy - 1e-9, "{finding:?}");
    }
    let file = recording.file(&findings);
    if env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(FILE, &file).expect("the folder of the vectors can be written");
        return;
    }
    assert_eq!(fs::read_to_string(FILE).unwrap_or_default(), file, "UPDATE_VECTORS=1 writes it anew");

    let [kind] = &Learned::schema().kinds[..] else { panic!("a struct is one kind") };
    assert_eq!(Learned::schema().check(), Ok(()));
    assert!(kind.mask.is_some() && kind.lanes[0].learned.error.is_some() && kind.lanes[3].learned.whole.is_some());
    for finding in &findings {
        let lane = kind.lanes.iter().find(|lane| lane.name == finding.lane);
        let held = match finding.of {
            "mask" => &kind.mask,
            "change" => &lane.expect("it is one").learned.change,
            "error" => &lane.expect("it is one").learned.error,
            _ => &lane.expect("it is one").learned.whole,
        };
        assert_eq!(*held, finding.code, "{finding:?}");
    }
}

#[test]
fn codes() {
    let codes = [("102021", 2), ("08", 8), ("3030303030204040", 3), ("c0c0b1a2938475665748392a1b", 12), ("1v1v", 32)];
    let codes: Vec<Value> = codes.into_iter().map(|(text, width)| code(text, width)).collect();
    let bad = ["", "1", "102", "d0", "1x10", "102", "1020", "101010", "1010", "1213"];
    crate::check("prefix.json", &json!({ "codes": codes, "bad": bad.map(fault) }));
}

/// Values of a code, their bits in the order in which they are written.
fn code(text: &str, width: u32) -> Value {
    let code = Prefix::parse(text, width).expect("it is one");
    let values = [0, 1, 2, 3, 5, 7, 8, 100, 1 << 15, 0xDEAD_BEEF, u32::MAX];
    let mut values: Vec<u32> = values.iter().map(|value| value & low_mask(width)).collect();
    values.sort_unstable();
    values.dedup();
    let bits = |value: &u32| {
        let mut bytes = Vec::new();
        let mut writer = BitWriter::new(&mut bytes);
        code.write(&mut writer, *value);
        writer.finish();
        assert_eq!(code.read(&mut BitReader::new(&bytes)), Ok(*value));
        let mut reader = BitReader::new(&bytes);
        let bits = (0..code.bits_of(*value)).map(|_| if reader.read(1) == Ok(1) { '1' } else { '0' });
        json!([value, bits.collect::<String>()])
    };
    json!({ "code": text, "width": width, "values": values.iter().map(bits).collect::<Vec<_>>() })
}

fn fault(text: &str) -> Value {
    let fault = match Prefix::parse(text, 3).expect_err("it is none") {
        BadPrefix::Cells => "cells",
        BadPrefix::Incomplete => "incomplete",
        BadPrefix::Oversubscribed => "oversubscribed",
        BadPrefix::Range => "range",
    };
    json!([text, fault])
}
