//! Frames that no server writes, taken or refused: what decoders must agree on all the same. Their bits are written here.

use tiltyard_shared::{
    bits::BitWriter,
    frame::{self, Head, Settled, part_flags},
    game::Tick,
    replicate::{Layout, Replicate as _},
    world::GroupId,
};

use crate::{
    frames::Script,
    server::{Plan, Server},
    things::Thing,
};

const START: u32 = 400;

/// Groups 0, 1 and 2 of four, as they are at [`START`].
fn server() -> Server<Thing> {
    let mut server = Server::new(4);
    server.world.spawn(Thing::ball([1.0, 1.0]));
    server.world.spawn(Thing::sign("a sign"));
    server.world.spawn_in(GroupId(1), Thing::ball([2.0, 2.0]));
    server.world.spawn_in(GroupId(1), Thing::ball([3.0, 3.0]));
    server.world.spawn_in(GroupId(2), Thing::Mark);
    server
}

const SEE: Plan<'_> = Plan {
    view: &[0, 1, 2],
    behind: &[],
    events: &[],
    own_events: &[],
    lost: false,
    inputs: None,
    moved: None,
    refused: &[],
    no_hash: false,
};

/// The chunk of a frame, or of a group that is not changed.
type Chunk = Option<Vec<u8>>;

