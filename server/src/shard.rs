//! The threads that run rooms, and the assignment of rooms to them.
//!
//! A shard is one OS thread with a tokio runtime of its own; a room and its sockets stay on one shard.

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

/// The queue of rooms that wait for their shard to open them. When it is full, requests for new rooms wait.
const WAITING_ROOMS: usize = 64;

/// The load of a shard.
#[derive(Debug, Default)]
pub(crate) struct Load {
    rooms: AtomicU32,
    players: AtomicU32,
}

impl Load {
    /// Changes the players of a room from `before` to `now`.
    pub(crate) fn change_players(&self, before: u32, now: u32) {
        self.players.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
    }

    /// Adds a room.
    pub(crate) fn add_room(&self) {
        self.rooms.fetch_add(1, Ordering::Relaxed);
    }

    /// Removes a room.
    pub(crate) fn remove_room(&self) {
        self.rooms.fetch_sub(1, Ordering::Relaxed);
    }

    fn score(&self) -> (u32, u32) {
        (self.players.load(Ordering::Relaxed), self.rooms.load(Ordering::Relaxed))
    }
}

/// A running room.
pub(crate) type RoomFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Opens a room. Called on its shard with the room's number in the order of opening.
pub(crate) type Opening = Box<dyn FnOnce(u32) -> RoomFuture + Send>;

/// One thread that runs rooms.
#[derive(Debug)]
pub(crate) struct Shard {
    openings: mpsc::Sender<Opening>,
    load: Arc<Load>,
}

impl Shard {
    /// Its load.
    pub(crate) fn load(&self) -> &Arc<Load> {
        &self.load
    }

    /// Opens a room; waits while too many others are waiting. Returns `false` if the shard has stopped.
    pub(crate) async fn open(&self, opening: Opening) -> bool {
        self.openings.send(opening).await.is_ok()
    }
}

/// All threads that run rooms.
#[derive(Debug)]
pub(crate) struct Shards(Vec<Shard>);

impl Shards {
    /// Starts this many threads. Each of the receivers ends with its thread.
    ///
    /// # Errors
    ///
    /// If the system has no thread or event queue left.
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

/// Runs a shard: opens rooms until the server stops, then waits for them to end.
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
    // Rooms that are still waiting open only to tell the connections at their doors that the server stops.
    openings.close();
    while let Some(opening) = openings.recv().await {
        rooms.spawn(opening(opened));
    }
    while let Some(ended) = rooms.join_next().await {
        report(ended);
    }
}

/// Rooms catch the panics of their games; an error here is our own fault.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a room's task failed");
    }
}
