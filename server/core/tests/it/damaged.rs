//! Frames of a real room, damaged on their way: a replica refuses or applies them, takes no more memory than it may, and
//! after an error has the server's state again with the first frame of its next epoch.

use std::time::Duration;

use tiltyard_core::room::{Room, SeatId};
use tiltyard_shared::{
    prelude::*,
    protocol::{ClientMessage, Report, codec},
    replica::{Applied, Replica},
};
use uuid::Uuid;

use crate::{
    counting::{Taken, measure},
    damage::damaged,
    sandbox::{Act, GROUPS, Sandbox, Thing, join_request},
};

const TICK: Duration = Duration::from_millis(50);
const RTT: Duration = Duration::from_millis(20);

/// Most bytes that applying a frame takes for each of the frame's; and for each that the replica holds, because tables are
/// copied when members come or go.
const PER_BYTE: usize = 340;
const PER_MEMBER: usize = 1_200;
const SMALL: usize = 8 * 1024;

/// What came of damaged frames.
#[derive(Debug, Default)]
struct Seen {
    refused: u64,
    applied: u64,
    recovered: u64,
}

/// A room with a director, who does what happens in it, and a client whose line does damage.
struct Line {
    random: Rng,
    room: Room<Sandbox>,
    director: SeatId,
    client: SeatId,
    player: PlayerId,
    replica: Replica,
    /// Damaged bytes were applied, or bytes were lost: the next frame may fail.
    spoilt: bool,
    last: Vec<u8>,
    now: Duration,
}

impl Line {
    fn new(seed: u64) -> Self {
        let mut room = Room::<Sandbox>::open(false, seed);
        let [director, client] = [1, 2]
            .map(|token| room.enter(join_request("player", Uuid::from_u128(token), true), 0).expect("there is a seat"));
        Self {
            random: Rng::new(seed),
            room,
            director: director.seat,
            client: client.seat,
            player: client.player,
            replica: Replica::new(&Thing::schema(), client.epoch),
            spoilt: false,
            last: Vec::new(),
            now: Duration::ZERO,
        }
    }

    fn tick(&mut self, seen: &mut Seen) {
        self.now += TICK;
        for _ in 0..self.random.below(6) {
            let (number, payload) = (self.room.stats().inputs.accepted as u32 + 1, codec::encode(&self.act()));
            let aim = Tick(self.room.simulation().tick().0 + 1);
            let input = ClientMessage::input(number, Report::default(), aim, payload);
            self.room.receive(self.director, input, self.now).expect("the director is in order");
        }
        self.room.step(self.now);
        let mut frame = Vec::new();
        if self.room.frame(self.client, self.now, RTT, &mut frame) != Ok(true) {
            return;
        }
        for _ in 0..3 {
            self.try_damaged(&frame, seen);
        }
        let start = self.replica.tick().is_none();
        let spoil = self.random.chance(0.05);
        let bytes = if spoil { damaged(&frame, &self.last, &mut self.random) } else { frame.clone() };
        let result = self.replica.apply(&bytes);
        self.last = frame;
        match result {
            Err(error) => {
                assert!(spoil || self.spoilt, "a good frame was refused: {error}");
                self.spoilt = true;
                self.resync();
            }
            _ if spoil => self.spoilt = true,
            Ok(Applied::Stale | Applied::Piece) => {}
            Ok(Applied::Frame(_)) => {
                seen.recovered += u64::from(self.spoilt && start);
                self.spoilt &= !start;
                self.compare();
            }
        }
        let report = ClientMessage::Report(self.replica.report());
        self.room.receive(self.client, report, self.now).expect("a report is always allowed");
    }

    fn act(&mut self) -> Act {
        let random = &mut self.random;
        let (entity, group, seed, thing) =
            (random.below(100), random.below(GROUPS), random.next_u32() >> 4, random.below(3) as u8);
        let player = self.player.0;
        match random.below(10) {
            0..3 => Act::Spawn { group, thing, seed },
            3..5 => Act::Change { entity, seed },
            5 => Act::Move { entity, group },
            6 => Act::Despawn { entity },
            7 => Act::SpawnOwn { player, seed },
            8 => Act::See { player, groups: random.next_u32() },
            _ => Act::Shout { group, size: random.below(40) },
        }
    }

    /// Applies damaged bytes to a copy.
    fn try_damaged(&mut self, frame: &[u8], seen: &mut Seen) {
        let bytes = damaged(frame, &self.last, &mut self.random);
        let mut replica = self.replica.clone();
        let members: usize = replica.tables().map(|(_, table, _)| table.members().len()).sum();
        let (result, Taken { peak, .. }) = measure(|| replica.apply(&bytes));
        let most = PER_BYTE * bytes.len() + PER_MEMBER * members + SMALL;
        assert!(peak <= most, "{peak} bytes for a frame of {} and {members} members", bytes.len());
        match result {
            Ok(_) => seen.applied += 1,
            Err(_) => seen.refused += 1,
        }
        // Whatever is left can be looked at.
        for shown in replica.shown() {
            let _ = shown.restore::<Thing>();
        }
        let _ = (replica.hash(), replica.report(), replica.drain_events().count());
    }

    fn resync(&mut self) {
        let resync = ClientMessage::Resync(self.replica.resync(true));
        self.room.receive(self.client, resync, self.now).expect("a resync is always allowed");
    }

    /// The replica holds what the server has committed: every member, every field, every version.
    fn compare(&self) {
        let (committed, layout) = (self.room.simulation().world().committed(), self.replica.layout());
        for (id, table, behind) in self.replica.tables() {
            let group = committed.group(id);
            assert!(!behind, "frames of this size leave nothing behind");
            assert_eq!((table.version(), table.hash()), (group.version, group.hash), "{id:?}");
            assert!(table.members().iter().map(|member| member.slot).eq(group.members.iter().copied()), "{id:?}");
            for (index, held) in table.members().iter().enumerate() {
                let member = committed.member(held.slot);
                assert_eq!((held.generation, held.kind), (member.generation, member.kind));
                let (lanes, blobs) = (table.lanes(layout, index), table.blobs(layout, index));
                assert_eq!(lanes, &committed.lanes(held.slot)[..lanes.len()]);
                assert_eq!(blobs, &committed.blobs(held.slot)[..blobs.len()]);
            }
        }
    }
}

#[test]
fn damaged_frames_never_panic_and_the_next_epoch_restores_the_state() {
    let mut seen = Seen::default();
    for seed in 0..200 {
        let mut line = Line::new(seed);
        for _ in 0..200 {
            line.tick(&mut seen);
        }
    }
    let Seen { refused, applied, recovered } = seen;
    assert!(refused > 10_000 && applied > 10_000 && recovered > 500, "{seen:?}");
}
