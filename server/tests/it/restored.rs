//! Every game that ships goes on from saved bytes: after a thousand ticks more the room that was made again is, byte for byte,
//! the one that lived on.

use std::time::Duration;

use tiltyard_arena::Arena;
use tiltyard_connect4::Connect4;
use tiltyard_core::{
    edge::Bounds,
    room::{JoinRequest, Returning, Room, SeatId},
};
use tiltyard_pong::Pong;
use tiltyard_shared::{
    game::{Game, Rng, Tick},
    protocol::{ClientMessage, Report, Resync, codec},
    wire::Wire as _,
};
use uuid::Uuid;

const TICK: Duration = Duration::from_millis(50);

/// Two rooms of a game in which the same players do the same things, whatever comes to mind.
struct Twins<G: Game> {
    rooms: Vec<Room<G>>,
    players: u32,
    random: Rng,
    now: Duration,
    number: u32,
}

impl<G: Game> Twins<G> {
    fn new(seed: u64) -> Self {
        let mut room = Room::<G>::open(G::Config::default(), seed);
        let players = room.settings().max_players.min(6);
        for number in 0..players {
            let (name, token) = (format!("player {number}"), Uuid::from_u128(number.into()));
            let request = JoinRequest { name, token, verify: false, expected: false, team: None };
            room.enter(request, 0).unwrap();
        }
        Self { rooms: vec![room], players, random: Rng::new(seed), now: Duration::ZERO, number: 0 }
    }

    fn tick(&mut self) {
        self.now += TICK;
        self.number += 1;
        for seat in (0..self.players).map(SeatId) {
            let payload = codec::encode(&G::Input::arbitrary(&mut self.random));
            for room in &mut self.rooms {
                let aim = Tick(room.simulation().tick().0 + 3);
                let message = ClientMessage::input(self.number, Report::default(), aim, payload.clone());
                room.receive(seat, message, self.now).unwrap();
            }
        }
        for room in &mut self.rooms {
            room.step(self.now);
        }
    }

    /// One more room, made from what the first one saves; its players come back at once.
    fn save_and_restore(&mut self) {
        let saved = self.rooms[0].authority().save().unwrap();
        let mut room = Room::<G>::restore(&saved, Bounds::default(), self.now).unwrap();
        assert_eq!(room.authority().save().unwrap(), saved, "{}", G::NAME);
        for number in 0..self.players {
            let resync = Resync { epoch: 1, applied: None, event: 0 };
            let (token, first_input) = (Uuid::from_u128(number.into()), self.number + 1);
            room.resume(Returning { token, resync, first_input, groups: Vec::new(), verify: false }, self.now).unwrap();
        }
        self.rooms.push(room);
    }

    fn states(&self) -> Vec<Vec<u8>> {
        self.rooms.iter().map(|room| room.simulation().save().unwrap()).collect()
    }
}

fn goes_on<G: Game>() {
    for seed in 1..=3 {
        let mut twins = Twins::<G>::new(seed);
        (0..40 * seed).for_each(|_| twins.tick());
        twins.save_and_restore();
        for part in 0..10 {
            (0..100).for_each(|_| twins.tick());
            let states = twins.states();
            assert!(states[0] == states[1], "{}, seed {seed}: not the same {} ticks later", G::NAME, 100 * (part + 1));
        }
    }
}

#[test]
fn an_arena_goes_on() {
    goes_on::<Arena>();
}

#[test]
fn connect_four_goes_on() {
    goes_on::<Connect4>();
}

#[test]
fn pong_goes_on() {
    goes_on::<Pong>();
}
