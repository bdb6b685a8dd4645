//! Truncated and mutated bytes, and the error that each must give: of frames, control messages, and inputs.
//!
//! `truncated` tells results for lengths from 0 up, as `[how many lengths, result]`. An entry of `mutated` is a list of
//! `[place, byte by which it is xored]`, then the result; for frames that are applied also what the replica then reports.

use serde_json::{Value, json};
use tiltyard_shared::{
    game::Rng,
    protocol::{codec, codec::CodecError},
    replica::{Applied, Replica},
    replicate::Replicate as _,
    wire::Wire,
    world::EntityId,
};

use crate::{
    frames::{self, Script},
    json::hex,
    messages,
    replay::{error_name, hash},
    things::Thing,
    wire::{Act, Orders},
};

#[test]
fn hostile() {
    let sequences = frames::sequences();
    let bases = [
        (0, 1),
        (0, 4),
        (1, 1),
        (2, 5),
        (3, 3),
        (4, 0),
        (5, 4),
        (6, 4),
        (8, 1),
        (8, 6),
        (8, 9),
        (9, 2),
        (9, 3),
        (9, 5),
    ];
    let frames: Vec<Value> = bases.iter().map(|(sequence, step)| frame_entry(&sequences[*sequence], *step)).collect();
    let client = messages::client_messages().into_iter().map(|(name, message)| {
        let result = |bytes: &[u8]| control_result(codec::decode_client(bytes), bytes);
        entry(name, &codec::encode(&message), 40, result)
    });
    let server = messages::server_messages().into_iter().map(|(name, message)| {
        let result = |bytes: &[u8]| control_result(codec::decode_server(bytes), bytes);
        entry(name, &codec::encode(&message), 60, result)
    });
    let orders = Orders {
        units: vec![vec![], vec![]],
        note: "note".to_owned(),
        tag: Some("tag".to_owned()),
        ..Orders::default()
    };
    let acts = [
        ("move", Act::Move { x: 1.0, y: -1.0 }),
        ("say", Act::Say("hello".to_owned())),
        ("pair", Act::Pair(3, 300)),
        ("orders", Act::Orders(orders)),
        ("keys", Act::Keys([[true, false]; 3])),
        ("bytes", Act::Bytes(vec![9; 8])),
    ];
    let beyond = [
        Act::Say("x".repeat(13)),
        Act::Move { x: f32::NAN, y: 0.0 },
        Act::Move { x: 0.0, y: f64::NEG_INFINITY },
        Act::Bytes(vec![1; 17]),
        Act::Orders(Orders { units: vec![vec![]; 4], ..Orders::default() }),
        Act::Orders(Orders { units: vec![vec![EntityId::NONE; 257]], ..Orders::default() }),
        Act::Orders(Orders { note: "x".repeat(257), tag: Some("four".to_owned()), ..Orders::default() }),
    ];
    let unbounded = beyond.map(|act| {
        let bytes = codec::encode(&act);
        assert_eq!(input_result(&bytes), "unbounded");
        hex(&bytes)
    });
    let inputs = acts.into_iter().map(|(name, act)| entry(name, &codec::encode(&act), 150, input_result));
    crate::check(
        "hostile.json",
        &json!({
            "frames": frames,
            "client": client.collect::<Vec<_>>(),
            "server": server.collect::<Vec<_>>(),
            "inputs": { "schema": Act::schema(), "cases": inputs.collect::<Vec<_>>(), "unbounded": unbounded },
        }),
    );
}

/// `step` steps of a sequence are applied first, then the bytes.
fn frame_entry(script: &Script, step: usize) -> Value {
    let bytes = &script.frames[step];
    let result = |bytes: &[u8]| {
        let mut replica = Replica::new(&Thing::schema(), 1);
        for (step, frame) in script.steps[..step].iter().zip(&script.frames) {
            match (&step["anew"], &step["sent"]) {
                (Value::Bool(anew), _) => drop(replica.resync(*anew)),
                (_, Value::Number(sent)) => replica.sent_input(sent.as_u64().expect("a number") as u32),
                _ => drop(replica.apply(frame)),
            }
        }
        match replica.apply(bytes) {
            Err(error) => json!(error_name(&error)),
            Ok(applied) => {
                let report = replica.report();
                // Beyond what JavaScript's numbers hold; no room gets there.
                if report.event >= 1 << 53 {
                    return Value::Null;
                }
                let name = if applied == Applied::Stale { "stale" } else { "applied" };
                json!([name, report.epoch, report.applied.0, report.event, hash(replica.hash())])
            }
        }
    };
    let mut entry = entry(script.name, bytes, 250, result);
    entry["step"] = json!(step);
    entry
}

fn entry(name: &str, bytes: &[u8], mutations: u32, result: impl Fn(&[u8]) -> Value) -> Value {
    let mut truncated: Vec<(u32, Value)> = Vec::new();
    for end in 0..bytes.len() {
        let found = result(&bytes[..end]);
        match truncated.last_mut() {
            Some((count, last)) if *last == found => *count += 1,
            _ => truncated.push((1, found)),
        }
    }
    let mut rng = Rng::new(bytes.len() as u64);
    let mutate = |index: u32| {
        let mut mutated = bytes.to_vec();
        let flips: Vec<(usize, u8)> = (0..1 + index % 3)
            .map(|_| {
                (rng.below(bytes.len() as u32) as usize, 1 << rng.below(8) | (rng.next_u32() & rng.next_u32()) as u8)
            })
            .collect();
        flips.iter().for_each(|(at, flip)| mutated[*at] ^= flip);
        let found = result(&mutated);
        (!found.is_null()).then(|| json!([flips, found]))
    };
    let mutated: Vec<Value> = (0..mutations).filter_map(mutate).collect();
    json!({ "name": name, "hex": hex(bytes), "truncated": truncated, "mutated": mutated })
}

fn control_result<T: serde::Serialize>(decoded: Result<T, CodecError>, bytes: &[u8]) -> Value {
    match decoded {
        Err(CodecError::Malformed) => json!("malformed"),
        Err(CodecError::Trailing(_)) => json!("trailing"),
        Err(CodecError::Unknown(_)) => json!("unknown"),
        // A number may be written longer than it need be; then it does not come out as it went in.
        Ok(value) if codec::encode(&value) == bytes => json!("ok"),
        Ok(value) => json!(["ok", hex(&codec::encode(&value))]),
    }
}

fn input_result(bytes: &[u8]) -> Value {
    let decoded = codec::decode::<Act>(bytes);
    match &decoded {
        Ok(act) if !act.is_bounded() => json!("unbounded"),
        _ => control_result(decoded, bytes),
    }
}
