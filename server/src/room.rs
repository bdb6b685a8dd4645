//! The room task: one room, its clock and its players' sockets, on one shard.
//!
//! Everything in a room happens in this task, in the order of [`RoomTask::live`]: it answers requests at the door,
//! scans sockets before a tick, and at a tick steps the room and writes each player one frame. There is no lock,
//! channel, wake-up or event per player. What a room *decides* is in `tiltyard-core`'s [`Room`]; a player's socket is a
//! [`Connection`]; the [`door`] is the rest of the instance's view of the room, and `join` seats connections.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tiltyard_core::{
    matchmaking::proposals::RESERVED,
    room::{Room, SeatId},
    schedule::Schedule,
};
use tiltyard_shared::{
    game::{Game, Leave},
    protocol::Code,
    world::Fault,
};
use tokio::{
    sync::mpsc,
    task::{JoinSet, yield_now},
    time::sleep_until,
};
use tracing::{debug, error, info};
use uuid::Uuid;

use crate::{
    clock::Clock,
    config::Timing,
    metrics::RoomMetrics,
    net::socket::{self, Gone, Inbox},
    results::Results,
    stop::Stop,
};

mod schema;
pub(crate) mod matched;
pub(crate) mod door;
mod drain;
mod connection;
mod counts;
mod join;
mod serve;
mod tell;
mod send_on;
mod epilogue;

use connection::{Connection, Owner};
use counts::Counts;
use door::{Listed, RoomRequest};
use matched::Guard;
pub(crate) use schema::SchemaDocument;
use tell::EXPORT;

/// The maximum time between scans. Sockets are read just before each tick and at equal intervals before that. Reading
/// more often would cost a system call each and gain nothing: messages are used at ticks.
const SCAN_SPACING: Duration = Duration::from_millis(50);

/// The number of requests that a room without time between its scans still answers at each scan: enough to empty its
/// door about once a second, and too few to make its ticks late.
const REQUESTS_A_SCAN: usize = 16;

/// The number of players served in one slice; other rooms of the shard have their turn between slices.
const SLICE: usize = 64;

/// The maximum number of close handshakes. Beyond it connections are closed without waiting until the goodbye has
/// arrived.
const MAX_CLOSING: usize = 1024;

/// What a room task gets from the server.
pub(crate) struct Setup {
    /// The room's id.
    pub(crate) id: Uuid,
    /// Its entry in the list of rooms, removed when dropped.
    pub(crate) listed: Listed,
    /// The requests at its door.
    pub(crate) requests: mpsc::Receiver<RoomRequest>,
    /// What it shares with other rooms.
    pub(crate) outside: Outside,
    /// The offset of the room in its tick, from 0 up to 1: rooms of a shard are staggered.
    pub(crate) phase: f32,
    /// For a room of a match: sends the news of its end when dropped.
    pub(crate) matched: Option<Guard>,
}

/// The surroundings that all rooms of an instance share. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Outside {
    /// Where results go.
    pub(crate) results: Results,
    /// Tells when to stop.
    pub(crate) stop: Stop,
    /// The clock.
    pub(crate) clock: Clock,
    /// Timeouts and intervals.
    pub(crate) timing: Timing,
    /// A deliberate fault that each room makes once, to prove that clients notice it.
    pub(crate) fault: Option<Fault>,
}

/// Why a room closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The match is over.
    Finished,
    /// Nobody is in it.
    Abandoned,
    /// The server is stopping.
    Stopping,
    /// The game panicked.
    Failed,
    /// Too few of the matched players have come.
    TooFew,
    /// It has run for years, and its tick numbers are used up.
    WornOut,
}

impl End {
    fn code(self) -> Code {
        match self {
            Self::Finished => Code::Finished,
            Self::Abandoned | Self::WornOut => Code::RoomClosed,
            Self::Stopping => Code::Stopping,
            Self::Failed => Code::GameFailed,
            Self::TooFew => Code::TooFew,
        }
    }
}

struct RoomTask<G: Game> {
    room: Room<G>,
    schema: Arc<SchemaDocument>,
    schedule: Schedule,
    /// The players' connections by seat.
    connections: Vec<Option<Connection>>,
    /// The guards of match seats, by seat. Each reports when its seat is free again.
    matched: BTreeMap<u32, Guard>,
    /// The seat that the next tick serves first.
    first: usize,
    /// The time until which matched players may still be on their way.
    expected_until: Duration,
    /// The read buffer for player messages.
    inbox: Inbox,
    /// The frame to be written, and the buffer in which it becomes a message. Both keep their memory.
    frame: Vec<u8>,
    scratch: Vec<u8>,
    closing: JoinSet<()>,
    counts: Counts,
    next_export: Duration,
    next_notice: Duration,
    setup: Setup,
}

