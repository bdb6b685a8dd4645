//! A room full of players without sockets, each on a line that loses nothing: what a tick of everybody costs and weighs.

use std::time::Duration;

use tiltyard_core::room::{JoinRequest, Room, SeatId};
use tiltyard_shared::{
    prelude::*,
    protocol::{ClientMessage, Report},
    replica::{Anatomy, Replica},
};
use uuid::Uuid;

const RTT: Duration = Duration::from_millis(20);

/// Makes the payload of the next input of a player.
pub type Draw = fn(&mut Rng) -> Vec<u8>;

/// A room and its players.
#[derive(Debug)]
pub struct Crowd<G: Game> {
    /// The room.
    pub room: Room<G>,
    seats: Vec<SeatId>,
    replicas: Vec<Replica>,
    decodes_one_in: usize,
    draw: Option<Draw>,
    rng: Rng,
    now: Duration,
    frame: Vec<u8>,
    bytes: u64,
    visible: u64,
}

impl<G: Game> Crowd<G> {
    /// Opens a room and lets players in; each sends an input a tick if there is a way to draw one. One player in
    /// `decodes_one_in` decodes its frames and verifies those that carry a hash; with 0 nobody does.
    pub fn new(config: G::Config, players: u32, decodes_one_in: usize, draw: Option<Draw>) -> Self {
        Self::seeded(1, config, players, decodes_one_in, draw)
    }

    /// The same by another seed, which is 1 otherwise.
    pub fn seeded(seed: u64, config: G::Config, players: u32, decodes_one_in: usize, draw: Option<Draw>) -> Self {
        let mut room = Room::<G>::open(config, seed);
        let enter = |number: u32| {
            let token = Uuid::from_u128(u128::from(number) + 1);
            let request = JoinRequest { name: String::new(), token, verify: false, expected: false, team: None };
            room.enter(request, 0).expect("there is a seat").seat
        };
        let seats: Vec<SeatId> = (0..players).map(enter).collect();
        let decoding = if decodes_one_in == 0 { 0 } else { seats.len().div_ceil(decodes_one_in) };
        let replicas = (0..decoding).map(|_| Replica::new(&G::Entity::schema(), 1)).collect();
        let (rng, frame) = (Rng::new(seed + 6), Vec::new());
        Self { room, seats, replicas, decodes_one_in, draw, rng, now: Duration::ZERO, frame, bytes: 0, visible: 0 }
    }

    /// How many players.
    pub fn players(&self) -> usize {
        self.seats.len()
    }

    /// How many of them decode.
    pub fn decoding(&self) -> usize {
        self.replicas.len()
    }

    /// Everybody sends an input for the next tick.
    pub fn send_inputs(&mut self) {
        let Some(draw) = self.draw else { return };
        let tick = Tick(self.room.simulation().tick().0 + 1);
        for seat in &self.seats {
            let payload = draw(&mut self.rng);
            let input = ClientMessage::input(tick.0, Report::default(), tick, payload);
            self.room.receive(*seat, input, self.now).expect("inputs are in order");
        }
    }

    /// The next tick of the game, and its commit.
    pub fn step(&mut self) {
        self.now += self.room.settings().tick_length();
        self.room.step(self.now);
    }

    /// The frames of everybody.
    pub fn frames(&mut self) {
        for place in 0..self.seats.len() {
            self.room.frame(self.seats[place], self.now, RTT, &mut self.frame).expect("every view can be sent");
            self.bytes += self.frame.len() as u64;
            if self.decodes_one_in > 0 && place.is_multiple_of(self.decodes_one_in) {
                self.decode(place / self.decodes_one_in);
            }
        }
    }

    fn decode(&mut self, place: usize) {
        let replica = &mut self.replicas[place];
        if !self.frame.is_empty() {
            replica.apply(&self.frame).expect("every frame is good");
        }
        self.visible += replica.tables().map(|(_, table, _)| table.members().len() as u64).sum::<u64>();
    }

    /// Everybody says that the frame has been applied.
    pub fn report(&mut self) {
        let applied = self.room.simulation().tick();
        let report = ClientMessage::Report(Report { epoch: 1, applied, event: u64::MAX });
        for seat in &self.seats {
            self.room.receive(*seat, report.clone(), self.now).expect("a report is always allowed");
        }
    }

    /// A whole tick.
    pub fn tick(&mut self) {
        self.send_inputs();
        self.step();
        self.frames();
        self.report();
    }

    /// The bytes of all frames so far, and the sum over the ticks of what those who decode saw.
    pub fn weight(&self) -> [u64; 2] {
        [self.bytes, self.visible]
    }

    /// What the bits of those who decode were for.
    pub fn anatomy(&self) -> Anatomy {
        let mut sum = Anatomy::default();
        self.replicas.iter().for_each(|replica| sum += replica.anatomy());
        sum
    }
}
