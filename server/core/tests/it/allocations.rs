//! What a tick allocates: nothing for a player who sees what it saw before; and what a room keeps: nothing of events that
//! are consumed. Counted in rooms of the arena.

use std::{f32::consts::PI, time::Duration};

use tiltyard_arena::{Arena, Config, entities::Thing, messages::Input};
use tiltyard_core::room::{Room, SeatId};
use tiltyard_shared::{
    prelude::*,
    protocol::{ClientMessage, Report, codec},
};
use uuid::Uuid;

use crate::{counting::measure, sandbox::join_request};

const TICK: Duration = Duration::from_millis(50);
const RTT: Duration = Duration::from_millis(20);

/// An arena whose players walk to and fro inside a cell, so that everything moves and no view changes.
struct Crowd {
    room: Room<Arena>,
    seats: Vec<SeatId>,
    out: Vec<u8>,
    now: Duration,
}

/// What one tick allocated: in the step, and in the frames of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Allocated {
    step: usize,
    frames: usize,
}

impl Crowd {
    fn of(players: u32, view_depth: u8, place: fn(usize) -> [f32; 2]) -> Self {
        let config = Config { pickups: 0, view_depth, ..Config::default() };
        let mut room = Room::<Arena>::open(config, 1);
        let enter = |player: u32| {
            let token = Uuid::from_u128(u128::from(player));
            room.enter(join_request(&format!("player {player}"), token, false), 0).expect("there is a seat").seat
        };
        let seats = (0..players).map(enter).collect();
        let mut crowd = Self { room, seats, out: Vec::with_capacity(1 << 20), now: Duration::ZERO };
        crowd.tick(|_| Input::default());
        let ids: Vec<EntityId> = crowd.fighters().collect();
        for (number, id) in ids.into_iter().enumerate() {
            let Some(Thing::Fighter(fighter)) = crowd.room.simulation_mut().world_mut().get_mut(id) else { continue };
            [fighter.x, fighter.y] = place(number);
        }
        for tick in 0..60 {
            crowd.walk(tick);
        }
        crowd
    }

    fn fighters(&self) -> impl Iterator<Item = EntityId> {
        let things = self.room.simulation().world().iter();
        things.filter(|(_, thing)| matches!(thing, Thing::Fighter(_))).map(|(id, _)| id)
    }

    fn walk(&mut self, tick: u32) -> Allocated {
        self.tick(|_| to_and_fro(tick))
    }

    /// One tick, with an input by everyone before and a report after it, as a driver does it.
    fn tick(&mut self, input: impl Fn(SeatId) -> Input) -> Allocated {
        self.now += TICK;
        let number = self.room.simulation().tick().0 + 1;
        for seat in &self.seats {
            let (report, payload) = (Report::default(), codec::encode(&input(*seat)));
            let message = ClientMessage::input(number, report, Tick(number), payload);
            self.room.receive(*seat, message, self.now).expect("inputs are in order");
        }
        let (_, step) = measure(|| self.room.step(self.now));
        let mut bytes = 0;
        let (_, frames) = measure(|| {
            for seat in &self.seats {
                assert_eq!(self.room.frame(*seat, self.now, RTT, &mut self.out), Ok(true));
                bytes += self.out.len();
            }
        });
        assert!(bytes > 10 * self.seats.len(), "everyone has something to be told");
        for seat in &self.seats {
            let report = Report { epoch: 1, applied: Tick(number), event: u64::MAX };
            self.room.receive(*seat, ClientMessage::Report(report), self.now).expect("a report is always allowed");
        }
        Allocated { step: step.count, frames: frames.count }
    }
}

/// Over all cells, away from their borders and from each other.
fn spread(number: usize) -> [f32; 2] {
    let (column, row, layer) = (number % 16, number / 16 % 16, number / 256);
    [column as f32 * 128.0 + 64.0, row as f32 * 128.0 + 64.0 + layer as f32 * 40.0]
}

fn to_and_fro(tick: u32) -> Input {
    Input { walk: [if tick.is_multiple_of(2) { 127 } else { -127 }, 0], ..Input::default() }
}

#[test]
fn a_steady_tick_allocates_nothing_for_any_player() {
    for view_depth in [16, 3] {
        for players in [200, 400] {
            let mut crowd = Crowd::of(players, view_depth, spread);
            let before = crowd.room.stats().edge;
            let allocated: Vec<Allocated> = (0..20).map(|tick| crowd.walk(tick)).collect();
            assert_eq!(allocated, [Allocated::default(); 20], "{players} players, view depth {view_depth}");
            let after = crowd.room.stats().edge;
            assert_eq!(after.frames - before.frames, 20 * u64::from(players));
            assert_eq!(after.gathered_bodies, before.gathered_bodies, "all share");
        }
    }
}

#[test]
fn an_event_is_listed_once_however_many_see_it() {
    let frames = |players| {
        let mut crowd = Crowd::of(players, 16, spread);
        // To the left, away from everyone.
        let fires = |tick| move |SeatId(seat)| Input { aim: PI, fire: seat == 0 && tick % 10 == 0, ..to_and_fro(tick) };
        for tick in 0..100 {
            crowd.tick(fires(tick));
        }
        (0..20).map(|tick| crowd.tick(fires(tick)).frames).collect::<Vec<_>>()
    };
    let (few, many) = (frames(200), frames(400));
    assert_eq!(few, many);
    assert_eq!(few.iter().sum::<usize>(), 2, "one list for each of two shots");
}

#[test]
fn a_view_that_changes_is_made_once_for_all_who_change_to_it() {
    let frames = |players| {
        let mut crowd = Crowd::of(players, 3, |_| [118.0, 64.0]);
        let counts = (0..40).map(|tick| crowd.tick(|_| to_and_fro(tick / 4)).frames);
        counts.skip(8).collect::<Vec<_>>()
    };
    let (few, many) = (frames(200), frames(400));
    assert_eq!(few, many);
    assert_eq!(few.iter().filter(|count| **count > 0).count(), 8, "a border is crossed now and then");
}

#[test]
fn a_room_keeps_no_events_that_everyone_has_confirmed() {
    let mut crowd = Crowd::of(100, 3, spread);
    let mut play = |ticks| {
        for tick in 0..ticks {
            crowd.tick(|_| Input { fire: true, ..to_and_fro(tick) });
        }
        crowd.room.stats().edge.frames
    };
    play(1_000);
    let (_, taken) = measure(|| play(4_000));
    assert!(taken.peak < 16 * 1024, "{taken:?}");
}
