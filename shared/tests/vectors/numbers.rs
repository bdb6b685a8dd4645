//! Bits, Golomb codes, variable-length numbers, rising lists, and the terms of the hash.

use serde_json::{Value, json};
use tiltyard_shared::{
    bits::{BitReader, BitWriter},
    frame,
    game::Tick,
    hash::StateHash,
    schema::Schema,
    world::GroupId,
};

use crate::json::hex;

#[test]
fn numbers() {
    let texts = ["", "a", "{\"game\":\"arena\"}"];
    let schema_hashes = texts.map(|text| json!([text, format!("{:016x}", Schema::hash(text))]));
    crate::check(
        "numbers.json",
        &json!({
            "bits": bits(),
            "golomb": golomb(),
            "leb128": leb128(),
            "rising": rising(),
            "hash": hashes(),
            "schema_hash": schema_hashes,
        }),
    );
}

/// Plain numbers of a width, one after the other.
fn bits() -> Value {
    let runs: [&[(u32, u32)]; 4] = [
        &[(1, 1), (0, 1), (5, 3)],
        &[(0x3FF, 10), (0, 0), (0x2AAA, 15)],
        &[(u32::MAX, 32), (0, 3), (u32::MAX, 32)],
        &[(1, 7), (0x1234_5678, 32), (0, 1), (0x7F, 7)],
    ];
    let run = |run: &&[(u32, u32)]| {
        let mut bytes = Vec::new();
        let mut writer = BitWriter::new(&mut bytes);
        run.iter().for_each(|(value, bits)| writer.write(*value, *bits));
        writer.finish();
        let mut reader = BitReader::new(&bytes);
        assert!(run.iter().all(|(value, bits)| reader.read(*bits) == Ok(*value)));
        json!({ "hex": hex(&bytes), "numbers": run })
    };
    runs.iter().map(run).collect()
}

/// Exponential Golomb codes, their bits in the order in which they are written.
fn golomb() -> Value {
    let values = [0, 1, 2, 3, 4, 7, 8, 100, 65_535, 1 << 31, u32::MAX];
    let orders = [0, 1, 2, 4, 12, 31];
    let codes = orders.iter().flat_map(|&k| values.iter().map(move |&value| (value, k)));
    let code = |(value, k)| json!({ "k": k, "value": value, "bits": golomb_bits(value, k) });
    codes.map(code).collect()
}

/// The bits of one code, first on the left.
pub(crate) fn golomb_bits(value: u32, k: u32) -> String {
    let mut bytes = Vec::new();
    let mut writer = BitWriter::new(&mut bytes);
    writer.write_golomb(value, k);
    writer.finish();
    let mut reader = BitReader::new(&bytes);
    assert_eq!(reader.read_golomb(k), Ok(value));
    let length = bytes.len() * 8 - reader.remaining();
    let mut reader = BitReader::new(&bytes);
    (0..length).map(|_| if reader.read(1) == Ok(1) { '1' } else { '0' }).collect()
}

fn leb128() -> Value {
    let values = [0, 1, 127, 128, 300, 16_383, 16_384, u64::from(u32::MAX), 1 << 32, (1 << 53) - 1];
    let entry = |value: &u64| {
        let mut bytes = Vec::new();
        frame::write_varint(&mut bytes, *value);
        json!([value, hex(&bytes)])
    };
    values.iter().map(entry).collect()
}

fn rising() -> Value {
    let lists: [&[u32]; 5] = [&[], &[0], &[0, 1, 2], &[7], &[3, 4, 200, 70_000]];
    let entry = |list: &&[u32]| {
        let mut bytes = Vec::new();
        frame::write_rising(&mut bytes, list.iter().copied());
        json!([list, hex(&bytes)])
    };
    lists.iter().map(entry).collect()
}

fn hashes() -> Value {
    let pair = |StateHash(first, second)| json!([first, second]);
    let fields = [(0, 0, 0, 0), (1, 0, 0, 1), (65_534, 65_535, 63, u32::MAX), (258, 772, 5, 123_456)];
    let blobs: [&[u8]; 3] = [b"", b"a", b"\x00\xff\x80"];
    let members = [(0, 0, 0), (9, 1, 4)];
    let views = [(StateHash(0, 0), 0, 0), (StateHash(1, 2), 3, 4), (StateHash(u32::MAX, 7), 70_000, u32::MAX)];
    json!({
        "field": fields.map(|(slot, generation, index, content)| json!({
            "slot": slot, "generation": generation, "index": index, "content": content,
            "term": pair(StateHash::field(slot, generation, index, content)),
        })),
        "member": members.map(|(slot, generation, kind)| json!({
            "slot": slot, "generation": generation, "kind": kind,
            "term": pair(StateHash::member(slot, generation, kind)),
        })),
        "blob_content": blobs.map(|bytes| json!([hex(bytes), StateHash::blob_content(bytes)])),
        "in_view": views.map(|(hash, group, version)| json!({
            "hash": pair(hash), "group": group, "version": version,
            "term": pair(hash.in_view(GroupId(group), Tick(version))),
        })),
    })
}
