//! A representative input through the derive macro: bytes there and back, bounds, schema.

use proptest::{
    prelude::{any, prop_assert, prop_assert_eq, proptest},
    test_runner::TestCaseError,
};
use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    id::{EntityId, PlayerId},
    protocol::codec,
};

const LONGEST: u32 = 5;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
enum Input {
    Stop,
    Move { x: f32, y: f64, r#type: i16 },
    Say(#[wire(max_len = LONGEST)] String, Option<PlayerId>),
    Orders(Orders),
    Keys([[bool; 2]; 3]),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Wire)]
#[serde(default)]
struct Orders {
    #[wire(max_len = 2)]
    units: Vec<Vec<EntityId>>,
    note: String,
    #[wire(max_len = 3)]
    tag: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Wire)]
struct Nothing;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Wire)]
struct Numbers(u8, u16, u32, u64, i8, i16, i32, i64, ());

fn round_trip<T: Wire + PartialEq>(rng: &mut Rng) -> Result<T, TestCaseError> {
    let value = T::arbitrary(rng);
    prop_assert!(value.is_bounded(), "{value:?}");
    let bytes = codec::encode(&value);
    prop_assert!(bytes.len() as u64 <= T::schema().most_bytes(), "{value:?}");
    let back: T = codec::decode(&bytes).map_err(|error| TestCaseError::fail(format!("{value:?}: {error}")))?;
    prop_assert_eq!(&back, &value);
    prop_assert_eq!(measure(&T::schema(), &bytes), bytes.len(), "{:?} is not what its schema says", value);
    Ok(value)
}

/// How many bytes the value at the start takes by its schema: what another language would read.
fn measure(schema: &WireSchema, bytes: &[u8]) -> usize {
    let all =
        |fields: &[WireField], start| fields.iter().fold(start, |at, field| at + measure(&field.schema, &bytes[at..]));
    let items = |item: &WireSchema, count, start| (0..count).fold(start, |at, _| at + measure(item, &bytes[at..]));
    match schema {
        WireSchema::Unit => 0,
        WireSchema::Bool | WireSchema::Uint { bits: 8 } | WireSchema::Int { bits: 8 } => 1,
        WireSchema::Uint { .. } | WireSchema::Int { .. } => number(bytes).1,
        WireSchema::Float { bits } => usize::from(bits / 8),
        WireSchema::Text { max_len } => {
            let (len, start) = number(bytes);
            assert!(len <= u64::from(*max_len));
            start + len as usize
        }
        WireSchema::List { max_len, item } => {
            let (len, start) = number(bytes);
            assert!(len <= u64::from(*max_len));
            items(item, len as u32, start)
        }
        WireSchema::Array { len, item } => items(item, *len, 0),
        WireSchema::Option { item } => items(item, u32::from(bytes[0]), 1),
        WireSchema::Struct { fields, .. } => all(fields, 0),
        WireSchema::Enum { variants, .. } => {
            let (index, start) = number(bytes);
            all(&variants[index as usize].fields, start)
        }
    }
}

/// A variable-length number, and how many bytes it takes.
fn number(bytes: &[u8]) -> (u64, usize) {
    let wide = |len: usize| bytes[1..=len].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
    match bytes[0] {
        251 => (wide(2), 3),
        252 => (wide(4), 5),
        253 => (wide(8), 9),
        small => (u64::from(small), 1),
    }
}

proptest! {
    #[test]
    fn random_values_are_bounded_and_their_bytes_are_what_the_schema_says(seed in any::<u64>()) {
        let rng = &mut Rng::new(seed);
        for _ in 0..20 {
            round_trip::<Input>(rng)?;
            round_trip::<Nothing>(rng)?;
            round_trip::<Numbers>(rng)?;
        }
    }
}

#[test]
fn random_values_have_all_sizes() {
    let rng = &mut Rng::new(1);
    let numbers: Vec<i64> = (0..1000).map(|_| i64::arbitrary(rng)).collect();
    assert!(
        numbers.contains(&i64::MIN) && numbers.contains(&0) && numbers.iter().any(|number| (1..9).contains(number))
    );
    let lengths: Vec<usize> = (0..1000).map(|_| Vec::<u8>::arbitrary(rng).len()).collect();
    assert!(lengths.contains(&0) && lengths.contains(&256) && lengths.iter().any(|len| (9..256).contains(len)));
    let texts: Vec<String> = (0..1000).map(|_| String::arbitrary_within(rng, 9)).collect();
    assert!(texts.iter().any(|text| text.len() == 9) && texts.iter().any(|text| !text.is_ascii()));
    let floats: Vec<f32> = (0..1000).map(|_| f32::arbitrary(rng)).collect();
    assert!(floats.iter().all(|float| float.is_finite()) && floats.iter().any(|float| float.abs() > 1e20));
}

