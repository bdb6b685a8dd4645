//! The load swarm: many bots that play a game from a few threads, verify their state, and measure. When a game ends,
//! they begin the next one.
//!
//! Each bot is a task, on threads with a current-thread runtime each; bots share nothing but the ids of rooms and the
//! thread's [`Measures`]. `bot` is the life of one bot, `rooms` assigns rooms, [`report`] has the results.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{runtime, task::JoinSet};
use uuid::Uuid;

use crate::player::Players;

mod bot;
mod rooms;
pub mod measures;
pub mod report;

pub use measures::Measures;
pub use report::{BotReport, Report};
pub use rooms::Rooms;

/// The plan of a swarm.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server. Default `ws://127.0.0.1:8080/ws`.
    pub url: String,
    /// The name of the game. Default `arena`.
    pub game: String,
    /// Decides what the bots send. Default: the bots of the shipped games, and random inputs for all others.
    pub players: Players,
    /// The room of each bot, by number from 0. The first bot of a room makes it. Default: no bots.
    pub rooms: Vec<usize>,
    /// The encoded config of the rooms; `None` for the game's default.
    pub config: Option<Vec<u8>>,
    /// The time over which the bots enter one after the other. Default 2 s.
    pub ramp: Duration,
    /// How long they play after the ramp; [`Swarm::stop`] ends it earlier. Default 30 s.
    pub duration: Duration,
    /// Inputs per second of each bot. Default 20.
    pub rate: f64,
    /// Whether every frame carries a hash to compare with. Default true.
    pub verify: bool,
    /// The number of threads. Default 1.
    pub threads: usize,
    /// The seed of all random decisions. Default 1.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            url: "ws://127.0.0.1:8080/ws".to_owned(),
            game: "arena".to_owned(),
            players: Players::of_shipped_games(),
            rooms: Vec::new(),
            config: None,
            ramp: Duration::from_secs(2),
            duration: Duration::from_secs(30),
            rate: 20.0,
            verify: true,
            threads: 1,
            seed: 1,
        }
    }
}

impl Plan {
    /// Assigns bot `i` to room `i % rooms`.
    pub fn spread(bots: usize, rooms: usize) -> Vec<usize> {
        (0..bots).map(|bot| bot % rooms.max(1)).collect()
    }

    /// Assigns this many bots to each room, filling the rooms side by side.
    pub fn sized(sizes: &[usize]) -> Vec<usize> {
        let most = sizes.iter().copied().max().unwrap_or(0);
        (0..most).flat_map(|round| (0..sizes.len()).filter(move |room| round < sizes[*room])).collect()
    }
}

/// State shared by the bots of all threads.
#[derive(Debug)]
struct Shared {
    plan: Plan,
    rooms: Rooms,
    start: Instant,
    stopping: AtomicBool,
    connected: AtomicUsize,
    mismatches: AtomicU64,
    errors: AtomicU64,
}

impl Shared {
    fn end(&self) -> Instant {
        self.start + self.plan.ramp + self.plan.duration
    }

    fn is_over(&self, now: Instant) -> bool {
        now >= self.end() || self.stopping.load(Ordering::Relaxed)
    }
}

/// The progress of a running swarm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bots in a room now.
    pub connected: usize,
    /// Frames read.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Hashes that differed.
    pub mismatches: u64,
    /// Errors of any kind.
    pub errors: u64,
}

/// A running swarm.
#[derive(Debug)]
pub struct Swarm {
    shared: Arc<Shared>,
    measures: Vec<Arc<Mutex<Measures>>>,
    taken: Mutex<Measures>,
    threads: Vec<JoinHandle<io::Result<Vec<BotReport>>>>,
}

