//! The rooms of this instance: found by game or id, made when there is none, within the operator's limits.
//!
//! Cold path: gateways ask once for each wish. A room itself never waits for this list; it only writes into its own
//! entry how full it is.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tiltyard_shared::{
    protocol::{Code, Target},
    world::Fault,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    clock::Clock,
    config::Timing,
    games::{GameHost, Games, Prepared},
    room::{Setup, guest::Guest},
    shard::{Load, Shards},
    stop::Stop,
};

/// Guests that wait at a room's door. When it is full, gateways wait for a while, then refuse.
const WAITING_GUESTS: usize = 64;

/// The golden ratio's fraction: multiples of it divide a tick evenly, however many rooms a shard has.
const STAGGER: f32 = 0.618_034;

/// All open rooms.
#[derive(Debug)]
pub(crate) struct Rooms {
    games: Games,
    shards: Shards,
    open: Open,
    terms: Terms,
    stop: Stop,
    clock: Clock,
    timing: Timing,
}

/// On what terms rooms are opened: how much an operator allows, what a test asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Rooms at a time.
    pub(crate) rooms: u32,
    /// Players at a time, over all rooms.
    pub(crate) players: u32,
    /// A deliberate fault of every room.
    pub(crate) fault: Option<Fault>,
}

type Open = Arc<Mutex<BTreeMap<Uuid, Arc<Entry>>>>;

/// What is known of a room outside of it.
#[derive(Debug)]
struct Entry {
    id: Uuid,
    game: &'static str,
    /// Whether it is found by its game's name; rooms that a client created are found by id only.
    public: bool,
    door: mpsc::Sender<Guest>,
    players: AtomicU32,
    free: AtomicU32,
    /// Guests on their way in.
    arriving: AtomicU32,
}

/// A room's own hold of its entry; when dropped the room is found no more.
#[derive(Debug)]
pub(crate) struct Listed {
    entry: Arc<Entry>,
    open: Open,
    load: Arc<Load>,
}

/// A way into a room. Until it is dropped, one of the room's free seats is promised to it.
#[derive(Debug)]
pub(crate) struct Arrival {
    entry: Arc<Entry>,
}

impl Listed {
    /// Says how full the room is.
    pub(crate) fn set_occupancy(&self, players: u32, free: u32) {
        let before = self.entry.players.swap(players, Ordering::Relaxed);
        self.entry.free.store(free, Ordering::Relaxed);
        self.load.change_players(before, players);
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.set_occupancy(0, 0);
        self.load.remove_room();
        lock(&self.open).remove(&self.entry.id);
    }
}

impl Arrival {
    fn new(entry: &Arc<Entry>) -> Self {
        entry.arriving.fetch_add(1, Ordering::Relaxed);
        Self { entry: entry.clone() }
    }