fn chunk(write: impl FnOnce(&mut BitWriter<'_>)) -> Chunk {
    let mut out = Vec::new();
    let mut bits = BitWriter::new(&mut out);
    write(&mut bits);
    bits.finish();
    Some(out)
}

/// The head of a frame without a hash.
fn head(epoch: u32, tick: u32) -> Head {
    Head { epoch, tick: Tick(tick), ..Head::default() }
}

/// Places removed from the view and groups added to it, then a chunk or none for each group of the new view.
fn body(head: &Head, change: Option<[&[u32]; 2]>, chunks: &[Chunk]) -> Vec<u8> {
    let mut out = Vec::new();
    head.write(&mut out);
    let any = chunks.iter().any(Option::is_some);
    let flag = |on: bool, flag: u8| if on { flag } else { 0 };
    out.push(flag(change.is_some(), part_flags::VIEW) | flag(any, part_flags::CHUNKS));
    for list in change.into_iter().flatten() {
        frame::write_rising(&mut out, list.iter().copied());
    }
    if any {
        frame::write_bit_list(&mut out, chunks.iter().map(Option::is_some));
    }
    chunks.iter().flatten().for_each(|chunk| out.extend_from_slice(chunk));
    out
}

/// The beginning of a delta from the version so many ticks before.
fn delta(bits: &mut BitWriter<'_>, age: u32) {
    bits.write(0, 1);
    bits.write_golomb(age - 1, 0);
}

/// The change of one member: its index, its mask of so many fields.
fn change(bits: &mut BitWriter<'_>, index: u32, mask: u32, fields: u32) {
    bits.write_golomb(1, 1);
    bits.write(0, 4);
    bits.write_golomb(index, 0);
    bits.write(mask, fields);
}

/// Nobody departs, nobody arrives, and there are so many sources.
fn rest(bits: &mut BitWriter<'_>, sources: u32) {
    bits.write_golomb(0, 0);
    bits.write_golomb(0, 0);
    bits.write_golomb(sources, 0);
}

/// A delta of nothing.
fn nothing(age: u32) -> Chunk {
    chunk(|bits| {
        delta(bits, age);
        bits.write_golomb(0, 1);
        rest(bits, 0);
    })
}

/// A delta of group `to` with one source behind it: the first so many members that another group had.
fn moves(to: u32, age: u32, from: u32, base_age: u32, count: u32) -> Chunk {
    let mut out = chunk(|bits| {
        delta(bits, age);
        bits.write_golomb(0, 1);
        rest(bits, 1);
    });
    let source = chunk(|bits| {
        bits.write(0, 1);
        let distance = i64::from(from) - i64::from(to);
        let zigzag = if distance < 0 { -2 * distance - 1 } else { 2 * distance };
        bits.write_golomb(zigzag as u32 - 1, 3);
        bits.write_golomb(base_age - 1, 0);
        bits.write_golomb(count, 0);
        for _ in 0..count {
            bits.write_golomb(0, 2);
            bits.write(0, 1);
        }
    });
    out.iter_mut().zip(source).for_each(|(out, source)| out.extend(source));
    out
}

/// A snapshot of nobody.
fn emptied(version: u32) -> Chunk {
    chunk(|bits| {
        bits.write(3, 2);
        bits.write(version, 32);
        bits.write_golomb(0, 4);
    })
}

/// What is strange and yet no error.
pub(crate) fn taken() -> Script {
    let mut script = Script::new("what no server says, and is no error");
    let layout = Layout::new(&Thing::schema());
    let order = |lane: usize| layout.kinds[0].lanes[lane].golomb;
    script.applied("a start", &server().frame(START, &SEE));
    let at = |ticks: u32| head(1, START + ticks);
    let none = |first: Chunk| [first, None, None];
    let sign = chunk(|bits| {
        delta(bits, 1);
        change(bits, 1, 1, 3);
        rest(bits, 0);
    });
    script.applied("the bit of a lane of no bits: it stays 0", &body(&at(1), None, &none(sign)));
    let heading = chunk(|bits| {
        delta(bits, 1);
        change(bits, 0, 4, 8);
        bits.write_golomb(300, order(2));
        rest(bits, 0);
    });
    script.applied("a difference beyond 8 bits counts modulo 256", &body(&at(2), None, &none(heading)));
    let team = chunk(|bits| {
        delta(bits, 1);
        change(bits, 0, 16, 8);
        bits.write_golomb(0, order(4));
        rest(bits, 0);
    });
    script.applied(
        "a code above the largest: it is held and in the hash, and the entity has no fields to show",
        &body(&at(3), None, &none(team)),
    );
    script.applied("a chunk of nothing", &body(&at(4), None, &none(nothing(1))));
    script.applied(
        "moves of nobody, from a group that nobody knows at a version that it never had",
        &body(&at(5), None, &none(moves(0, 1, 99, 7, 0))),
    );
    script.applied(
        "a group leaves the view and enters with the same frame: moves find it as it was",
        &body(&at(6), Some([&[1], &[1]]), &[None, None, moves(2, 6, 1, 6, 1)]),
    );
    let never = Head { inputs: Some(Settled { number: 0xFFFF_6849, margin: 0 }), ..at(7) };
    script.applied("an input that was never sent is settled: modulo 2^32", &body(&never, None, &[]));
    script
}

/// Each error is followed by a resync anew.
pub(crate) fn refused() -> Script {
    let mut script = Script::new("what no server says, and is refused");
    script.applied("a start", &server().frame(START, &SEE));
    refused_moves(&mut script);
    refused_chunks(&mut script);
    let bad = &mut script;
    let changes =
        |removed: &'static [u32], added: &'static [u32]| move |head: &Head| body(head, Some([removed, added]), &[]);
    refuse(bad, "a group enters that is in the view", FRAME_RANGE, changes(&[], &[1]));
    refuse(bad, "a place leaves that the view has not", FRAME_RANGE, changes(&[3], &[]));
    let own =
        |flags: u8| move |head: &Head| [body(&Head { own: true, ..head.clone() }, None, &[]), vec![flags]].concat();
    refuse(bad, "a chunk of an own group that was not named", FRAME_RANGE, own(part_flags::CHUNKS));
    refuse(bad, "an own group that was not named is behind", FRAME_RANGE, own(part_flags::BEHIND));
    let start = |head: &Head| body(&Head { start: true, ..head.clone() }, None, &[]);
    refuse(bad, "a start without a view", "no start", start);
    script
}

fn refused_moves(bad: &mut Script) {
    let frame = |chunks: [Chunk; 3]| move |head: &Head| body(head, None, &chunks);
    let of_nobody = frame([None, nothing(1), moves(2, 1, 1, 1, 1)]);
    refuse(bad, "a move from a group whose chunk before lets nobody depart", BASE, of_nobody);
    let emptied = frame([None, emptied(START), moves(2, 1, 1, 1, 1)]);
    refuse(bad, "or is a snapshot, though one of the same version", BASE, emptied);
    refuse(bad, "a move from another version", BASE, frame([None, None, moves(2, 1, 1, 2, 1)]));
    refuse(bad, "a move from a group that is not seen", BASE, frame([None, None, moves(2, 1, 3, 1, 1)]));
    refuse(bad, "a move from a place that is not there", CHUNK_RANGE, frame([None, None, moves(2, 1, 1, 1, 3)]));
    // Group 1 leaves and is back with a mark in slot 9.
    let mark = || {
        chunk(|bits| {
            bits.write(3, 2);
            bits.write(START, 32);
            bits.write_golomb(1, 4);
            bits.write(0, 4);
            bits.write_golomb(9, 0);
            bits.write_golomb(0, 4);
            bits.write(3, 3);
        })
    };
    bad.applied("a group leaves", &body(&head(bad.epoch(), START + 1), Some([&[1], &[]]), &[]));
    let back = |head: &Head| {
        let head = Head { tick: Tick(START + 2), ..head.clone() };
        body(&head, Some([&[], &[1]]), &[None, mark(), moves(2, 2, 1, 2, 1)])
    };
    refuse(bad, "a move from a group that enters with the same frame", BASE, back);
}

fn refused_chunks(bad: &mut Script) {
    let frame = |write: fn(&mut BitWriter<'_>)| {
        move |head: &Head| {
            let first = chunk(|bits| {
                delta(bits, 1);
                write(bits);
            });
            body(head, None, &[first, None, None])
        }
    };
    let long = frame(|bits| {
        change(bits, 1, 2, 3);
        bits.write_golomb(13, 4);
        bits.write(0, 32);
    });
    refuse(bad, "a text above its limit", CHUNK_RANGE, long);
    let short = frame(|bits| {
        change(bits, 1, 2, 3);
        bits.write_golomb(12, 4);
    });
    refuse(bad, "a text that is longer than what is left", CHUNK_RANGE, short);
    let zeros = frame(|bits| (0..2).for_each(|_| bits.write(0, 32)));
    refuse(bad, "a Golomb code of more than 32 zeros", "chunk truncated", zeros);
    refuse(bad, "a place that is not there", CHUNK_RANGE, frame(|bits| change(bits, 2, 0, 3)));
}

const BASE: &str = "chunk wrong base";
const CHUNK_RANGE: &str = "chunk out of range";
const FRAME_RANGE: &str = "frame out of range";

fn refuse(script: &mut Script, about: &str, result: &str, frame: impl Fn(&Head) -> Vec<u8>) {
    script.gives(about, &frame(&head(script.epoch(), START + 1)), result);
    let (resync, mut server) = (script.resync(true), server());
    server.resync(resync);
    script.applied("anew", &server.frame(START, &SEE));
}