impl Swarm {
    /// Starts the threads; the bots enter over the ramp.
    ///
    /// # Errors
    ///
    /// If the system has no threads left.
    pub fn start(plan: Plan) -> io::Result<Self> {
        let rooms = plan.rooms.iter().max().map_or(0, |most| most + 1);
        let threads = plan.threads.max(1);
        let shared = Arc::new(Shared {
            plan,
            rooms: Rooms::new(rooms),
            start: Instant::now(),
            stopping: AtomicBool::new(false),
            connected: AtomicUsize::new(0),
            mismatches: AtomicU64::new(0),
            errors: AtomicU64::new(0),
        });
        let measures: Vec<_> = (0..threads).map(|_| Arc::new(Mutex::new(Measures::default()))).collect();
        let spawn = |(index, measures): (usize, &Arc<Mutex<Measures>>)| {
            let (shared, measures) = (Arc::clone(&shared), Arc::clone(measures));
            let name = format!("bots-{index}");
            std::thread::Builder::new().name(name).spawn(move || run_thread(&shared, &measures, index, threads))
        };
        let threads = measures.iter().enumerate().map(spawn).collect::<io::Result<_>>()?;
        Ok(Self { shared, measures, taken: Mutex::new(Measures::default()), threads })
    }

    /// Waits for the id of a room, which its first bot makes; `None` if it could not.
    pub async fn room(&self, index: usize) -> Option<Uuid> {
        self.shared.rooms.id(index, 0).await.map(|(_, room)| room)
    }

    /// The progress.
    pub fn progress(&self) -> Progress {
        let taken = self.taken.lock();
        let mut progress = Progress {
            connected: self.shared.connected.load(Ordering::Relaxed),
            frames: taken.frames,
            bytes: taken.bytes,
            mismatches: self.shared.mismatches.load(Ordering::Relaxed),
            errors: self.shared.errors.load(Ordering::Relaxed),
        };
        for measures in &self.measures {
            let measures = measures.lock();
            progress.frames += measures.frames;
            progress.bytes += measures.bytes;
        }
        progress
    }

    /// Returns the measurements since the last call. The final [`Report`] includes them all the same.
    pub fn take_measures(&self) -> Measures {
        let mut phase = Measures::default();
        for measures in &self.measures {
            phase += &std::mem::take(&mut *measures.lock());
        }
        *self.taken.lock() += &phase;
        phase
    }

    /// Ends the play at once.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether every bot has left.
    pub fn is_finished(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Waits for the end and returns the report.
    pub fn finish(mut self) -> Report {
        let mut bots = Vec::new();
        let mut complaints = Vec::new();
        for thread in self.threads.drain(..) {
            match thread.join() {
                Ok(Ok(reports)) => bots.extend(reports),
                Ok(Err(error)) => complaints.push(format!("no runtime: {error}")),
                Err(_) => complaints.push("a thread of bots panicked".to_owned()),
            }
        }
        self.take_measures();
        let seconds = self.shared.start.elapsed().as_secs_f64();
        Report::new(&self.taken.lock(), bots, complaints, seconds)
    }
}

/// Runs every `threads`-th bot, from `first` on.
fn run_thread(
    shared: &Arc<Shared>,
    measures: &Arc<Mutex<Measures>>,
    first: usize,
    threads: usize,
) -> io::Result<Vec<BotReport>> {
    let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    Ok(runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for number in (first..shared.plan.rooms.len()).step_by(threads) {
            tasks.spawn(bot::run(Arc::clone(shared), Arc::clone(measures), number));
        }
        let mut reports = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            reports.push(ended.unwrap_or_else(|error| {
                let mut report = BotReport::default();
                report.failed(format!("a bot panicked: {error}"));
                report
            }));
        }
        reports
    }))
}

#[cfg(test)]
mod tests {
    use super::Plan;

    #[test]
    fn bots_are_spread_over_rooms() {
        assert_eq!(Plan::spread(5, 2), [0, 1, 0, 1, 0]);
        assert_eq!(Plan::sized(&[3, 1, 2]), [0, 1, 2, 0, 2, 0]);
        assert!(Plan::sized(&[]).is_empty());
    }
}
