//! Inputs, events and configs: values of every shape in bincode bytes, with the schema that says so.
//!
//! The values in the file are read from the bytes by the schema alone, by a decoder of its own: what another language does.
//! They stand in serde's JSON form, 64-bit numbers as text, byte lists as hex.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tiltyard_shared::{
    game::PlayerId,
    protocol::codec,
    wire::{Wire, WireField, WireSchema},
    world::EntityId,
};

use crate::json::hex;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub(crate) enum Act {
    Stop,
    Move { x: f32, y: f64 },
    Say(#[wire(max_len = 12)] String),
    Pair(u8, i16),
    Orders(Orders),
    Keys([[bool; 2]; 3]),
    Bytes(#[wire(max_len = 16)] Vec<u8>),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Wire)]
pub(crate) struct Orders {
    #[wire(max_len = 3)]
    pub units: Vec<Vec<EntityId>>,
    pub note: String,
    #[wire(max_len = 3)]
    pub tag: Option<String>,
    pub by: Option<PlayerId>,
    pub next: Option<Option<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Wire)]
struct Numbers(u8, u16, u32, u64, i8, i16, i32, i64);

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Wire)]
struct Nothing;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Wire)]
struct Only(f32);

#[test]
fn wire() {
    let id = |slot| EntityId { slot, generation: 70_000 };
    let orders = Orders {
        units: vec![vec![], vec![id(1), EntityId::NONE]],
        note: "grüße 漢🦀".to_owned(),
        tag: Some("abc".to_owned()),
        by: Some(PlayerId(300)),
        next: Some(None),
    };
    let edges = |n: u32| {
        let (n, wide) = (n as i32, u64::from(n));
        Numbers(n as u8, n as u16, n as u32, wide << 31, n as i8, n as i16, n.wrapping_neg(), -(wide as i64))
    };
    crate::check(
        "wire.json",
        &json!([
            entry("unit", &[()]),
            entry("bool", &[false, true]),
            entry("u8", &[0u8, 250, 251, 255]),
            entry("u16", &[0u16, 250, 251, 65_535]),
            entry("u32", &[0u32, 250, 251, 65_535, 65_536, u32::MAX]),
            entry("u64", &[0u64, 251, 65_536, u64::from(u32::MAX), 1 << 32, (1 << 53) + 1, u64::MAX]),
            entry("i8", &[0i8, -1, 1, i8::MIN, i8::MAX]),
            entry("i16", &[0i16, -1, 125, -125, -126, 126, i16::MIN, i16::MAX]),
            entry("i32", &[0i32, -1, 1, 32_767, -32_768, -32_769, i32::MIN, i32::MAX]),
            entry("i64", &[0i64, -1, 1, 1 << 40, -(1 << 53) - 1, i64::MIN, i64::MAX]),
            entry("f32", &[0.0f32, -0.0, 1.5, 0.1, f32::MAX, f32::MIN_POSITIVE]),
            entry("f64", &[0.0f64, 0.1, -1e300, f64::MIN_POSITIVE]),
            entry("text", &["".to_owned(), "Ann".to_owned(), "é".repeat(128)]),
            entry("list", &[vec![], vec![1u32, 300, 70_000]]),
            entry("bytes", &[vec![], vec![0u8, 255, 251], vec![7; 256]]),
            entry("array", &[[-1i8, 2, 3]]),
            entry("option", &[None, Some(5u8)]),
            entry("nothing", &[Nothing]),
            entry("newtype", &[Only(0.25)]),
            entry("tuple", &[edges(0), edges(1), edges(251), edges(65_536), edges(u32::MAX)]),
            entry("entity id", &[EntityId::NONE, id(5)]),
            entry("struct", &[Orders::default(), orders.clone(), Orders { next: Some(Some(3)), ..Orders::default() }]),
            entry(
                "enum",
                &[
                    Act::Stop,
                    Act::Move { x: 0.5, y: -2.25 },
                    Act::Say("hello".to_owned()),
                    Act::Pair(251, -300),
                    Act::Orders(orders.clone()),
                    Act::Keys([[true, false], [false, false], [true, true]]),
                    Act::Bytes(vec![1, 2, 3]),
                ]
            ),
        ]),
    );
}

