//! Hostile bytes: no decoder panics, and none takes memory by a length that it was only told.
//!
//! What a decoder may take is stated as a multiple of the bytes it was given, and counted by the binary's allocator.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use tiltyard_shared::{
    chunk::{self, Form},
    frame::{self, Head, part_flags},
    prelude::*,
    protocol::{
        ClientMessage, Code, Enter, Hello, Input, Report, Resume, Resync, ServerMessage, Target,
        codec::{self, CodecError},
        lobby::RoomOptions,
    },
    replica::{BadChunk, Replica, Table},
    replicate::Layout,
};

use crate::{
    counting::{Taken, measure},
    damage::damaged,
};

/// A member without fields takes 8 bits of a chunk (gap, generation, kind), 56 bytes while it waits to be merged, and 34 in
/// the table, whose rows are as wide as the widest kind; some lists double while they grow.
const TABLE_BYTES_PER_BYTE: usize = 152;
/// A group takes a byte of a view, and 104 in the list of tables, which doubles and for a moment holds both halves.
const REPLICA_BYTES_PER_BYTE: usize = 340;
/// An empty list in a list takes a byte, and 24 in a list that doubles.
const VALUE_BYTES_PER_BYTE: usize = 80;
/// Texts and byte strings are taken at once, up to the limit of [`codec::decode`].
const VALUE_BYTES: usize = 72 * 1024;
/// What is left for lists that have begun to grow.
const SMALL: usize = 2 * 1024;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
enum Thing {
    Mark,
    Ball {
        #[replicate(range = 0.0..=100.0, step = 0.25)]
        at: [f32; 2],
        team: u8,
    },
    Sign {
        #[replicate(max_len = 20)]
        text: String,
        wide: u32,
        lit: bool,
    },
}

