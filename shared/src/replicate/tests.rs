//! Quantizers as properties, and a representative entity through the derive macro.

use std::f64::consts::TAU;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::id::{EntityId, PlayerId, Tick};

const WIDTH: f32 = 64.0;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Replicate)]
enum Team {
    Red,
    Blue,
    r#None,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
struct Fighter {
    #[replicate(range = -WIDTH..=WIDTH, step = 0.0625)]
    pos: [f32; 2],
    #[replicate(angle = 8, golomb = 2)]
    aim: f64,
    #[replicate(range = 0..=100)]
    health: u8,
    #[replicate(range = -40_000_000_000..-39_999_999_000)]
    born: i64,
    r#type: i16,
    team: Team,
    friends: [Option<EntityId>; 2],
    owner: PlayerId,
    ends: Tick,
    alive: bool,
    #[replicate(max_len = 6)]
    name: String,
    #[replicate(max_len = 3)]
    badge: Vec<u8>,
    #[replicate(skip)]
    cooldown: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
enum Thing {
    Fighter(Fighter),
    Shot {
        #[replicate(range = 0.0..0.3, step = 0.1)]
        x: f32,
        #[replicate(teleport)]
        jumps: u8,
        target: EntityId,
        #[replicate(skip)]
        fuel: f32,
    },
    Wall,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
struct Marker;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
struct Pair(u8, #[replicate(skip)] u8, bool);

fn fighter() -> Fighter {
    Fighter {
        pos: [1.03, -64.0],
        aim: TAU / 4.0,
        health: 77,
        born: -39_999_999_999,
        r#type: -2,
        team: Team::Blue,
        friends: [None, Some(EntityId { slot: 7, generation: 3 })],
        owner: PlayerId(9),
        ends: Tick(1 << 31),
        alive: true,
        name: "Ada".to_owned(),
        badge: vec![1, 2],
        cooldown: 5,
    }
}

fn quantize(thing: &impl Replicate) -> Quantized {
    let mut out = Quantized::default();
    thing.quantize(&mut out);
    out
}

fn restore<E: Replicate>(kind: u8, from: &Quantized) -> Option<E> {
    let blobs: Vec<Box<[u8]>> = (0..from.blob_count()).map(|index| from.blob(index).into()).collect();
    E::restore(kind, &mut Fields::new(&from.lanes, &blobs))
}

/// Fixed-point quantizers of all sizes that an author could write.
fn fixed() -> impl Strategy<Value = Fixed> {
    (-1e6..1e6, 1e-3..1e3, 0.0..100_000.0, any::<bool>()).prop_map(
        |(min, step, steps, inclusive): (f64, f64, f64, _)| {
            let end = min + steps * step;
            if inclusive || end <= min {
                Fixed::inclusive(min, end.max(min), step)
            } else {
                Fixed::exclusive(min, end, step)
            }
        },
    )
}

proptest! {
    #[test]
    fn fixed_point_takes_any_number(by in fixed(), value in prop::num::f64::ANY) {
        let (code, ok) = by.encode(value);
        let (low, high) = (by.value(0), by.value(by.max()));
        prop_assert!(code <= by.max());
        if value.is_nan() {
            prop_assert_eq!((code, ok), (by.encode(0.0).0, false));
        } else if value < low {
            prop_assert_eq!(code, 0);
        } else if value > high {
            prop_assert_eq!(code, by.max());
        } else {
            prop_assert!(ok);
        }
    }

    #[test]
    fn fixed_point_is_half_a_step_off_at_most(by in fixed(), part in 0.0..=1.0_f64) {
        let (low, high) = (by.value(0), by.value(by.max()));
        let value = low + part * (high - low);
        let (code, ok) = by.encode(value);
        let step = by.value(1) - low;
        prop_assert!(ok);
        prop_assert!((by.value(code) - value).abs() <= step * 0.500_001, "{value} became {}", by.value(code));
    }

    #[test]
    fn fixed_point_keeps_its_codes(by in fixed(), part in any::<prop::sample::Index>()) {
        let code = part.index(by.max() as usize + 1) as u32;
        prop_assert_eq!(by.encode(by.value(code)), (code, true));
    }

    #[test]
    fn an_angle_takes_any_number(bits in 1..=24_u8, value in prop::num::f64::ANY) {
        let by = Angle::new(bits);
        let (code, ok) = by.encode(value);
        prop_assert!(code <= by.max());
        prop_assert_eq!(ok, value.is_finite());
        prop_assert!(ok || code == 0);
    }

    #[test]
    fn an_angle_is_half_a_step_off_at_most(bits in 1..=24_u8, value in -100.0..100.0_f64) {
        let by = Angle::new(bits);
        let off = (by.value(by.encode(value).0) - value).rem_euclid(TAU);
        prop_assert!(off.min(TAU - off) <= by.value(1) * 0.500_001);
    }

    #[test]
    fn an_angle_keeps_its_codes(bits in 1..=24_u8, code in any::<u32>()) {
        let by = Angle::new(bits);
        let code = code & by.max();
        prop_assert_eq!(by.encode(by.value(code)), (code, true));
    }

    #[test]
    fn an_integer_is_kept_or_clamped(min in any::<i64>(), count in any::<u32>(), value in any::<i64>()) {
        let end = min.saturating_add(i64::from(count));
        let by = Int::inclusive(min, end);
        let (code, ok) = by.encode(value);
        prop_assert!(code <= by.max());
        prop_assert_eq!(by.value(code), value.clamp(min, end));
        prop_assert_eq!(ok, (min..=end).contains(&value));
    }

    #[test]
    fn a_quantizer_of_the_schema_is_the_constant_it_was_made_of(
        by in fixed(),
        bits in 1..=24_u8,
        value in prop::num::f64::ANY,
    ) {
        let schema = Quantizer::from(by);
        let (code, _) = by.encode(value);
        prop_assert_eq!(schema.encode(value), by.encode(value));
        prop_assert_eq!(schema.value(code), by.value(code));
        prop_assert_eq!(schema.max(), by.max());
        let by = Angle::new(bits);
        let schema = Quantizer::from(by);
        prop_assert_eq!(schema.encode(value), by.encode(value));
        prop_assert_eq!(schema.bits(), u32::from(bits));
    }

    #[test]
    fn any_quantizer_from_anywhere_is_total(
        kind in 0..5,
        [min, step, value] in prop::array::uniform3(prop::num::f64::ANY),
        max in any::<u32>(),
    ) {
        let quantizer = match kind {
            0 => Quantizer::Fixed { min, step, max },
            1 => Quantizer::Angle { bits: max as u8 },
            2 => Quantizer::Int { min: min as i64, max },
            3 => Quantizer::Choice { names: Vec::new() },
            _ => Quantizer::Entity,
        };
        prop_assert!(quantizer.bits() <= 32);
        prop_assert!(quantizer.encode(value).0 <= quantizer.max());
        let _ = quantizer.value(max);
    }

    #[test]
    fn what_a_client_shows_quantizes_to_the_same(
        pos in prop::array::uniform2(prop::num::f32::ANY),
        aim in prop::num::f64::ANY,
        health in any::<u8>(),
        born in any::<i64>(),
        name in ".{0,8}",
        badge in prop::collection::vec(any::<u8>(), 0..5),
    ) {
        let thing = Thing::Fighter(Fighter { pos, aim, health, born, name, badge, ..fighter() });
        let first = quantize(&thing);
        let shown: Thing = restore(0, &first).expect("it fits its schema");
        let second = quantize(&shown);
        prop_assert_eq!(&second.lanes, &first.lanes);
        prop_assert_eq!(&second.blob_bytes, &first.blob_bytes);
        prop_assert_eq!(&second.blob_ends, &first.blob_ends);
        prop_assert_eq!(second.errors, 0);
    }
}

#[test]
fn all_codes_of_small_quantizers_are_kept() {
    for bits in 1..=16 {
        let by = Angle::new(bits);
        assert!((0..=by.max()).all(|code| by.encode(by.value(code)) == (code, true)));
        assert!((0..=by.max()).all(|code| by.encode(by.value(code) - TAU) == (code, true)));
    }
    let by = Fixed::inclusive(-1024.0, 1024.0, 0.1);
    assert!((0..=by.max()).all(|code| by.encode(by.value(code)) == (code, true)));
}

#[test]
fn ends_of_ranges_count_as_written() {
    let max = |by: Fixed| by.max();
    assert_eq!(max(Fixed::inclusive(0.0, 0.3, 0.1)), 3, "0.3 / 0.1 is below 3");
    assert_eq!(max(Fixed::exclusive(0.0, 0.3, 0.1)), 2);
    assert_eq!(max(Fixed::exclusive(0.0, 2048.0, 0.0625)), (1 << 15) - 1);
    assert_eq!(max(Fixed::exclusive(0.0, 1.5, 1.0)), 1);
    assert_eq!(max(Fixed::exclusive(0.0, 1e-9, 1.0)), 0);
    assert_eq!(max(Fixed::inclusive(0.0, 1.4, 1.0)), 1, "1 is nearer to the end than 2");
    assert_eq!(max(Fixed::inclusive(5.0, 5.0, 1.0)), 0);
    assert_eq!(max(Fixed::inclusive(0.0, 4_294_967_295.0, 1.0)), u32::MAX);
    assert_eq!(max(Fixed::exclusive(0.0, 4_294_967_296.0, 1.0)), u32::MAX);
    assert_eq!(Int::exclusive(-1, 1).max(), 1);
    assert_eq!(Quantizer::from(Int::inclusive(7, 7)).bits(), 0);
    assert_eq!(Quantizer::from(Int::inclusive(i64::MIN, i64::MIN + i64::from(u32::MAX))).bits(), 32);
}

#[test]
fn values_out_of_range_are_clamped_and_counted() {
    let by = Fixed::inclusive(1.0, 2.0, 0.5);
    let mut out = Quantized::default();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.5, 2.5, 0.7, 2.3, 1.25] {
        out.fixed(&by, value);
    }
    assert_eq!(out.lanes, [0, 2, 0, 0, 2, 0, 2, 1]);
    assert_eq!(out.errors, 5, "less than a step out of range is rounding, not an error");
    out.angle(&Angle::new(8), f64::NAN);
    out.int(&Int::inclusive(0, 100), 101);
    out.text("naïve", 3);
    out.bytes(&[1, 2, 3], 2);
    assert_eq!(out.errors, 9);
    assert_eq!((out.lanes[8], out.lanes[9]), (0, 100));
    assert_eq!((out.blob(0), out.blob(1)), ("na".as_bytes(), &[1, 2][..]), "cut before the ï");
    out.clear();
    assert_eq!((out.lanes.len(), out.blob_count(), out.errors), (0, 0, 9));
}

#[test]
fn integers_and_ids_keep_all_their_values() {
    fn check<T: Lane + PartialEq + std::fmt::Debug + Copy>(values: &[T]) {
        for value in values {
            let mut out = Quantized::default();
            value.quantize(&mut out);
            assert_eq!(T::restore(&mut Fields::new(&out.lanes, &[])), Some(*value));
            let mut lanes = Vec::new();
            T::describe("x", &mut lanes);
            assert_eq!(lanes.len(), T::LANES);
            assert!(out.lanes.iter().zip(&lanes).all(|(code, lane)| *code <= lane.quantizer.max()));
        }
    }
    check(&[u8::MIN, 1, u8::MAX]);
    check(&[i8::MIN, -1, 0, 1, i8::MAX]);
    check(&[i16::MIN, -1, 0, 1, i16::MAX]);
    check(&[u16::MIN, u16::MAX]);
    check(&[i32::MIN, -1, 0, 1, i32::MAX]);
    check(&[u32::MIN, u32::MAX]);
    check(&[PlayerId(u32::MAX)]);
    check(&[false, true]);
    check(&[EntityId::NONE, EntityId { slot: 65_534, generation: 65_535 }]);
    check(&[None, Some(EntityId { slot: 0, generation: 0 })]);
    check(&[[[1_u8, 2], [3, 4]]]);
    check(&[Team::Red, Team::None]);
}

#[test]
fn a_client_shows_what_was_quantized() {
    let shown: Thing = restore(0, &quantize(&Thing::Fighter(fighter()))).unwrap();
    let pos = [1.0, -64.0];
    assert_eq!(shown, Thing::Fighter(Fighter { pos, cooldown: 0, ..fighter() }));
    let shot = Thing::Shot { x: 0.2, jumps: 3, target: EntityId::NONE, fuel: 1.0 };
    assert_eq!(shot.kind(), 1);
    let Thing::Shot { fuel, jumps, .. } = restore(1, &quantize(&shot)).unwrap() else { panic!("another kind") };
    assert_eq!((fuel, jumps), (0.0, 3));
    assert_eq!(restore(2, &quantize(&Thing::Wall)), Some(Thing::Wall));
    assert_eq!(restore(0, &quantize(&Marker)), Some(Marker));
    assert_eq!(restore(0, &quantize(&Pair(1, 2, true))), Some(Pair(1, 0, true)));
}

#[test]
fn fields_that_do_not_fit_the_schema_are_refused() {
    let good = quantize(&Thing::Fighter(fighter()));
    assert!(restore::<Thing>(0, &good).is_some());
    assert!(restore::<Thing>(1, &Quantized::default()).is_none(), "too few lanes");
    assert!(restore::<Thing>(3, &good).is_none(), "no such kind");
    assert!(restore::<Fighter>(1, &good).is_none(), "a struct is kind 0");
    for (lane, quantizer) in Thing::schema().kinds[0].lanes.iter().map(|lane| &lane.quantizer).enumerate() {
        let mut bad = good.clone();
        bad.lanes[lane] = quantizer.max().wrapping_add(1);
        assert_eq!(restore::<Thing>(0, &bad).is_none(), quantizer.max() != u32::MAX, "lane {lane}");
    }
    let mut bad = good.clone();
    bad.blob_bytes[0] = 0xFF;
    assert!(restore::<Thing>(0, &bad).is_none(), "no UTF-8");
    let mut bad = good.clone();
    bad.text("too long", 100);
    bad.blob_ends = vec![0, bad.blob_bytes.len()];
    assert!(restore::<Thing>(0, &bad).is_none(), "too many bytes");
}

#[test]
fn the_schema_document_of_an_entity() {
    let schema = Thing::schema();
    let expected: String = THING_SCHEMA.lines().map(str::trim).collect();
    assert_eq!(serde_json::to_string(&schema).unwrap(), expected);
    assert_eq!(schema.kinds[0].skipped, ["cooldown"]);
    assert_eq!(Pair::schema().kinds[0].lanes[1].name, "2");
}

#[test]
fn the_schema_document_keeps_every_bit_of_a_number() {
    // Without its feature `float_roundtrip`, serde_json reads this one a bit off, and clients would show other values.
    let lane = LaneSchema::new("x", Fixed::inclusive(-432_623.860_647_283_55, 0.0, 0.001));
    let json = serde_json::to_string(&lane).unwrap();
    assert_eq!(serde_json::from_str::<LaneSchema>(&json).unwrap(), lane);
}

const THING_SCHEMA: &str = r#"
{"kinds":[
    {"name":"Fighter","lanes":[
        {"name":"pos.0","quantizer":{"type":"fixed","min":-64.0,"step":0.0625,"max":2048},
         "teleport":false,"coding":{"golomb":{"k":5}}},
        {"name":"pos.1","quantizer":{"type":"fixed","min":-64.0,"step":0.0625,"max":2048},
         "teleport":false,"coding":{"golomb":{"k":5}}},
        {"name":"aim","quantizer":{"type":"angle","bits":8},
         "teleport":false,"coding":{"golomb":{"k":2}}},
        {"name":"health","quantizer":{"type":"int","min":0,"max":100},
         "teleport":false,"coding":{"golomb":{"k":1}}},
        {"name":"born","quantizer":{"type":"int","min":-40000000000,"max":999},
         "teleport":false,"coding":{"golomb":{"k":2}}},
        {"name":"type","quantizer":{"type":"int","min":-32768,"max":65535},
         "teleport":false,"coding":{"golomb":{"k":4}}},
        {"name":"team","quantizer":{"type":"choice","names":["Red","Blue","None"]},
         "teleport":false,"coding":{"golomb":{"k":0}}},
        {"name":"friends.0","quantizer":{"type":"entity"},
         "teleport":false,"coding":{"golomb":{"k":12}}},
        {"name":"friends.1","quantizer":{"type":"entity"},
         "teleport":false,"coding":{"golomb":{"k":12}}},
        {"name":"owner","quantizer":{"type":"int","min":0,"max":4294967295},
         "teleport":false,"coding":{"golomb":{"k":8}}},
        {"name":"ends","quantizer":{"type":"int","min":0,"max":4294967295},
         "teleport":false,"coding":{"golomb":{"k":8}}},
        {"name":"alive","quantizer":{"type":"bool"},
         "teleport":false,"coding":{"golomb":{"k":0}}}
    ],"blobs":[
        {"name":"name","max_len":6,"text":true},
        {"name":"badge","max_len":3,"text":false}
    ]},
    {"name":"Shot","lanes":[
        {"name":"x","quantizer":{"type":"fixed","min":0.0,"step":0.1,"max":2},
         "teleport":false,"coding":{"golomb":{"k":0}}},
        {"name":"jumps","quantizer":{"type":"int","min":0,"max":255},
         "teleport":true,"coding":{"golomb":{"k":2}}},
        {"name":"target","quantizer":{"type":"entity"},
         "teleport":false,"coding":{"golomb":{"k":12}}}
    ],"blobs":[]},
    {"name":"Wall","lanes":[],"blobs":[]}
]}"#;
