//! What the bytes of the scene `walkers` are for, and what its parts cost, without sockets:
//! `cargo run --release -p tiltyard-scenes --example anatomy -- [players …]`.
//!
//! Every tenth player's frames are decoded and verified. Times are the medians of a tick of all players.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use tiltyard_core::room::{Newcomer, Room, SeatId};
use tiltyard_scenes::{Population, Walkers, walkers::Turn};
use tiltyard_shared::{
    prelude::*,
    protocol::{ClientMessage, Report, codec},
    replica::{Anatomy, Replica},
};
use uuid::Uuid;

const RTT: Duration = Duration::from_millis(20);
/// Ticks before anything is counted, and ticks counted.
const TICKS: [u32; 2] = [60, 400];
/// One player in so many decodes.
const DECODES_ONE_IN: u32 = 10;

fn main() -> io::Result<()> {
    let mut counts: Vec<u32> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    if counts.is_empty() {
        counts = vec![500, 1_000, 4_000];
    }
    let mut out = io::stdout();
    writeln!(
        out,
        "bytes per visible entity and tick\nplayers visible  total  head  chunk  membr  snaps  lanes events | frame B | game+commit µs  frames µs  ns/frame"
    )?;
    for players in counts {
        let mut crowd = Crowd::<Walkers>::new(players, Some(|rng| codec::encode(&Turn::draw(rng))));
        crowd.report("walkers", &mut out)?;
    }
    Crowd::<Population>::new(4_096, None).report("population", &mut out)
}

/// Makes the payload of an input.
type Draw = fn(&mut Rng) -> Vec<u8>;

/// A room full of players, each connected by a line that loses nothing.
struct Crowd<G: Game> {
    room: Room<G>,
    seats: Vec<SeatId>,
    replicas: Vec<Replica>,
    draw: Option<Draw>,
    rng: Rng,
    now: Duration,
    frame: Vec<u8>,
    bytes: u64,
    visible: u64,
}

impl<G: Game> Crowd<G> {
    fn new(players: u32, draw: Option<Draw>) -> Self {
        let mut room = Room::<G>::open(G::Config::default(), 1);
        let enter = |number: u32| {
            let token = Uuid::from_u128(u128::from(number) + 1);
            let newcomer = Newcomer { name: String::new(), token, verify: false, expected: false };
            room.enter(newcomer, 0).expect("there is a seat").seat
        };
        let seats: Vec<SeatId> = (0..players).map(enter).collect();
        let replicas = seats.iter().step_by(DECODES_ONE_IN as usize);
        let replicas = replicas.map(|_| Replica::new(&G::Entity::schema(), 1)).collect();
        let (rng, frame) = (Rng::new(7), Vec::new());
        Self { room, seats, replicas, draw, rng, now: Duration::ZERO, frame, bytes: 0, visible: 0 }
    }

    /// One tick: how long the step and the frames took.
    fn tick(&mut self) -> [Duration; 2] {
        self.now += self.room.settings().tick_length();
        let tick = Tick(self.room.simulation().tick().0 + 1);
        for seat in self.seats.iter().filter(|_| self.draw.is_some()) {
            let payload = self.draw.map(|draw| draw(&mut self.rng)).unwrap_or_default();
            let input = ClientMessage::Input { number: tick.0, aim: tick, report: Report::default(), payload };
            self.room.receive(*seat, input, self.now).expect("inputs are in order");
        }
        let start = Instant::now();
        self.room.step(self.now);
        let step = start.elapsed();
        let mut frames = Duration::ZERO;
        for (place, seat) in self.seats.iter().enumerate() {
            let start = Instant::now();
            self.room.frame(*seat, self.now, RTT, &mut self.frame).expect("every view can be sent");
            frames += start.elapsed();
            self.bytes += self.frame.len() as u64;
            if place % DECODES_ONE_IN as usize == 0 {
                let replica = &mut self.replicas[place / DECODES_ONE_IN as usize];
                if !self.frame.is_empty() {
                    replica.apply(&self.frame).expect("every frame is good");
                }
                self.visible += replica.tables().map(|(_, table, _)| table.members().len() as u64).sum::<u64>();
            }
        }
        let report = ClientMessage::Report(Report { epoch: 1, applied: tick, event: u64::MAX });
        for seat in &self.seats {
            self.room.receive(*seat, report.clone(), self.now).expect("a report is always allowed");
        }
        [step, frames]
    }

    fn anatomy(&self) -> Anatomy {
        let mut sum = Anatomy::default();
        self.replicas.iter().for_each(|replica| sum += replica.anatomy());
        sum
    }

    fn report(&mut self, name: &str, out: &mut impl Write) -> io::Result<()> {
        for _ in 0..TICKS[0] {
            self.tick();
        }
        (self.bytes, self.visible) = (0, 0);
        let before = self.anatomy();
        let times: Vec<[Duration; 2]> = (0..TICKS[1]).map(|_| self.tick()).collect();
        let parts = self.anatomy() - before;
        let per = |bits: u64| bits as f64 / 8.0 / self.visible as f64;
        let median = |part: usize| {
            let mut all: Vec<Duration> = times.iter().map(|times| times[part]).collect();
            all.sort_unstable();
            all[all.len() / 2].as_secs_f64() * 1e6
        };
        let players = self.seats.len() as f64;
        writeln!(
            out,
            "{:7} {:7.1} {:6.3} {:5.3} {:6.3} {:6.3} {:6.3} {:6.3} {:6.3} | {:7.1} | {:14.1} {:10.1} {:9.0}  {name}",
            self.seats.len(),
            self.visible as f64 / self.replicas.len() as f64 / f64::from(TICKS[1]),
            per(parts.bits()),
            per(parts.heads),
            per(parts.chunk_headers),
            per(parts.membership),
            per(parts.snapshots),
            per(parts.lanes),
            per(parts.events),
            self.bytes as f64 / players / f64::from(TICKS[1]),
            median(0),
            median(1),
            median(1) * 1e3 / players,
        )
    }
}