impl Thing {
    fn random(random: &mut Rng) -> Self {
        match random.below(3) {
            0 => Self::Mark,
            1 => Self::Ball { at: [random.between(0.0, 100.0); 2], team: random.next_u32() as u8 },
            _ => {
                let text = "x".repeat(random.below(20) as usize);
                Self::Sign { text, wide: random.next_u32(), lit: random.chance(0.5) }
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
enum Order {
    Stop,
    Say(String, Option<PlayerId>),
    March { to: [f32; 2], path: Vec<EntityId> },
    All(Vec<Vec<Vec<u8>>>),
    Nothing(Vec<()>),
}

fn random_bytes(random: &mut Rng, most: u32) -> Vec<u8> {
    (0..random.below(most)).map(|_| random.next_u32() as u8 >> (random.below(2) * random.below(8))).collect()
}

/// Runs a decoder over `len` bytes; what it takes must stay within `per_byte` of each, and `base`.
fn bounded<T>(len: usize, per_byte: usize, base: usize, decode: impl FnOnce() -> T) -> T {
    let (result, Taken { peak, .. }) = measure(decode);
    assert!(peak <= per_byte * len + base, "{peak} bytes for {len}");
    result
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    bounded(bytes.len(), VALUE_BYTES_PER_BYTE, VALUE_BYTES, || codec::decode(bytes))
}

/// A world that lives for some ticks; its chunks and the tables that they start from, at every one.
fn chunks(seed: u64, mut each: impl FnMut(&Layout, &Table, Tick, Tick, &[u8])) {
    let (mut random, mut world) = (Rng::new(seed), World::new());
    let groups = [GroupId(0), world.new_group()];
    let (mut ids, mut tables) = (Vec::new(), [Table::default(), Table::default()]);
    for tick in (1..20).map(Tick) {
        for _ in 0..random.below(12) {
            let group = groups[random.below(2) as usize];
            let known = ids.get(random.below(40) as usize).copied().unwrap_or(EntityId::NONE);
            match random.below(6) {
                0..3 => ids.push(world.spawn_in(group, Thing::random(&mut random))),
                3 => world.move_to(known, group),
                4 => drop(world.despawn(known)),
                _ => world.get_mut(known).into_iter().for_each(|thing| *thing = Thing::random(&mut random)),
            }
        }
        world.commit(tick);
        let committed = world.committed();
        for (group, table) in groups.into_iter().zip(&mut tables) {
            let held = Tick(tick.0 - 1);
            let forms = [Form::Delta, Form::CatchUp(held), Form::CatchUp(Tick(1)), Form::Snapshot];
            let skipped = usize::from(committed.group(group).version < tick);
            for form in forms.into_iter().skip(skipped) {
                let mut bytes = Vec::new();
                chunk::encode(committed, group, form, &mut bytes);
                each(committed.layout(), table, tick, held, &bytes);
            }
            let mut bytes = Vec::new();
            chunk::encode(committed, group, Form::Snapshot, &mut bytes);
            table.apply(committed.layout(), &bytes, tick, held).expect("a good snapshot is always taken");
        }
    }
}

#[test]
fn damaged_chunks_are_refused_or_applied_and_take_no_more_than_they_may() {
    let mut outcomes = [0; 4];
    for seed in 0..150 {
        let (mut random, mut before) = (Rng::new(seed), Vec::new());
        chunks(seed, |layout, table, tick, held, bytes| {
            for _ in 0..5 {
                let bad = damaged(bytes, &before, &mut random);
                let mut table = table.clone();
                // A table that was there already is copied by a merge.
                let base = SMALL + 400 * table.members().len();
                let result = bounded(bad.len(), TABLE_BYTES_PER_BYTE, base, || table.apply(layout, &bad, tick, held));
                outcomes[match result {
                    Ok(read) => usize::from(read > bad.len()),
                    Err(BadChunk::Truncated) => 1,
                    Err(BadChunk::OutOfRange) => 2,
                    Err(BadChunk::WrongBase { .. }) => 3,
                }] += 1;
                for index in 0..table.members().len() {
                    let _ = (table.lanes(layout, index), table.blobs(layout, index));
                }
            }
            before = bytes.to_vec();
        });
    }
    assert!(outcomes.iter().all(|count| *count > 1_000), "not everything was reached: {outcomes:?}");
}

#[test]
fn arbitrary_bytes_are_no_chunk_and_no_frame() {
    let schema = Thing::schema();
    let layout = Layout::new(&schema);
    for seed in 0..100_000 {
        let mut random = Rng::new(seed);
        let mut bytes = random_bytes(&mut random, 200);
        let mut table = Table::default();
        let apply = || table.apply(&layout, &bytes, Tick(9), Tick(3)).ok();
        bounded(bytes.len(), TABLE_BYTES_PER_BYTE, SMALL, apply);

        // Most bytes are told from a frame by the first few of them: these are not.
        let head = Head { epoch: 1, tick: Tick(9), start: true, own: random.chance(0.5), ..Head::default() };
        let mut frame = Vec::new();
        head.write(&mut frame);
        frame.push(part_flags::VIEW | random.next_u32() as u8);
        frame.append(&mut bytes);
        let mut replica = Replica::new(&schema, 1);
        let apply = || replica.apply(&frame).ok();
        bounded(frame.len(), REPLICA_BYTES_PER_BYTE, SMALL, apply);
        let _ = (replica.shown().count(), replica.hash(), replica.resync(true));
    }
}

#[test]
fn the_chunk_and_the_frame_that_take_most_stay_within_their_bounds() {
    let mut world = World::new();
    for _ in 0..60_000 {
        world.spawn(Thing::Mark);
    }
    world.commit(Tick(1));
    let (mut bytes, mut table) = (Vec::new(), Table::default());
    chunk::encode(world.committed(), GroupId(0), Form::Snapshot, &mut bytes);
    let apply = || table.apply(world.committed().layout(), &bytes, Tick(1), Tick(0));
    bounded(bytes.len(), TABLE_BYTES_PER_BYTE, SMALL, apply).unwrap();

    let mut frame = Vec::new();
    Head { epoch: 1, tick: Tick(1), start: true, ..Head::default() }.write(&mut frame);
    frame.push(part_flags::VIEW);
    frame::write_view(&mut frame, &(0..66_000).map(GroupId).collect::<Vec<_>>());
    let mut replica = Replica::new(&Thing::schema(), 1);
    bounded(frame.len(), REPLICA_BYTES_PER_BYTE, SMALL, || replica.apply(&frame)).unwrap();
}

#[test]
fn arbitrary_and_damaged_messages_are_refused_or_read() {
    fn damage<T: Serialize + DeserializeOwned + Debug>(value: &T, random: &mut Rng) {
        let bytes = codec::encode(value);
        let others = random_bytes(random, 40);
        for _ in 0..20 {
            let _ = decode::<T>(&damaged(&bytes, &others, random));
        }
        let _ = decode::<T>(&others);
    }
    let uuid = |random: &mut Rng| uuid::Uuid::from_u128(u128::from(random.next_u64()));
    for seed in 0..2_000 {
        let random = &mut Rng::new(seed);
        let (order, resync) =
            (Order::arbitrary(random), Resync { epoch: 300, applied: Some(Tick(70_000)), event: 1 << 40 });
        let report = Report { epoch: 3, applied: Tick(random.next_u32()), event: random.next_u64() };
        damage(&order, random);
        let input = ClientMessage::Inputs {
            number: 9,
            report,
            inputs: vec![Input { aim: Tick(8), payload: codec::encode(&order) }],
        };
        damage(&input, random);
        let targets = [
            Target::Game("arena".to_owned()),
            Target::Room(uuid(random)),
            Target::Create { game: "arena".to_owned(), config: Some(vec![7; 40]), options: RoomOptions::default() },
            Target::Resume(Resume {
                room: uuid(random),
                token: uuid(random),
                resync,
                owner: 1,
                first_input: 4,
                groups: vec![1, 5, 700],
            }),
        ];
        for target in targets {
            let enter =
                Enter { request: 1, target, name: "Ada".to_owned(), schema: Some(seed), verify: true, spectate: false };
            damage(&ClientMessage::Enter(enter), random);
        }
        damage(&ClientMessage::Resync(resync), random);
        let games = vec!["arena".to_owned(); 3];
        let welcome = ServerMessage::Welcome {
            protocol: 2,
            server: "1.0".to_owned(),
            games,
            capabilities: 3,
            identity: None,
            credential: Some(vec![1; 9]),
        };
        damage(&welcome, random);
        damage(&ServerMessage::Redirect { request: 1, url: "wss://there".to_owned(), pass: vec![1; 30] }, random);
        let message = "bye".to_owned();
        damage(&ServerMessage::Goodbye { code: Code::Left, message, frames: seed, retry_within_ms: 9 }, random);
    }
}

#[test]
fn nothing_is_taken_or_done_for_what_a_length_claims_and_nobody_sent() {
    /// 2^62 in bincode's variable length.
    const HUGE: [u8; 9] = [253, 0, 0, 0, 0, 0, 0, 0, 64];
    let claim = |before: &[u8]| [before, &HUGE, &[1, 2, 3]].concat();
    for list in [&[2, 0, 0, 0, 0, 0, 0, 0, 0][..], &[3], &[3, 1], &[3, 1, 1], &[4]] {
        let bytes = claim(list);
        let (result, Taken { largest, .. }) = measure(|| codec::decode::<Order>(&bytes));
        assert_eq!(result, Err(CodecError::Malformed));
        assert!(largest <= SMALL, "{largest} bytes for {bytes:?}");
    }
    let messages =
        [claim(&[0, 1]), claim(&[2, 1, 1, 1, 1]), claim(&[2, 1, 1, 1, 1, 1, 1]), claim(&[1, 1, 2, 1, 65, 1])];
    for bytes in messages {
        let (result, Taken { largest, .. }) = measure(|| codec::decode_client(&bytes));
        assert_eq!(result, Err(CodecError::Malformed));
        assert!(largest <= SMALL, "{largest} bytes for {bytes:?}");
    }
    let (result, Taken { largest, .. }) = measure(|| codec::decode_server(&claim(&[0, 1, 1, 49])));
    assert_eq!(result, Err(CodecError::Malformed));
    assert!(largest <= SMALL, "{largest} bytes for a list of games");
}

#[test]
fn values_that_are_there_are_read_however_many() {
    let path: Vec<EntityId> = (0..2_000).map(|slot| EntityId { slot, generation: 1 }).collect();
    let order = Order::March { to: [1.0, 2.0], path };
    assert_eq!(decode(&codec::encode(&order)), Ok(order));
    let order = Order::Nothing(vec![(); 200]);
    assert_eq!(decode(&codec::encode(&order)), Ok(order));
    let order = Order::All(vec![vec![vec![1; 100]; 20]; 5]);
    assert_eq!(decode(&codec::encode(&order)), Ok(order));
}

#[test]
fn a_tick_on_which_everybody_moves_is_committed_and_encoded_without_allocation() {
    let mut world = World::new();
    for _ in 0..500 {
        world.spawn(Thing::Ball { at: [50.0; 2], team: 0 });
    }
    let mut bytes = Vec::with_capacity(16 * 1024);
    for tick in (1..50).map(Tick) {
        for (_, thing) in world.iter_mut() {
            let Thing::Ball { at, .. } = thing else { unreachable!("there are balls only") };
            at[0] = 50.0 + (tick.0 % 2) as f32;
        }
        bytes.clear();
        let (_, Taken { count, .. }) = measure(|| {
            world.commit(tick);
            chunk::encode(world.committed(), GroupId(0), Form::Delta, &mut bytes);
        });
        assert!(tick.0 < 3 || count == 0, "{count} allocations at {tick:?}");
    }
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    let longer = |mut bytes: Vec<u8>| {
        bytes.extend([7, 0, 1]);
        bytes
    };
    let ping = ClientMessage::Ping { number: 3 };
    assert_eq!(codec::decode_client(&longer(codec::encode(&ping))), Ok(ping));
    let pace = ServerMessage::Pace { every: 2 };
    assert_eq!(codec::decode_server(&longer(codec::encode(&pace))), Ok(pace));
    for next in [ClientMessage::KINDS, 251, u32::MAX] {
        assert_eq!(codec::decode_client(&longer(codec::encode(&next))), Err(CodecError::Unknown(next)));
    }
    assert_eq!(codec::decode_server(&codec::encode(&ServerMessage::KINDS)), Err(CodecError::Unknown(19)));
}

#[test]
fn version_one_is_read_and_told_goodbye_in_its_own_bytes() {
    let hello_of_one = [&[0, 1, 5][..], b"older"].concat();
    assert_eq!(codec::decode_version(&hello_of_one), Ok(1));
    assert_eq!(codec::decode_client(&hello_of_one), Err(CodecError::Malformed));
    let hello = ClientMessage::Hello(Hello { protocol: 300, ..Hello::default() });
    assert_eq!(codec::decode_version(&codec::encode(&hello)), Ok(300));
    assert_eq!(codec::decode_version(&codec::encode(&ClientMessage::Leave)), Err(CodecError::Malformed));
    let goodbye = codec::encode_first_goodbye(Code::WrongVersion, 300);
    let words = Code::WrongVersion.to_string();
    assert_eq!(goodbye, [&[1, 4, 5, words.len() as u8][..], words.as_bytes(), &[251, 44, 1]].concat());
}
