//! Heads of frames: all 64 combinations of flags, and shortened numbers across their wraps.

use serde_json::{Value, json};
use tiltyard_shared::{
    frame::{Head, Settled, part_flags},
    game::Tick,
    hash::StateHash,
    protocol::Code,
    replica::{Applied, Replica},
    replicate::Replicate as _,
};

use crate::{json::hex, replay, things::Dot};

#[test]
fn heads() {
    let mut entries: Vec<Value> = (0..64u32).map(|flags| entry(&with_flags(flags), 69_990, 65_540)).collect();
    let at = |tick| Head { epoch: 1, tick: Tick(tick), ..Head::default() };
    let settled = |number, margin| Head { inputs: Some(Settled { number, margin }), ..at(11) };
    entries.extend([
        entry(&at(65_536), 65_535, 0),
        entry(&at(65_636), 101, 0),
        entry(&at(131_071), 65_536, 0),
        entry(&Head { epoch: u32::MAX, ..at(11) }, 10, 0),
        entry(&settled(65_535, 127), 10, 65_536),
        entry(&settled(5, -128), 10, 65_540),
        entry(&settled(70_000, 0), 10, 70_000),
        // An input that was never sent: modulo 2^32.
        entry(&settled(0xFFFF_6849, 0), 10, 0),
        entry(
            &Head { refused: Code::ALL.iter().map(|code| (u32::from(code.number()) + 1, *code)).collect(), ..at(11) },
            10,
            Code::ALL.len() as u32,
        ),
    ]);
    crate::check("heads.json", &Value::Array(entries));
}

fn with_flags(flags: u32) -> Head {
    let has = |bit: u32| flags >> bit & 1 == 1;
    Head {
        epoch: 300,
        tick: Tick(70_000),
        start: has(0),
        inputs: has(1).then_some(Settled { number: 65_530, margin: -3 }),
        moved: has(2).then_some(200),
        refused: if has(3) { vec![(65_529, Code::TooLate), (65_531, Code::BadInput)] } else { Vec::new() },
        hash: has(4).then_some(StateHash(0x0403_0201, u32::MAX)),
        own: has(5),
    }
}

/// `last` is the tick of the head before, `sent` the number of the last input sent.
fn entry(head: &Head, last: u32, sent: u32) -> Value {
    let mut bytes = Vec::new();
    head.write(&mut bytes);
    // An empty world has the hash 0, so with that one the head can be read back.
    let readable = Head { hash: head.hash.map(|_| StateHash(0, 0)), ..head.clone() };
    assert_eq!(read(&readable, last, sent), readable);
    json!({ "hex": hex(&bytes), "last": last, "sent": sent, "head": replay::head(head) })
}

fn read(head: &Head, last: u32, sent: u32) -> Head {
    let mut replica = Replica::new(&Dot::schema(), head.epoch);
    let frame = |head: &Head| {
        let mut bytes = Vec::new();
        head.write(&mut bytes);
        bytes.extend_from_slice(if head.start { &[part_flags::VIEW, 0] } else { &[0] });
        bytes.extend_from_slice(if head.own { &[0] } else { &[] });
        bytes
    };
    let before = Head { epoch: head.epoch, tick: Tick(last), start: true, ..Head::default() };
    replica.apply(&frame(&before)).expect("a frame of nothing can be applied");
    replica.sent_input(sent);
    match replica.apply(&frame(head)).expect("the head is that of a frame of nothing") {
        Applied::Frame(head) => head,
        Applied::Stale | Applied::Piece => panic!("it is a frame of the current epoch"),
    }
}
