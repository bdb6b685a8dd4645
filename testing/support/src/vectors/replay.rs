//! What a replica holds, as the files say it; and the names of errors.

use serde_json::{Value, json};
use tiltyard_shared::{
    frame::{BadFrame, Head},
    hash::StateHash,
    protocol::Resync,
    replica::{BadChunk, Replica, ReplicaError, Table},
    replicate::{EntitySchema, KindSchema, Layout, Quantizer},
    world::EntityId,
};

use super::json::hex;

/// The name of an error in the files.
pub fn error_name(error: &ReplicaError) -> &'static str {
    match error {
        ReplicaError::Frame(BadFrame::Truncated) => "frame truncated",
        ReplicaError::Frame(BadFrame::OutOfRange) => "frame out of range",
        ReplicaError::Frame(BadFrame::Trailing) => "frame trailing",
        ReplicaError::Chunk { reason, .. } => chunk_error_name(reason),
        ReplicaError::HashMismatch(_) => "hash mismatch",
        ReplicaError::NoStart => "no start",
    }
}

/// The name of a chunk's error in the files.
pub fn chunk_error_name(error: &BadChunk) -> &'static str {
    match error {
        BadChunk::Truncated => "chunk truncated",
        BadChunk::OutOfRange => "chunk out of range",
        BadChunk::WrongBase { .. } => "chunk wrong base",
    }
}

/// Two halves.
pub fn hash(StateHash(first, second): StateHash) -> Value {
    json!([first, second])
}

/// A head.
pub fn head(head: &Head) -> Value {
    json!({
        "epoch": head.epoch,
        "tick": head.tick.0,
        "start": head.start,
        "inputs": head.inputs.map(|settled| json!({ "number": settled.number, "margin": settled.margin })),
        "moved": head.moved,
        "refused": head.refused.iter().map(|(number, code)| json!([number, format!("{code:?}")])).collect::<Vec<_>>(),
        "hash": head.hash.map(hash),
        "own": head.own,
    })
}

/// A resync.
pub fn resync(resync: Resync) -> Value {
    json!({ "epoch": resync.epoch, "applied": resync.applied.map(|tick| tick.0), "event": resync.event })
}

/// A table: version, hash, and each member as `[slot, generation, kind, codes, blobs]`.
pub fn table(layout: &Layout, table: &Table) -> Value {
    let members = table.members().iter().enumerate().map(|(index, member)| {
        let blobs: Vec<String> = table.blobs(layout, index).iter().map(|bytes| hex(bytes)).collect();
        json!([member.slot, member.generation, member.kind, table.lanes(layout, index), blobs])
    });
    json!({
        "version": table.version().0,
        "hash": hash(table.hash()),
        "members": members.collect::<Vec<_>>(),
    })
}

/// Everything that a replica holds; its events are taken out.
pub fn state(replica: &mut Replica, schema: &EntitySchema) -> Value {
    let events: Vec<Value> = replica.drain_events().map(|event| json!([event.number, hex(&event.bytes)])).collect();
    let tables = replica.tables().map(|(group, held, behind)| {
        let mut entry = table(replica.layout(), held);
        entry["group"] = json!(group.0);
        entry["behind"] = json!(behind);
        entry
    });
    let shown = replica.shown().map(|shown| {
        let kind = &schema.kinds[shown.member.kind as usize];
        json!({
            "slot": shown.member.slot,
            "generation": shown.member.generation,
            "kind": kind.name,
            "group": shown.group.0,
            "fields": fields(kind, &shown.codes().collect::<Vec<_>>(), shown.blobs),
        })
    });
    let report = replica.report();
    json!({
        "tables": tables.collect::<Vec<_>>(),
        "shown": shown.collect::<Vec<_>>(),
        "hash": hash(replica.hash()),
        "own_group": replica.own_group().map(|group| group.0),
        "events": events,
        "events_lost": replica.events_lost(),
        "report": { "epoch": report.epoch, "applied": report.applied.0, "event": report.event },
    })
}

/// The fields of an entity by their names, as a client shows them: `name.0`, `name.1` are items of an array. Null if one has
/// no meaning.
pub fn fields(kind: &KindSchema, lanes: &[u32], blobs: &[Box<[u8]>]) -> Value {
    let mut object = json!({});
    for (lane, &code) in kind.lanes.iter().zip(lanes) {
        if code > lane.quantizer.max() {
            return Value::Null;
        }
        put(&mut object, &lane.name, value(&lane.quantizer, code));
    }
    for (blob, bytes) in kind.blobs.iter().zip(blobs) {
        let value = match (blob.text, String::from_utf8(bytes.to_vec())) {
            (true, Ok(text)) => text,
            (true, Err(_)) => return Value::Null,
            (false, _) => hex(bytes),
        };
        put(&mut object, &blob.name, json!(value));
    }
    object
}

/// What a client shows for a code.
pub fn value(quantizer: &Quantizer, code: u32) -> Value {
    match quantizer {
        Quantizer::Fixed { .. } | Quantizer::Angle { .. } => json!(quantizer.value(code)),
        Quantizer::Int { min, .. } => json!(min + i64::from(code)),
        Quantizer::Bool => json!(code == 1),
        Quantizer::Choice { names } => json!(names[code as usize]),
        Quantizer::Entity => {
            json!(EntityId::from_lane(code).map(|id| json!({ "slot": id.slot, "generation": id.generation })))
        }
    }
}

fn put(object: &mut Value, name: &str, value: Value) {
    let mut place = object;
    for part in name.split('.') {
        place = match part.parse::<usize>() {
            Ok(index) => {
                if place.is_null() {
                    *place = json!([]);
                }
                let items = place.as_array_mut().expect("numbers name items");
                if index >= items.len() {
                    items.resize(index + 1, Value::Null);
                }
                &mut items[index]
            }
            Err(_) => &mut place[part],
        };
    }
    *place = value;
}
