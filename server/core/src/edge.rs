//! Who gets what this tick: views, versions, held players, shared bodies, events.
//!
//! A seat is *steady* while it was handed everything up to the last commit. Steady seats whose views are (and were) the
//! same share one body, assembled once from chunks that are encoded once; what is left for each is a head, a copy and an
//! own part. Whoever entered, was held, has jumped, or needs more than fits gets a body gathered for it alone,
//! and is steady again once nothing is left behind. The words are DESIGN's: *handed*, *since*, *entry*, *held*, *jump*.

use std::time::Duration;

use tiltyard_shared::{
    frame::{Head, Settled},
    protocol::{Code, Report, Resync, limits},
    world::{Committed, Fault, GroupId},
};

mod body;
mod chunks;
mod events;
mod gather;
mod seat;
mod views;

use body::Bodies;
use chunks::Chunks;
use events::{Entry, Logs};
use seat::{EdgeSeat, Standing};
use views::{ViewId, Views};

/// How large frames may be. The defaults are [`limits`]; tests use small ones.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most bytes of a frame, unless a single chunk is larger.
    pub frame: usize,
    /// Most bytes of events in a frame.
    pub events: usize,
    /// Most bytes of a chunk.
    pub chunk: usize,
    /// Most events that a group's log or a seat's queue keeps; the oldest is dropped for a new one, and whom it was owed is
    /// told.
    pub log_events: usize,
    /// Most bytes of their events; the same.
    pub log_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            frame: limits::FRAME_BYTES,
            events: limits::FRAME_EVENT_BYTES,
            chunk: limits::CHUNK_BYTES,
            log_events: 512,
            log_bytes: 64 * 1024,
        }
    }
}

/// A place in a room: a dense index, given again after its player has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatId(pub u32);

/// What a frame needs to know beside the world.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The time.
    pub now: Duration,
    /// The round trip of the seat's connection.
    pub rtt: Duration,
    /// The sorted view that the game wants.
    pub view: &'a [GroupId],
    /// The player's own group, if there is one.
    pub own: Option<GroupId>,
    /// Up to where inputs are settled.
    pub settled: Settled,
    /// By how many ticks the schedule has been moved.
    pub moved: u32,
}

/// What the edge has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EdgeStats {
    /// Frames handed over.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Chunks encoded: deltas, catch-ups, snapshots.
    pub chunks: [u64; 3],
    /// Bodies assembled to be shared.
    pub shared_bodies: u64,
    /// Bodies gathered for one seat.
    pub gathered_bodies: u64,
    /// Jumps and resumes.
    pub jumps: u64,
    /// How often a seat began to be held.
    pub holds: u64,
    /// Frames that said that events owed had been dropped.
    pub events_lost: u64,
    /// Groups left for a later frame.
    pub deferred: u64,
}

/// The edge of one room.
#[derive(Debug)]
pub struct Edge {
    seats: Vec<Option<EdgeSeat>>,
    common: Common,
}

/// What the seats of a room share.
#[derive(Debug)]
struct Common {
    bounds: Bounds,
    views: Views,
    chunks: Chunks,
    bodies: Bodies,
    logs: Logs,
    /// The number of the last event: now, at the last commit, at the one before.
    event: u64,
    event_committed: u64,
    event_before: u64,
    own: OwnPart,
    /// Where a seat's new standings are made.
    standings: Vec<Standing>,
    stats: EdgeStats,
}

/// The own part of the seat that is being served.
#[derive(Debug, Default)]
struct OwnPart {
    bytes: Vec<u8>,
    events: usize,
}

impl Edge {
    /// No seats, no events.
    pub fn new(bounds: Bounds) -> Self {
        let common = Common {
            bounds,
            views: Views::new(),
            chunks: Chunks::default(),
            bodies: Bodies::default(),
            logs: Logs::default(),
            event: 0,
            event_committed: 0,
            event_before: 0,
            own: OwnPart::default(),
            standings: Vec::new(),
            stats: EdgeStats::default(),
        };
        Self { seats: Vec::new(), common }
    }

    /// What was counted so far.
    pub fn stats(&self) -> EdgeStats {
        EdgeStats { chunks: self.common.chunks.encoded, ..self.common.stats }
    }

    /// How many seats are held now.
    pub fn held(&self) -> usize {
        self.seats.iter().flatten().filter(|seat| seat.held.is_some()).count()
    }

