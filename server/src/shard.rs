//! The threads that run rooms, and which room goes where.
//!
//! A shard is one OS thread with a tokio runtime of its own; a room and its sockets live on one shard for good.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use tokio::{
    runtime,
    sync::{mpsc, oneshot},
    task::{JoinError, JoinSet},
};

use crate::stop::Stop;

/// Rooms that wait for their shard to open them. When it is full, whoever wants a new room waits.
const WAITING_ROOMS: usize = 64;

/// How busy a shard is.
#[derive(Debug, Default)]
pub(crate) struct Load {
    rooms: AtomicU32,
    players: AtomicU32,
}

impl Load {
    /// A room of `players` seats taken became one of `now`.
    pub(crate) fn change_players(&self, before: u32, now: u32) {
        self.players.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
    }

    /// A room is there.
    pub(crate) fn add_room(&self) {
        self.rooms.fetch_add(1, Ordering::Relaxed);
    }

    /// A room is gone.
    pub(crate) fn remove_room(&self) {
        self.rooms.fetch_sub(1, Ordering::Relaxed);
    }

    fn score(&self) -> (u32, u32) {
        (self.players.load(Ordering::Relaxed), self.rooms.load(Ordering::Relaxed))
    }
}

/// The running of a room.
pub(crate) type RoomFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A room on its way to its shard. Called there, with the room's place in the shard's order of opening.
pub(crate) type Opening = Box<dyn FnOnce(u32) -> RoomFuture + Send>;

/// One thread for rooms.
#[derive(Debug)]
pub(crate) struct Shard {
    openings: mpsc::Sender<Opening>,
    load: Arc<Load>,
}

impl Shard {
    /// How busy it is.
    pub(crate) fn load(&self) -> &Arc<Load> {
        &self.load
    }

    /// Opens a room, waiting while too many others wait. `false` if the shard has stopped.
    pub(crate) async fn open(&self, opening: Opening) -> bool {
        self.openings.send(opening).await.is_ok()
    }
}

/// All threads for rooms.
#[derive(Debug)]
pub(crate) struct Shards(Vec<Shard>);

impl Shards {
    /// Starts so many threads. Each of the receivers ends when its thread has.
    ///
    /// # Errors
    ///
    /// If the system gives no thread or no event queue.
    pub(crate) fn start(count: usize, stop: &Stop) -> io::Result<(Self, Vec<oneshot::Receiver<()>>)> {
        let mut shards = Vec::new();
        let mut ends = Vec::new();
        for number in 0..count.max(1) {
            let (openings, receiver) = mpsc::channel(WAITING_ROOMS);
            let (alive, end) = oneshot::channel();
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            let stop = stop.clone();
            thread::Builder::new().name(format!("shard-{number}")).spawn(move || {
                runtime.block_on(run(receiver, stop));
                drop(alive);
            })?;
            shards.push(Shard { openings, load: Arc::default() });
            ends.push(end);
        }
        Ok((Self(shards), ends))
    }

    /// The shard for the next room: the one with the fewest players, then with the fewest rooms.
    pub(crate) fn least_busy(&self) -> &Shard {
        self.0.iter().min_by_key(|shard| shard.load.score()).expect("there is at least one shard")
    }
}

/// The life of a shard: opens rooms until the server stops, then waits for their ends.
async fn run(mut openings: mpsc::Receiver<Opening>, mut stop: Stop) {
    let mut rooms = JoinSet::new();
    let mut opened = 0u32;
    loop {
        tokio::select! {
            opening = openings.recv() => match opening {
                Some(opening) => {
                    rooms.spawn(opening(opened));
                    opened = opened.wrapping_add(1);
                }
                None => break,
            },
            Some(ended) = rooms.join_next() => report(ended),
            () = stop.requested() => break,
        }
    }
    // Rooms that were still waiting open only to tell those at their doors that the server stops.
    openings.close();
    while let Some(opening) = openings.recv().await {
        rooms.spawn(opening(opened));
    }
    while let Some(ended) = rooms.join_next().await {
        report(ended);
    }
}

/// Games that panic are caught by their room; what arrives here is our own fault.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a room's task failed");
    }
}
