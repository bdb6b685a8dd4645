//! Who loses the connection and comes back: the seat, the inputs, and what the game hears of it.

use std::time::Duration;

use tiltyard_core::room::{Entered, Returning, Room, SeatId};
use tiltyard_shared::{
    game::{PlayerId, Tick},
    protocol::{ClientMessage, Code, Report, codec},
};
use uuid::Uuid;

use crate::sandbox::{Act, Sandbox, join_request};

const ANN: Uuid = Uuid::from_u128(1);
const SECOND: Duration = Duration::from_secs(1);

struct Ground {
    room: Room<Sandbox>,
    now: Duration,
    ann: SeatId,
    inputs: u32,
}

impl Ground {
    fn new() -> Self {
        let mut room = Room::open(false, 1);
        let ann = room.enter(join_request("Ann", ANN, false), 0).expect("there is a seat").seat;
        let mut ground = Self { room, now: Duration::ZERO, ann, inputs: 0 };
        ground.pass(SECOND / 20);
        ground
    }

    /// Lets time pass, tick by tick.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now += self.room.settings().tick_length();
            self.room.step(self.now);
        }
    }

    fn lose(&mut self) {
        self.room.disconnect(self.ann, self.now);
    }

    fn come_back(&mut self, first_input: u32) -> Result<Entered, Code> {
        let back = self.room.anew(ANN, false).ok_or(Code::UnknownSession)?;
        self.room.resume(Returning { first_input, ..back }, self.now)
    }

    /// Puts one more thing into the world, so many ticks from now.
    fn spawn(&mut self, ahead: u32) -> Result<(), Code> {
        self.inputs += 1;
        let payload = codec::encode(&Act::Spawn { group: 0, thing: 2, seed: self.inputs });
        let aim = Tick(self.room.simulation().tick().0 + ahead);
        self.room.receive(self.ann, ClientMessage::input(self.inputs, Report::default(), aim, payload), self.now)
    }

    fn things(&self) -> usize {
        self.room.simulation().game().alive.len()
    }

    fn absences(&self) -> &[(PlayerId, bool)] {
        &self.room.simulation().game().absences
    }
}

#[test]
fn who_came_back_plays_on_when_the_grace_would_have_been_over() {
    let mut ground = Ground::new();
    ground.lose();
    ground.pass(20 * SECOND);
    ground.come_back(1).expect("the seat is kept");
    ground.pass(20 * SECOND);
    assert!(ground.room.authority().has_seat(ground.ann), "nobody is thrown out for an absence that is over");
}

#[test]
fn each_absence_has_the_whole_grace() {
    let mut ground = Ground::new();
    for _ in 0..3 {
        ground.lose();
        ground.pass(29 * SECOND);
        ground.come_back(1).expect("the seat is kept");
        ground.pass(SECOND);
    }
    ground.lose();
    ground.pass(31 * SECOND);
    assert_eq!(ground.come_back(1), Err(Code::UnknownSession));
}

#[test]
fn a_game_hears_once_who_is_away_and_back_and_nothing_of_a_hiccup() {
    let mut ground = Ground::new();
    ground.lose();
    ground.pass(SECOND / 2);
    ground.come_back(1).expect("the seat is kept");
    ground.pass(2 * SECOND);
    assert_eq!(ground.absences(), [], "half a second is no absence");
    ground.lose();
    ground.pass(5 * SECOND);
    assert_eq!(ground.absences(), [(PlayerId(1), true)]);
    ground.come_back(1).expect("the seat is kept");
    ground.pass(SECOND);
    assert_eq!(ground.absences(), [(PlayerId(1), true), (PlayerId(1), false)]);
}

#[test]
fn what_was_pressed_before_the_connection_broke_is_done() {
    let mut ground = Ground::new();
    ground.spawn(3).expect("it waits");
    ground.lose();
    ground.pass(SECOND / 2);
    assert_eq!(ground.things(), 1);
    assert_eq!(ground.come_back(1).expect("the seat is kept").input, 1, "and is not asked for again");
}

#[test]
fn a_new_client_aims_lower_than_the_one_before_and_is_not_thrown_out() {
    let mut ground = Ground::new();
    ground.spawn(60).expect("it is early");
    ground.lose();
    ground.come_back(2).expect("the seat is kept");
    ground.spawn(2).expect("the aims of one connection do not bind the next");
}

#[test]
fn inputs_that_a_client_has_not_kept_are_given_up() {
    let mut ground = Ground::new();
    ground.lose();
    assert_eq!(ground.come_back(4).expect("the seat is kept").input, 3);
    ground.inputs = 3;
    ground.spawn(1).expect("number 4 follows");
    ground.pass(SECOND / 5);
    assert_eq!(ground.things(), 1);
}
