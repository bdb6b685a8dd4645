//! A frame taken apart bit by bit, by the words of PROTOCOL.md and not by the decoder: what stands where, and how its hash
//! comes about.

use serde_json::{Value, json};
use tiltyard_shared::{
    replica::Replica,
    replicate::{EntitySchema, KindSchema, Quantizer},
    world::GroupId,
};

use crate::json::hex;

/// The rows `[bytes or bits, what, value]` of a frame that a replica is about to apply, and those of its hash: `[what, two
/// numbers]`. The frame has no forms but those that the trace needs here: deltas with changes only.
pub(super) fn frame(bytes: &[u8], before: &Replica, schema: &EntitySchema) -> Value {
    let mut pen = Pen { bytes, at: 0, rows: Vec::new() };
    pen.byte("a frame");
    let head = pen.byte("head: `INPUTS`, `HASH`, `OWN`");
    assert_eq!(head, 2 | 16 | 32);
    pen.byte("epoch");
    pen.number(2, "tick, its low 16 bits");
    pen.number(2, "settled: the inputs up to this number");
    pen.byte("margin, zigzagged: 2 is 1 tick early");
    pen.text(8, "hash");
    let body = pen.byte("body: `CHUNKS`");
    assert_eq!(body, 4);
    pen.byte("groups of the view with a chunk: a bit each, 0 the lowest");
    pen.chunk(GroupId(0), before, schema);
    let own = pen.byte("own part: `CHUNKS`, `EVENTS`");
    assert_eq!(own, 4 | 8);
    pen.chunk(before.own_group().expect("it has been told"), before, schema);
    pen.byte("events: how many");
    pen.byte("number of the first: itself");
    pen.byte("its length in bytes");
    pen.byte("event: variant 1, `Coin`, without fields");
    assert_eq!(pen.at, 8 * bytes.len());
    let mut after = before.clone();
    after.apply(bytes).expect("it matches its hash");
    json!({ "frame": pen.rows, "hash": hash(&after) })
}

/// Goes through a frame and writes down what it sees.
struct Pen<'a> {
    bytes: &'a [u8],
    at: usize,
    rows: Vec<Value>,
}

impl Pen<'_> {
    fn byte(&mut self, what: &str) -> u64 {
        self.number(1, what)
    }

    fn number(&mut self, bytes: usize, what: &str) -> u64 {
        let taken = self.take(bytes);
        let value = taken.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
        self.rows.push(json!([hex(&taken), what, value.to_string()]));
        value
    }

    fn text(&mut self, bytes: usize, what: &str) {
        let taken = self.take(bytes);
        let halves: Vec<String> = taken
            .chunks(4)
            .map(|half| format!("{:08x}", u32::from_le_bytes(half.try_into().expect("four bytes"))))
            .collect();
        self.rows.push(json!([hex(&taken), what, halves.join(" ")]));
    }

    fn take(&mut self, bytes: usize) -> Vec<u8> {
        assert_eq!(self.at % 8, 0, "bytes begin at whole ones");
        let start = self.at / 8;
        self.at += 8 * bytes;
        self.bytes[start..start + bytes].to_vec()
    }

    fn bit(&mut self) -> u32 {
        let bit = self.bytes[self.at / 8] >> (self.at % 8) & 1;
        self.at += 1;
        u32::from(bit)
    }

    fn bits(&mut self, width: u32) -> u32 {
        (0..width).fold(0, |value, index| value | self.bit() << index)
    }

    /// Reads something and writes its bits down as they come, the first on the left.
    fn row(&mut self, what: &str, read: impl FnOnce(&mut Self) -> u32) -> u32 {
        let start = self.at;
        let value = read(self);
        let bits: String =
            (start..self.at).map(|at| if self.bytes[at / 8] >> (at % 8) & 1 == 1 { '1' } else { '0' }).collect();
        self.rows.push(json!([bits, what, value.to_string()]));
        value
    }

    fn plain(&mut self, width: u32, what: &str) -> u32 {
        self.row(what, |pen| pen.bits(width))
    }

    fn golomb(&mut self, order: u32, what: &str) -> u32 {
        self.row(&format!("{what}, `G{order}`"), |pen| {
            let zeros = (0..).take_while(|_| pen.bit() == 0).count() as u32;
            let quotient = 1 << zeros | pen.bits(zeros);
            (quotient - 1) << order | pen.bits(order)
        })
    }

    fn chunk(&mut self, group: GroupId, before: &Replica, schema: &EntitySchema) {
        let (_, table, _) = before.tables().find(|(id, ..)| *id == group).expect("it is held");
        let name = format!("group {}: ", group.0);
        assert_eq!(self.plain(1, &format!("{name}a delta")), 0);
        self.golomb(0, "tick - base - 1");
        let changed = self.golomb(1, "members changed");
        let order = self.plain(4, "order of their gaps");
        let mut index = 0;
        for _ in 0..changed {
            index += self.golomb(order, "gap: the place among the members of the base");
            let kind = &schema.kinds[table.members()[index as usize].kind as usize];
            self.entity(kind);
            index += 1;
        }
        assert_eq!(self.golomb(0, "members departed"), 0);
        assert_eq!(self.golomb(0, "members arrived"), 0);
        assert_eq!(self.golomb(0, "sources"), 0);
        let padding = self.at.next_multiple_of(8) - self.at;
        if padding > 0 {
            self.plain(padding as u32, "padding");
        }
    }

    fn entity(&mut self, kind: &KindSchema) {
        let fields = kind.lanes.len() + kind.blobs.len();
        let mask = self.plain(fields as u32, &format!("mask of a {}: a bit for each field", kind.name));
        for (index, lane) in kind.lanes.iter().enumerate().filter(|(index, _)| mask >> index & 1 == 1) {
            let Quantizer::Int { .. } = lane.quantizer else { panic!("the trace has only whole numbers") };
            let order = serde_json::to_value(lane).expect("it has a JSON form")["coding"]["golomb"]["k"].clone();
            let order = order.as_u64().expect("a number") as u32;
            self.golomb(order, &format!("`{}`: zigzag(new - old) - 1", lane.name));
            assert!(index < kind.lanes.len());
        }
        assert_eq!(mask >> kind.lanes.len(), 0, "no blob changes here");
    }
}

