//! Who gets what this tick: views, versions, held players, shared bodies, events.
//!
//! A seat is *steady* while it was handed everything up to the last commit. Steady seats whose views are (and were) the
//! same share one body, assembled once from chunks that are encoded once; what is left for each is a head, a copy and an
//! own part. Whoever entered, was held or passed over, has jumped, or needs more than fits gets a body gathered for it alone,
//! and is steady again once nothing is left behind. A seat is *held* by its lag, *passed over* at send ticks that are not its
//! own by its pace, and gets its first frames as its line takes them.

use std::time::Duration;

use tiltyard_shared::{
    frame::{Head, Settled},
    game::Tick,
    protocol::{Code, Report, Resync, capabilities, limits},
    world::{Committed, Fault, GroupId},
};

mod bounds;
mod events;
mod views;
mod lag;
mod pace;
mod first;
mod seat;
mod chunks;
mod body;
mod common;
mod gather;

pub use bounds::Bounds;
use common::Common;
use events::Entry;
use first::First;
use pace::Pace;
use seat::{EdgeSeat, Standing};

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
    /// No other frame follows: whoever can take it gets all at once.
    pub last: bool,
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
    /// Pieces of frames too large to be sent in one go.
    pub pieces: u64,
    /// How often a seat was given another pace.
    pub paces: u64,
}

/// The edge of one room.
#[derive(Debug)]
pub struct Edge {
    seats: Vec<Option<EdgeSeat>>,
    common: Common,
}

impl Edge {
    /// No seats, no events.
    pub fn new(bounds: Bounds) -> Self {
        Self { seats: Vec::new(), common: Common::new(bounds) }
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

    /// What the client on a new connection of a seat understands: bits of [`capabilities`].
    pub fn understands(&mut self, id: SeatId, bits: u64) {
        if let Some(seat) = seat(&mut self.seats, id) {
            seat.first.pieces = bits & capabilities::PIECES != 0;
            seat.pace = Pace::new(bits & capabilities::PACE != 0);
        }
    }

    /// A seat's socket carries so many bytes in a second, as was seen while it was blocked.
    pub fn set_rate(&mut self, id: SeatId, rate: u32) {
        if let Some(seat) = seat(&mut self.seats, id) {
            seat.first.set_rate(rate);
        }
    }

    /// A seat's socket that was blocked has taken bytes.
    pub fn drained(&mut self, id: SeatId, now: Duration) {
        if let Some(seat) = seat(&mut self.seats, id) {
            seat.drained(now);
        }
    }

    /// The pace of a seat, if its client is to be told of it: a frame comes at every so many-th send tick.
    pub fn take_pace(&mut self, id: SeatId) -> Option<u32> {
        let pace = seat(&mut self.seats, id)?.pace.take_untold();
        self.common.stats.paces += u64::from(pace.is_some());
        pace
    }

    /// Takes what a client has applied.
    pub fn report(&mut self, id: SeatId, report: Report, now: Duration) {
        if let Some(seat) = seat(&mut self.seats, id) {
            seat.report(report, now, &self.common.bounds);
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
            seat.unsteady(&self.common.views, world);
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
        if let Some(seat) = seat(&mut self.seats, id).filter(|seat| jump.epoch > seat.epoch) {
            seat.last_jump = None;
            seat.verify = verify;
            (seat.first, seat.pace) = (First::default(), Pace::default());
        }
        self.jump(id, world, jump, now)
    }

    /// Serves a seat without a frame: its socket is blocked, or gone. It is held until all it was handed is applied; not so
    /// during its first frames, as long as they move.
    pub fn hold(&mut self, id: SeatId, world: &Committed, now: Duration) {
        if let Some(seat) = seat(&mut self.seats, id) {
            if seat.pace.is_turn() {
                seat.pace.note_due();
            }
            if seat.first.is_over() || seat.first.is_stuck(seat.unapplied_bytes, now) {
                self.common.stats.holds += u64::from(seat.held.is_none());
                seat.held.get_or_insert(now);
            }
            seat.pass_over(&self.common.views, world);
        }
    }

    /// Since when a seat has been held.
    pub fn held_since(&self, id: SeatId) -> Option<Duration> {
        self.seats.get(id.0 as usize)?.as_ref()?.held
    }

    /// Whether a seat was passed over at the last commit: held, or not its turn, or with enough under way.
    pub fn was_passed_over(&self, id: SeatId) -> bool {
        self.seats.get(id.0 as usize).and_then(Option::as_ref).is_some_and(|seat| seat.passed_over)
    }

    /// The epoch of a seat.
    pub fn epoch(&self, id: SeatId) -> u32 {
        self.seats.get(id.0 as usize).and_then(Option::as_ref).map_or(0, |seat| seat.epoch)
    }

    /// How many frames were handed over to a seat.
    pub fn frames(&self, id: SeatId) -> u64 {
        self.seats.get(id.0 as usize).and_then(Option::as_ref).map_or(0, |seat| seat.frames)
    }

    /// Serves a seat: fills `out` with its frame of this commit, or with a piece of one. False if there is none: it is passed
    /// over, or nothing is new. The refused inputs are taken only for a frame that can tell them.
    ///
    /// # Errors
    ///
    /// [`Code::ViewTooLarge`] if a chunk of its view is above [`Bounds::chunk`].
    pub fn frame<R: Iterator<Item = (u32, Code)>>(
        &mut self,
        id: SeatId,
        world: &Committed,
        situation: &Situation<'_>,
        take_refused: impl FnOnce() -> R,
        out: &mut Vec<u8>,
    ) -> Result<bool, Code> {
        out.clear();
        let Some(seat) = self.seats.get_mut(id.0 as usize).and_then(Option::as_mut) else { return Ok(false) };
        let (common, now) = (&mut self.common, situation.now);
        if let Some(jump) = seat.take_pending_jump(now) {
            seat.unsteady(&common.views, world);
            seat.begin_epoch(jump, now);
            common.stats.jumps += 1;
        }
        let cut = seat.first.is_cut();
        if cut || !situation.last && (!seat.pace.is_turn() || common.withholds(seat, situation)) {
            seat.pass_over(&common.views, world);
            return Ok(cut && common.write_piece(seat, now, out));
        }
        seat.passed_over = false;
        if world.tick().0 - seat.newest.0 > LONGEST_SILENCE && seat.newest > Tick(0) {
            seat.restart();
        }
        let mut head = Head {
            epoch: seat.epoch,
            tick: world.tick(),
            start: seat.start,
            inputs: (seat.start || situation.settled.number != seat.told_settled).then_some(situation.settled),
            moved: (seat.start || situation.moved != seat.told_moved).then_some(situation.moved),
            ..Head::default()
        };
        head.refused.extend(take_refused());
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
            common.hand_over(seat, world.tick(), situation, out);
        }
        Ok(written)
    }

    /// The next piece of the frame of which [`Self::frame`] has given the last one, if the socket takes more at once. False if
    /// there is none.
    pub fn piece(&mut self, id: SeatId, now: Duration, out: &mut Vec<u8>) -> bool {
        out.clear();
        seat(&mut self.seats, id).is_some_and(|seat| self.common.write_piece(seat, now, out))
    }
}

/// Heads shorten ticks to 16 bits. Long before they could be mistaken, a start says everything in full.
const LONGEST_SILENCE: u32 = 1 << 15;

fn seat(seats: &mut [Option<EdgeSeat>], id: SeatId) -> Option<&mut EdgeSeat> {
    seats.get_mut(id.0 as usize)?.as_mut()
}