/// Opens a room and runs it to its end.
pub(crate) async fn run<G: Game>(config: G::Config, schema: Arc<SchemaDocument>, mut setup: Setup) {
    let seed = Uuid::new_v4().as_u64_pair().0;
    match catch_unwind(AssertUnwindSafe(|| Room::<G>::open(config, seed))) {
        Ok(mut room) => {
            setup.outside.fault.into_iter().for_each(|fault| room.inject(fault));
            RoomTask::new(room, schema, setup).run().await;
        }
        Err(_) => {
            error!(room = %setup.id, game = G::NAME, "the game failed to open a room");
            RoomMetrics::new(G::NAME).panics.increment(1);
            drop(setup.listed);
            door::refuse_all(&mut setup.requests, Code::GameFailed);
        }
    }
}

impl<G: Game> RoomTask<G> {
    fn new(room: Room<G>, schema: Arc<SchemaDocument>, setup: Setup) -> Self {
        let length = room.settings().tick_length();
        let now = setup.outside.clock.now();
        Self {
            schedule: Schedule::new(now + length.mul_f32(setup.phase.clamp(0.0, 1.0)), length),
            room,
            schema,
            connections: Vec::new(),
            matched: BTreeMap::new(),
            expected_until: if setup.matched.is_some() { now + RESERVED } else { now },
            first: 0,
            inbox: Inbox::new(),
            frame: Vec::new(),
            scratch: Vec::new(),
            closing: JoinSet::new(),
            counts: Counts::new(RoomMetrics::new(G::NAME)),
            next_export: now + EXPORT,
            next_notice: now,
            setup,
        }
    }

    async fn run(mut self) {
        info!(room = %self.setup.id, game = G::NAME, "room opened");
        let mut end = match self.live().await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        if end == End::Finished {
            end = self.conclude().await.err().unwrap_or(end);
        }
        self.finish(end).await;
    }

    /// The main loop: requests until the next scan, a scan, and a tick when it is due.
    async fn live(&mut self) -> Result<Infallible, End> {
        loop {
            self.wait().await?;
            self.scan().await?;
            if self.now() >= self.schedule.deadline() {
                self.tick().await?;
            }
        }
    }

    /// Answers requests until the next scan is due, and at least some of them if it is overdue.
    async fn wait(&mut self) -> Result<(), End> {
        for _ in 0..REQUESTS_A_SCAN {
            let Ok(request) = self.setup.requests.try_recv() else { break };
            self.handle(request)?;
        }
        let wake = self.setup.outside.clock.at(self.next_scan());
        loop {
            tokio::select! {
                biased;
                () = self.setup.outside.stop.requested() => return Err(End::Stopping),
                () = sleep_until(wake) => return Ok(()),
                Some(request) = self.setup.requests.recv() => self.handle(request)?,
            }
        }
    }

    /// The time of the next scan. Scans divide the time to the deadline evenly; the last is at the deadline.
    fn next_scan(&self) -> Duration {
        let (now, deadline) = (self.now(), self.schedule.deadline());
        let length = self.room.settings().tick_length();
        let part = length / (length.as_micros().div_ceil(SCAN_SPACING.as_micros()).max(1) as u32);
        let left = deadline.saturating_sub(now).as_nanos().saturating_sub(1) / part.as_nanos().max(1);
        deadline.saturating_sub(part * u32::try_from(left).unwrap_or(0))
    }

    /// Reads the players' messages.
    async fn scan(&mut self) -> Result<(), End> {
        let (now, seats) = (self.now(), self.connections.len());
        for slice in slices(seats) {
            if slice.start > 0 {
                yield_now().await;
            }
            self.guarded(|task| slice.for_each(|index| task.scan_one((task.first + index) % seats, now)))?;
        }
        Ok(())
    }

    fn scan_one(&mut self, index: usize, now: Duration) {
        let Some(connection) = &mut self.connections[index] else { return };
        let seat = SeatId(index as u32);
        if let Err(gone) = connection.scan(&mut self.inbox, now, |message| self.room.receive(seat, message, now)) {
            self.close(seat, gone, now);
        }
    }