    /// Makes a deliberate fault in the next delta that offers a place for it, to prove that clients notice.
    pub fn inject(&mut self, fault: Fault) {
        self.common.chunks.fault = Some(fault);
    }

    /// Opens a seat: its first frame will state everything.
    pub fn open(&mut self, id: SeatId, verify: bool) {
        let place = id.0 as usize;
        if place >= self.seats.len() {
            self.seats.resize_with(place + 1, || None);
        }
        self.seats[place] = Some(EdgeSeat::new(self.common.event, verify));
    }

    /// Closes a seat for good.
    pub fn close(&mut self, id: SeatId) {
        if let Some(seat) = self.seats.get_mut(id.0 as usize).and_then(Option::take) {
            self.common.views.release(seat.view);
        }
    }

    /// An event for everyone who sees a group.
    pub fn broadcast(&mut self, group: GroupId, bytes: Vec<u8>) {
        let Common { event, logs, bounds, .. } = &mut self.common;
        *event += 1;
        logs.insert(group, Entry { number: *event, bytes: bytes.into_boxed_slice() }, bounds);
    }

    /// An event for one seat.
    pub fn send(&mut self, id: SeatId, bytes: Vec<u8>) {
        self.common.event += 1;
        if let Some(seat) = seat(&mut self.seats, id) {
            seat.queue
                .insert(Entry { number: self.common.event, bytes: bytes.into_boxed_slice() }, &self.common.bounds);
        }
    }

    /// The world has been committed: what was made for the commit before is forgotten. Then every seat is to be served,
    /// by [`Edge::frame`] or [`Edge::hold`].
    pub fn begin_commit(&mut self) {
        let Common { event, event_committed, event_before, logs, views, chunks, .. } = &mut self.common;
        *event_before = std::mem::replace(event_committed, *event);
        logs.forget(*event_before, self.seats.iter().flatten().flat_map(|seat| seat.confirmed_by_group(views)));
        chunks.clear();
        views.begin_commit();
    }

    /// Takes what a client has applied.
    pub fn report(&mut self, id: SeatId, report: Report) {
        if let Some(seat) = seat(&mut self.seats, id) {
            seat.report(report);
        }
    }

    /// Takes a client's wish to go on from elsewhere. One that comes within [`limits::RESYNC_SPACING`] of the last waits.
    ///
    /// # Errors
    ///
    /// [`Code::StaleEpoch`] if the epoch is not above the current one: the wish is ignored.
    pub fn jump(&mut self, id: SeatId, world: &Committed, jump: Resync, now: Duration) -> Result<(), Code> {
        let Some(seat) = seat(&mut self.seats, id) else { return Ok(()) };
        if jump.epoch <= seat.epoch {
            return Err(Code::StaleEpoch);
        }
        if seat.last_jump.is_some_and(|last| now.saturating_sub(last) < limits::RESYNC_SPACING) {
            seat.pending_jump = Some(jump);
        } else {
            unsteady(seat, &self.common.views, world);
            seat.begin_epoch(jump, now);
            self.common.stats.jumps += 1;
        }
        Ok(())
    }

    /// A client is back on another connection: like a jump, at once.
    ///
    /// # Errors
    ///
    /// [`Code::StaleEpoch`], as for a jump.
    pub fn resume(
        &mut self,
        id: SeatId,
        world: &Committed,
        jump: Resync,
        verify: bool,
        now: Duration,
    ) -> Result<(), Code> {
        if let Some(seat) = seat(&mut self.seats, id) {
            seat.last_jump = None;
            seat.verify = verify;
        }
        self.jump(id, world, jump, now)
    }

    /// Serves a seat without a frame: its socket is blocked, or gone. It is held until all it was handed is applied.
    pub fn hold(&mut self, id: SeatId, world: &Committed, now: Duration) {
        if let Some(seat) = seat(&mut self.seats, id) {
            unsteady(seat, &self.common.views, world);
            self.common.stats.holds += u64::from(seat.held.is_none());
            seat.held.get_or_insert(now);
        }
    }

    /// Since when a seat has been held.
    pub fn held_since(&self, id: SeatId) -> Option<Duration> {
        self.seats.get(id.0 as usize)?.as_ref()?.held
    }

    /// The epoch of a seat.
    pub fn epoch(&self, id: SeatId) -> u32 {
        self.seats.get(id.0 as usize).and_then(Option::as_ref).map_or(0, |seat| seat.epoch)
    }

