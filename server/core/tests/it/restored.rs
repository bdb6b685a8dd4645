//! Rooms that were saved and made again: who comes back is told what changed, and no more.

use std::time::Duration;

use tiltyard_arena::{Arena, Config, entities::Thing, messages::Input};
use tiltyard_core::{
    edge::Bounds,
    room::{Returning, Room, SeatId},
};
use tiltyard_shared::{
    game::{PlayerId, Rng, Tick},
    protocol::{ClientMessage, Report, codec},
    replica::{Applied, Replica},
    replicate::Replicate as _,
    world::{BadSave, GroupId},
};
use uuid::Uuid;

use crate::sandbox::join_request;

const TICK: Duration = Duration::from_millis(50);
const RTT: Duration = Duration::from_millis(20);
const PLAYERS: u32 = 12;

/// An arena with players who walk at random, and see all of it.
struct Play {
    room: Room<Arena>,
    replicas: Vec<Replica>,
    random: Rng,
    now: Duration,
    inputs: u32,
}

impl Play {
    fn new() -> Self {
        let mut room = Room::<Arena>::open(Config { view_depth: 16, ..Config::default() }, 7);
        let enter = |number: u32| {
            let token = Uuid::from_u128(number.into());
            room.enter(join_request(&format!("player {number}"), token, true), 0).expect("there is a seat");
            Replica::new(&Thing::schema(), 1)
        };
        let replicas = (0..PLAYERS).map(enter).collect();
        Self { room, replicas, random: Rng::new(7), now: Duration::ZERO, inputs: 0 }
    }

    fn seats() -> impl Iterator<Item = SeatId> {
        (0..PLAYERS).map(SeatId)
    }

    /// A tick in which everybody does something, and is told what happened. Every frame has its hash.
    fn tick(&mut self) {
        self.now += TICK;
        self.inputs += 1;
        for seat in Self::seats() {
            let input =
                Input { walk: [self.random.next_u32() as i8, self.random.next_u32() as i8], ..Input::default() };
            let aim = Tick(self.room.simulation().tick().0 + 1);
            let message = ClientMessage::input(self.inputs, Report::default(), aim, codec::encode(&input));
            self.room.receive(seat, message, self.now).expect("inputs are in order");
        }
        self.room.step(self.now);
        let mut frame = Vec::new();
        for (seat, replica) in Self::seats().zip(&mut self.replicas) {
            if self.room.frame(seat, self.now, RTT, &mut frame).expect("its view is small") {
                assert!(matches!(replica.apply(&frame), Ok(Applied::Frame(_))), "seat {}", seat.0);
                let report = ClientMessage::Report(replica.report());
                self.room.receive(seat, report, self.now).expect("a report is always allowed");
            }
        }
    }

    /// The room dies and is made again. The clients come back; those that say what they hold, if `held`.
    fn restore(&mut self, held: bool) {
        let saved = self.room.authority().save().expect("an arena can be saved");
        self.room = Room::restore(&saved, Bounds::default(), self.now).expect("and made again");
        for (seat, replica) in Self::seats().zip(&mut self.replicas) {
            let groups = if held { replica.current_groups() } else { Vec::new() };
            let back = Returning {
                token: Uuid::from_u128(seat.0.into()),
                resync: replica.resync(false),
                first_input: self.inputs + 1,
                groups: groups.into_iter().map(GroupId).collect(),
                verify: true,
            };
            let entered = self.room.resume(back, self.now).expect("the seat is kept");
            assert_eq!((entered.seat, entered.player, entered.input), (seat, PlayerId(seat.0 + 1), self.inputs));
        }
    }
}

#[test]
fn who_says_what_it_holds_is_brought_on_from_there_and_others_are_told_all_anew() {
    for held in [true, false] {
        let mut play = Play::new();
        (0..100).for_each(|_| play.tick());
        play.restore(held);
        play.tick();
        let [deltas, catch_ups, snapshots] = play.room.stats().edge.chunks;
        let told = format!("{deltas} deltas, {catch_ups} catch-ups, {snapshots} snapshots");
        if held {
            // A catch-up goes as a snapshot where that is shorter.
            assert!(deltas + catch_ups >= u64::from(PLAYERS) && snapshots <= catch_ups, "{told}");
        } else {
            assert!(deltas + catch_ups == 0 && snapshots >= u64::from(PLAYERS), "{told}");
        }
        (0..100).for_each(|_| play.tick());
    }
}

#[test]
fn bytes_that_are_no_room_are_refused_in_words() {
    let mut play = Play::new();
    (0..20).for_each(|_| play.tick());
    let saved = play.room.authority().save().expect("an arena can be saved");
    let restore =
        |bytes: &[u8]| Room::<Arena>::restore(bytes, Bounds::default(), Duration::ZERO).map(|_| ()).unwrap_err();
    assert_eq!(restore(&[]), BadSave::Malformed("nothing"));
    assert_eq!(restore(&[9]), BadSave::Version(9));
    // Cut or changed anywhere, they are refused or some other room, and nothing panics.
    for end in (1..saved.len()).step_by(97) {
        restore(&saved[..end]);
    }
    let mut random = Rng::new(1);
    for _ in 0..1_000 {
        let (mut bytes, index) = (saved.clone(), random.below(saved.len() as u32) as usize);
        bytes[index] ^= 1 << random.below(8);
        let _some_other_room = Room::<Arena>::restore(&bytes, Bounds::default(), Duration::ZERO);
    }
}
