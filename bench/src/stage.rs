//! A room without sockets: what its rules, its encoder and its edge cost alone, and how large its frames are.

use std::time::Instant;

use serde::Serialize;
use tiltyard_scenes::{Crowd, crowd::Draw};
use tiltyard_shared::game::Game;

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
    pub fn tick_us(&self) -> f64 {
        self.step_us + self.frames_us
    }
}

/// Ticks until everything has found its pace.
const WARM_UP: u32 = 60;

/// Plays `ticks` ticks with so many players, each of whom applies every frame, and sends one input a tick if there is a way to
/// draw one.
///
/// # Panics
///
/// If the room has not so many seats or a view cannot be sent.
pub fn play<G: Game>(config: G::Config, players: u32, ticks: u32, draw: Option<Draw>) -> Stage {
    let mut crowd = Crowd::<G>::new(config, players, 0, draw);
    (0..WARM_UP).for_each(|_| crowd.tick());
    let (mut stage, [before, _]) = (Stage::default(), crowd.weight());
    for _ in 0..ticks {
        crowd.send_inputs();
        let start = Instant::now();
        crowd.step();
        let stepped = Instant::now();
        crowd.frames();
        stage.step_us += (stepped - start).as_secs_f64() * 1e6 / f64::from(ticks);
        stage.frames_us += stepped.elapsed().as_secs_f64() * 1e6 / f64::from(ticks);
        crowd.report();
    }
    stage.mean_bytes = (crowd.weight()[0] - before) as f64 / f64::from(ticks * players.max(1));
    stage
}