    /// How many frames were handed over to a seat.
    pub fn frames(&self, id: SeatId) -> u64 {
        self.seats.get(id.0 as usize).and_then(Option::as_ref).map_or(0, |seat| seat.frames)
    }

    /// Serves a seat: fills `out` with its frame of this commit. False if there is none: it is held, or nothing is new.
    ///
    /// # Errors
    ///
    /// [`Code::ViewTooLarge`] if a chunk of its view is above [`Bounds::chunk`].
    pub fn frame(
        &mut self,
        id: SeatId,
        world: &Committed,
        situation: &Situation<'_>,
        refused: impl ExactSizeIterator<Item = (u32, Code)>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Code> {
        out.clear();
        let Some(seat) = self.seats.get_mut(id.0 as usize).and_then(Option::as_mut) else { return Ok(false) };
        let Situation { now, rtt, .. } = *situation;
        if let Some(jump) = seat.pending_jump
            && seat.last_jump.is_none_or(|last| now.saturating_sub(last) >= limits::RESYNC_SPACING)
        {
            unsteady(seat, &self.common.views, world);
            seat.begin_epoch(jump, now);
            self.common.stats.jumps += 1;
        }
        if seat.held.is_some() && seat.unapplied.is_empty() {
            seat.held = None;
        }
        if seat.held.is_some() || seat.lags(now, rtt) {
            self.hold(id, world, now);
            return Ok(false);
        }
        let mut head = Head {
            epoch: seat.epoch,
            tick: world.tick(),
            start: seat.start,
            inputs: (seat.start || situation.settled.number != seat.told_settled).then_some(situation.settled),
            moved: (seat.start || situation.moved != seat.told_moved).then_some(situation.moved),
            ..Head::default()
        };
        if refused.len() > 0 {
            head.refused.extend(refused);
        }
        let common = &mut self.common;
        let shared = match seat.steady && !seat.start {
            true => common.write_shared(seat, world, situation, &mut head, out),
            false => None,
        };
        let written = match shared {
            Some(written) => written,
            None => common.write_gathered(seat, world, situation, &mut head, out)?,
        };
        seat.served = world.tick();
        if written {
            seat.note_frame(world.tick(), out.len(), situation);
            common.stats.frames += 1;
            common.stats.bytes += out.len() as u64;
        }
        Ok(written)
    }
}

impl Common {
    /// Before a seat's view becomes another: events of the groups that leave it go to the seat's own queue, unless they are
    /// confirmed. Doing it twice does no harm.
    fn keep_events_of_leaving(&self, seat: &mut EdgeSeat, view: ViewId) {
        let stay = self.views.groups(view);
        let leaving = self.views.groups(seat.view).iter().zip(&seat.standings);
        for (group, standing) in leaving.filter(|(group, _)| stay.binary_search(group).is_err()) {
            let Some(log) = self.logs.get(*group) else { continue };
            let confirmed = seat.confirmed_event.max(standing.entry);
            if log.dropped > confirmed {
                seat.queue.dropped = seat.queue.dropped.max(log.dropped);
            }
            for entry in log.above(confirmed) {
                seat.queue.insert(entry.clone(), &self.bounds);
            }
        }
    }

    /// Gives a seat its new view: groups that stay keep their standing, others begin with `entering`.
    fn change_view(&mut self, seat: &mut EdgeSeat, view: ViewId, entering: Standing) {
        if view == seat.view {
            return;
        }
        let old = self.views.groups(seat.view);
        let standing = |group: &GroupId| old.binary_search(group).map_or(entering, |place| seat.standings[place]);
        self.standings.clear();
        self.standings.extend(self.views.groups(view).iter().map(standing));
        std::mem::swap(&mut self.standings, &mut seat.standings);
        self.views.release(seat.view);
        seat.view = view;
    }
}

fn seat(seats: &mut [Option<EdgeSeat>], id: SeatId) -> Option<&mut EdgeSeat> {
    seats.get_mut(id.0 as usize)?.as_mut()
}

/// Writes down what a steady seat was handed, because from now on that differs from what the others were.
fn unsteady(seat: &mut EdgeSeat, views: &Views, world: &Committed) {
    if !std::mem::take(&mut seat.steady) {
        return;
    }
    let handed =
        |group| if seat.served == world.tick() { world.group(group).version } else { world.version_before(group) };
    for (group, standing) in views.groups(seat.view).iter().zip(&mut seat.standings) {
        standing.handed = handed(*group);
    }
    if let Some((group, standing)) = &mut seat.own {
        standing.handed = handed(*group);
    }
}