    /// Steps the room, and writes everybody's frame when frames are due.
    async fn tick(&mut self) -> Result<(), End> {
        let now = self.now();
        let lateness = self.schedule.begin(now);
        self.room.schedule_moved(self.schedule.moved());
        let due = self.guarded(|task| task.room.step(now))?;
        self.close_lost_seats();
        let mut spent = self.now().saturating_sub(now);
        if due {
            spent += self.send(now).await?;
        }
        self.counts.tick(lateness, spent);
        self.export(now)?;
        self.tell_lobby(now);
        if let Some(result) = self.room.authority().finished() {
            self.setup.outside.results.tell(self.setup.id, G::NAME, result);
            return Err(End::Finished);
        }
        if self.is_over_for_all(now) {
            return Err(End::Abandoned);
        }
        if self.room.authority().is_worn_out() {
            return Err(End::WornOut);
        }
        // A room that is late must not keep its shard from its other sockets.
        yield_now().await;
        Ok(())
    }

    /// Whether nobody plays in it, nor is on the way, and it need not wait for anybody: a server that drains does not.
    fn is_over_for_all(&self, now: Duration) -> bool {
        let authority = self.room.authority();
        authority.players() == 0
            && (authority.is_abandoned(now) || self.setup.outside.stop.is_draining())
            && now >= self.expected_until
            && !self.setup.listed.awaits_somebody()
    }

    /// Ends a connection: tells its player the reason, and the room what becomes of the seat.
    fn close(&mut self, seat: SeatId, gone: Gone, now: Duration) {
        self.dismiss(seat, gone);
        match gone {
            Gone::Lost | Gone::Silent => self.room.disconnect(seat, now),
            Gone::Closing(Code::Left) => self.room.remove(seat, Leave::Quit),
            Gone::Closing(code) if !code.is_final() => self.room.disconnect(seat, now),
            Gone::Closing(_) | Gone::Older => self.room.remove(seat, Leave::Removed),
        }
        self.tell_occupancy();
    }

    /// Closes the connections of seats that the room freed by itself. Most of these have none any more.
    fn close_lost_seats(&mut self) {
        let lost: Vec<_> = self.room.closed().collect();
        for (seat, code) in &lost {
            self.dismiss(*seat, Gone::Closing(*code));
        }
        if !lost.is_empty() {
            self.tell_occupancy();
        }
    }

    /// Closes a seat's connection with a goodbye, if it has one.
    fn dismiss(&mut self, seat: SeatId, gone: Gone) {
        let Some(connection) = self.connections.get_mut(seat.0 as usize).and_then(Option::take) else { return };
        let (frames, client) = (self.room.frames_handed(seat), connection.peer());
        let Owner { player, session, .. } = connection.owner();
        debug!(room = %self.setup.id, seat = seat.0, player = player.0, %session, %client, reason = %gone, frames, "player's connection closed");
        let patience =
            if self.closing.len() < MAX_CLOSING { self.setup.outside.timing.close_handshake } else { Duration::ZERO };
        if let Some(socket) = connection.into_socket() {
            self.closing.spawn(socket::close_handshake(socket, gone, frames, patience));
        }
    }

    /// Closes the room: removes it from the list, refuses waiting requests, tells the players, and returns when their
    /// connections are closed.
    async fn finish(mut self, end: End) {
        let code = end.code();
        info!(room = %self.setup.id, game = G::NAME, reason = %code, players = self.counts.current_players(), "room closed");
        for index in 0..self.connections.len() {
            let _ = self.guarded(|task| task.dismiss(SeatId(index as u32), Gone::Closing(code)));
        }
        let _ = self.guarded(|task| {
            let stats = task.room.stats();
            task.counts.export(&stats);
        });
        let Self { room, counts, setup, mut closing, .. } = self;
        let Setup { listed, mut requests, .. } = setup;
        if end == End::Failed {
            counts.panicked();
        }
        drop((listed, counts));
        door::refuse_all(&mut requests, code);
        // A failed game may panic again when it is dropped.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(room)));
        while closing.join_next().await.is_some() {}
    }

    /// Runs code that may call the game: a panic ends this room and nothing else.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Result<T, End> {
        catch_unwind(AssertUnwindSafe(|| work(self))).map_err(|_| End::Failed)
    }

    fn now(&self) -> Duration {
        self.setup.outside.clock.now()
    }
}

/// Splits `0..len` into parts of [`SLICE`].
fn slices(len: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(SLICE).map(move |start| start..len.min(start + SLICE))
}