#[test]
fn what_breaks_its_bounds_is_not_bounded() {
    let say = |text: &str| Input::Say(text.to_owned(), None).is_bounded();
    assert!(say("12345"));
    assert!(!say("123456"));
    let go = |x| Input::Move { x, y: 0.0, r#type: 0 }.is_bounded();
    assert!(go(f32::MAX));
    assert!(!go(f32::NAN));
    assert!(!go(f32::INFINITY));

    let id = EntityId { slot: 0, generation: 0 };
    let orders = |orders: Orders| Input::Orders(orders).is_bounded();
    assert!(orders(Orders { units: vec![vec![id; 256]; 2], ..Orders::default() }));
    assert!(!orders(Orders { units: vec![vec![]; 3], ..Orders::default() }), "the field's own bound");
    assert!(!orders(Orders { units: vec![vec![id; 257]], ..Orders::default() }), "the default bound, one level down");
    assert!(orders(Orders { note: "x".repeat(256), ..Orders::default() }));
    assert!(!orders(Orders { note: "x".repeat(257), ..Orders::default() }));
    assert!(!orders(Orders { tag: Some("four".to_owned()), ..Orders::default() }), "through the option");
}

#[test]
fn depth_counts_levels() {
    assert_eq!((u8::DEPTH, Nothing::DEPTH, Vec::<[u8; 2]>::DEPTH), (1, 1, 3));
    assert_eq!(Input::DEPTH, 6, "Input, Orders, Vec, Vec, EntityId, u32");
}

#[test]
fn the_most_bytes_of_a_value_are_those_of_its_largest() {
    let id = EntityId { slot: u32::MAX, generation: u32::MAX };
    let orders = Orders { units: vec![vec![id; 256]; 2], note: "x".repeat(256), tag: Some("abc".to_owned()) };
    let largest = Input::Orders(orders);
    assert!(largest.is_bounded());
    assert_eq!(Input::schema().most_bytes(), codec::encode(&largest).len() as u64);
    assert_eq!(Input::schema().heaviest(), "Orders.0.units");
    assert_eq!((<()>::schema().most_bytes(), <()>::schema().heaviest()), (0, String::new()));
}

#[test]
fn the_schema_document_of_an_input() {
    let expected: String = INPUT_SCHEMA.lines().map(str::trim).collect();
    let json = serde_json::to_string(&Input::schema()).unwrap();
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_str::<WireSchema>(&json).unwrap(), Input::schema());
}

const INPUT_SCHEMA: &str = r#"
{"type":"enum","name":"Input","variants":[
    {"name":"Stop","fields":[]},
    {"name":"Move","fields":[
        {"name":"x","schema":{"type":"float","bits":32}},
        {"name":"y","schema":{"type":"float","bits":64}},
        {"name":"type","schema":{"type":"int","bits":16}}
    ]},
    {"name":"Say","fields":[
        {"name":"0","schema":{"type":"text","max_len":5}},
        {"name":"1","schema":{"type":"option","item":{"type":"uint","bits":32}}}
    ]},
    {"name":"Orders","fields":[{"name":"0","schema":{"type":"struct","name":"Orders","fields":[
        {"name":"units","schema":{"type":"list","max_len":2,"item":{"type":"list","max_len":256,"item":
            {"type":"struct","name":"EntityId","fields":[
                {"name":"slot","schema":{"type":"uint","bits":32}},
                {"name":"generation","schema":{"type":"uint","bits":32}}
            ]}
        }}},
        {"name":"note","schema":{"type":"text","max_len":256}},
        {"name":"tag","schema":{"type":"option","item":{"type":"text","max_len":3}}}
    ]}}]},
    {"name":"Keys","fields":[{"name":"0","schema":
        {"type":"array","len":3,"item":{"type":"array","len":2,"item":{"type":"bool"}}}
    }]}
]}"#;
