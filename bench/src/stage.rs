//! A room without sockets: what its rules, its encoder and its edge cost alone, and how large its frames are.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use serde::Serialize;
use tiltyard_core::room::{Newcomer, Room, SeatId};
use tiltyard_shared::{
    game::{Game, Rng, Tick},
    protocol::{ClientMessage, Report},
};
use uuid::Uuid;

/// What a tick of a room costs.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Stage {
    /// The rules and the commit, in microseconds a tick.
    pub step_us: f64,
    /// All frames, in microseconds a tick.
    pub frames_us: f64,
    /// The mean size of a frame.
    pub mean_bytes: f64,
}

impl Stage {
    /// Both parts together, in microseconds a tick.
    pub fn tick_us(self) -> f64 {
        self.step_us + self.frames_us
    }
}

/// Ticks until everything has found its pace.
const WARM_UP: u32 = 40;

/// Plays `ticks` ticks with so many players, each of whom sends one input a tick and applies every frame.
///
/// # Panics
///
/// If the room has not so many seats or a view cannot be sent.
pub fn play<G: Game>(config: G::Config, players: u32, ticks: u32, input: fn(&mut Rng) -> Vec<u8>) -> Stage {
    let (mut room, mut rng) = (Room::<G>::open(config, 1), Rng::new(2));
    let length = Duration::from_secs(1) / room.settings().tick_hz;
    let seats: Vec<SeatId> = (0..players)
        .map(|number| {
            let token = Uuid::from_u128(u128::from(number));
            let newcomer = Newcomer { name: String::new(), token, verify: false, expected: false, team: None };
            room.enter(newcomer, 0).expect("there is a seat").seat
        })
        .collect();
    let (mut frame, mut stage, mut bytes) = (Vec::new(), Stage::default(), 0);
    for tick in 1..=WARM_UP + ticks {
        let now = length * tick;
        for seat in seats.iter().filter(|_| tick > 1) {
            let report = Report { epoch: 1, applied: Tick(tick - 1), event: 0 };
            let message = ClientMessage::Input { number: tick - 1, aim: Tick(tick), report, payload: input(&mut rng) };
            room.receive(*seat, message, now).expect("inputs are in order");
        }
        let start = Instant::now();
        room.step(now);
        let stepped = Instant::now();
        let mut sent = 0;
        for seat in &seats {
            black_box(room.frame(*seat, now, Duration::ZERO, &mut frame)).expect("every view can be sent");
            sent += frame.len();
        }
        if tick > WARM_UP {
            stage.step_us += (stepped - start).as_secs_f64() * 1e6 / f64::from(ticks);
            stage.frames_us += stepped.elapsed().as_secs_f64() * 1e6 / f64::from(ticks);
            bytes += sent;
        }
    }
    stage.mean_bytes = bytes as f64 / f64::from(ticks * players.max(1));
    stage
}