    /// Where guests are sent.
    pub(crate) fn door(&self) -> &mpsc::Sender<Guest> {
        &self.entry.door
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.entry.arriving.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Entry {
    fn players(&self) -> u32 {
        self.players.load(Ordering::Relaxed)
    }

    fn arriving(&self) -> u32 {
        self.arriving.load(Ordering::Relaxed)
    }

    fn has_room(&self) -> bool {
        self.free.load(Ordering::Relaxed) > self.arriving()
    }
}

impl Rooms {
    /// No room yet.
    pub(crate) fn new(games: Games, shards: Shards, terms: Terms, stop: Stop, clock: Clock, timing: Timing) -> Self {
        Self { games, shards, open: Open::default(), terms, stop, clock, timing }
    }

    /// The games that can be played.
    pub(crate) fn games(&self) -> &Games {
        &self.games
    }

    /// The room that a wish leads to; made if need be.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownGame`], [`Code::UnknownRoom`], [`Code::ServerFull`], [`Code::Stopping`], and what a game says of its
    /// config.
    pub(crate) async fn arrive(&self, target: &Target) -> Result<Arrival, Code> {
        if self.stop.is_stopping() {
            return Err(Code::Stopping);
        }
        match target {
            Target::Game(name) => {
                let game = self.games.find(name).ok_or(Code::UnknownGame)?;
                match self.find(game.name())? {
                    Some(arrival) => Ok(arrival),
                    None => self.create(game.as_ref(), None, true).await,
                }
            }
            Target::Create { game, config } => {
                let game = self.games.find(game).ok_or(Code::UnknownGame)?;
                self.create(game.as_ref(), config.as_deref(), false).await
            }
            Target::Room(id) => self.by_id(*id, true),
            Target::Resume { room, .. } => self.by_id(*room, false),
        }
    }

    fn by_id(&self, id: Uuid, newcomer: bool) -> Result<Arrival, Code> {
        let open = lock(&self.open);
        let entry = open.get(&id).ok_or(Code::UnknownRoom)?;
        if newcomer {
            self.check_players(&open)?;
        }
        Ok(Arrival::new(entry))
    }

    /// The fullest public room of a game that has a seat.
    fn find(&self, game: &str) -> Result<Option<Arrival>, Code> {
        let open = lock(&self.open);
        self.check_players(&open)?;
        Ok(fullest(&open, game).map(Arrival::new))
    }

    fn check_players(&self, open: &BTreeMap<Uuid, Arc<Entry>>) -> Result<(), Code> {
        let players: u64 = open.values().map(|entry| u64::from(entry.players()) + u64::from(entry.arriving())).sum();
        if players < u64::from(self.terms.players) { Ok(()) } else { Err(Code::ServerFull) }
    }

    async fn create(&self, game: &dyn GameHost, config: Option<&[u8]>, public: bool) -> Result<Arrival, Code> {
        let prepared = game.prepare(config)?;
        let (door, guests) = mpsc::channel(WAITING_GUESTS);
        let entry = Arc::new(Entry {
            id: Uuid::now_v7(),
            game: game.name(),
            public,
            door,
            players: AtomicU32::new(0),
            free: AtomicU32::new(prepared.seats),
            arriving: AtomicU32::new(0),
        });
        let arrival = {
            let mut open = lock(&self.open);
            self.check_players(&open)?;
            // While this room was prepared, someone else may have made one.
            if let Some(other) = public.then(|| fullest(&open, entry.game)).flatten() {
                return Ok(Arrival::new(other));
            }
            if open.len() >= self.terms.rooms as usize {
                return Err(Code::ServerFull);
            }
            open.insert(entry.id, entry.clone());
            Arrival::new(&entry)
        };
        if self.open(prepared, entry, guests).await { Ok(arrival) } else { Err(Code::Stopping) }
    }

    async fn open(&self, prepared: Prepared, entry: Arc<Entry>, guests: mpsc::Receiver<Guest>) -> bool {
        let shard = self.shards.least_busy();
        shard.load().add_room();
        let id = entry.id;
        let listed = Listed { entry, open: self.open.clone(), load: shard.load().clone() };
        let (stop, clock, timing, fault) = (self.stop.clone(), self.clock, self.timing, self.terms.fault);
        let opening = move |order: u32| {
            let phase = (order as f32 * STAGGER).fract();
            (prepared.run)(Setup { id, listed, guests, stop, clock, timing, phase, fault })
        };
        shard.open(Box::new(opening)).await
    }
}

/// Filling rooms up one by one keeps players together.
fn fullest<'a>(open: &'a BTreeMap<Uuid, Arc<Entry>>, game: &str) -> Option<&'a Arc<Entry>> {
    let rooms = open.values().filter(|entry| entry.public && entry.game == game && entry.has_room());
    rooms.max_by_key(|entry| entry.players() + entry.arriving())
}

/// Nothing that can panic runs under the lock, and if it did, the list would still be whole.
fn lock(open: &Open) -> MutexGuard<'_, BTreeMap<Uuid, Arc<Entry>>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}