/// How the hash of all that a replica holds comes about.
fn hash(replica: &Replica) -> Value {
    let mut rows = Vec::new();
    let mut note = |what: String, pair: (u32, u32)| rows.push(json!([what, format!("{:08x} {:08x}", pair.0, pair.1)]));
    let mut sum = (0, 0);
    for (group, table, _) in replica.tables() {
        let mut held = (0, 0);
        for (at, member) in table.members().iter().enumerate() {
            let entity = u32::from(member.generation) << 16 | u32::from(member.slot);
            let kind = u32::from(member.kind);
            let mut term = |index: u32, of: &str, content: u32| {
                let pair = field(entity, index, content);
                note(format!("group {}, `field({entity:#x}, {index:#x}, {content:#x})`: {of}", group.0), pair);
                held = plus(held, pair);
            };
            term(0xFFFF, "kind", kind);
            let codes = table.lanes(replica.layout(), at);
            let blobs = table.blobs(replica.layout(), at);
            codes.iter().enumerate().for_each(|(index, code)| term(index as u32, "lane", *code));
            for (index, blob) in blobs.iter().enumerate() {
                let content = blob
                    .iter()
                    .fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
                let text = format!("blob `{}`", String::from_utf8_lossy(blob));
                term((codes.len() + index) as u32, &text, content);
            }
        }
        note(format!("group {}: the table, version {}", group.0, table.version().0), held);
        let key = mix(group.0.wrapping_mul(0x9e37_79b1).wrapping_add(table.version().0));
        let (p, q) = (pair(key, held.0), pair(!key, held.1));
        let term = (p.0.wrapping_add(q.1), p.1.wrapping_add(q.0));
        note(format!("group {}: in the view, with `key` {key:08x}", group.0), term);
        sum = plus(sum, term);
    }
    note("the view: what the head says".to_owned(), sum);
    assert_eq!((replica.hash().0, replica.hash().1), sum, "both come to the same");
    json!(rows)
}

fn plus(left: (u32, u32), right: (u32, u32)) -> (u32, u32) {
    (left.0.wrapping_add(right.0), left.1.wrapping_add(right.1))
}

fn mix(mut x: u32) -> u32 {
    x = (x ^ x >> 16).wrapping_mul(0x85eb_ca6b);
    x = (x ^ x >> 13).wrapping_mul(0xc2b2_ae35);
    x ^ x >> 16
}

fn pair(key: u32, content: u32) -> (u32, u32) {
    (mix(key ^ content), mix(key.rotate_left(16).wrapping_add(content ^ 0x5bd1_e995)))
}

fn field(entity: u32, index: u32, content: u32) -> (u32, u32) {
    pair(mix(entity.wrapping_add(index.wrapping_mul(0x9e37_79b1))), content)
}