fn entry<T: Wire + PartialEq>(name: &str, values: &[T]) -> Value {
    let schema = T::schema();
    let value = |value: &T| {
        assert!(value.is_bounded(), "{value:?}");
        let bytes = codec::encode(value);
        assert_eq!(codec::decode::<T>(&bytes).as_ref(), Ok(value));
        let mut rest = &bytes[..];
        let read = read(&schema, &mut rest);
        assert!(rest.is_empty(), "{value:?} is not what its schema says");
        json!({ "hex": hex(&bytes), "value": read })
    };
    json!({ "name": name, "schema": schema, "values": values.iter().map(value).collect::<Vec<_>>() })
}

/// The value at the start of these bytes, by its schema.
fn read(schema: &WireSchema, rest: &mut &[u8]) -> Value {
    match schema {
        WireSchema::Unit => Value::Null,
        WireSchema::Bool => json!(take(rest, 1)[0] == 1),
        WireSchema::Uint { bits: 8 } => json!(take(rest, 1)[0]),
        WireSchema::Int { bits: 8 } => json!(take(rest, 1)[0] as i8),
        WireSchema::Uint { bits: 64 } => json!(number(rest).to_string()),
        WireSchema::Uint { .. } => json!(number(rest)),
        WireSchema::Int { bits } => {
            let zigzag = number(rest);
            let number = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
            if *bits == 64 { json!(number.to_string()) } else { json!(number) }
        }
        WireSchema::Float { bits: 32 } => {
            json!(f64::from(f32::from_le_bytes(take(rest, 4).try_into().expect("it is four bytes"))))
        }
        WireSchema::Float { .. } => json!(f64::from_le_bytes(take(rest, 8).try_into().expect("it is eight bytes"))),
        WireSchema::Text { max_len } => {
            let len = number(rest);
            assert!(len <= u64::from(*max_len));
            json!(std::str::from_utf8(take(rest, len as usize)).expect("text is UTF-8"))
        }
        WireSchema::List { max_len, item } => {
            let len = number(rest);
            assert!(len <= u64::from(*max_len));
            match **item {
                WireSchema::Uint { bits: 8 } => json!(hex(take(rest, len as usize))),
                _ => (0..len).map(|_| read(item, rest)).collect(),
            }
        }
        WireSchema::Array { len, item } => (0..*len).map(|_| read(item, rest)).collect(),
        WireSchema::Option { item } => match take(rest, 1)[0] {
            0 => Value::Null,
            // Or it could not be told from none.
            _ if matches!(**item, WireSchema::Option { .. } | WireSchema::Unit) => json!({ "Some": read(item, rest) }),
            _ => read(item, rest),
        },
        WireSchema::Struct { fields, .. } => struct_value(fields, rest),
        WireSchema::Enum { variants, .. } => {
            let variant = &variants[number(rest) as usize];
            match &variant.fields[..] {
                [] => json!(variant.name),
                fields => json!({ &variant.name: struct_value(fields, rest) }),
            }
        }
    }
}

/// No fields are null, one without a name is itself, more without names are a list.
fn struct_value(fields: &[WireField], rest: &mut &[u8]) -> Value {
    match fields {
        [] => Value::Null,
        [field] if field.name == "0" => read(&field.schema, rest),
        [first, ..] if first.name == "0" => fields.iter().map(|field| read(&field.schema, rest)).collect(),
        _ => Value::Object(fields.iter().map(|field| (field.name.clone(), read(&field.schema, rest))).collect()),
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (head, tail) = rest.split_at(count);
    *rest = tail;
    head
}

fn number(rest: &mut &[u8]) -> u64 {
    let wide = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
    match take(rest, 1)[0] {
        251 => wide(take(rest, 2)),
        252 => wide(take(rest, 4)),
        253 => wide(take(rest, 8)),
        small => u64::from(small),
    }
}
