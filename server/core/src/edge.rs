//! The edge of a room decides what each player gets at a tick: views, versions, throttling, shared bodies, events.
//!
//! A seat is *steady* when it was handed everything up to the last commit. Steady seats with the same views, now and
//! before, share one body, which is assembled once from chunks that are encoded once; each needs only a head, a copy
//! and an own part of its own. A seat that has just entered, was throttled or passed over, has resynced, or needs more
//! than fits gets a body gathered for it alone, and is steady again once nothing is left behind. A seat is *throttled*
//! by its lag, *passed over* by its pace at send ticks that are not its turn, and gets its first frames as fast as its
//! line takes them.

use std::time::Duration;

use tiltyard_shared::{
    frame::{Head, Settled},
    game::Tick,
    protocol::{Code, capabilities},
    world::{Committed, Fault, GroupId},
};

use crate::{
    authority::{Event, History, Listener, Published, SeatHistory},
    events::Entry,
    seat::SeatId,
    views::ViewId,
};

mod bounds;
mod lag;
mod pace;
mod first;
mod seat;
mod chunks;
mod body;
mod common;
mod gather;
mod hear;

pub use bounds::Bounds;
use common::Common;
use first::First;
pub use hear::Up;
use pace::Pace;
use seat::{EdgeSeat, Standing};

/// The facts that a frame depends on, beside the world.
#[derive(Clone, Copy, Debug)]
struct Situation<'a> {
    /// The time.
    now: Duration,
    /// The round trip of the seat's connection.
    rtt: Duration,
    /// The sorted view that the game wants.
    view: &'a [GroupId],
    /// The view's number at this edge.
    number: ViewId,
    /// The player's own group, if any.
    own: Option<GroupId>,
    /// How far inputs are settled.
    settled: Settled,
    /// The number of ticks by which the schedule has been moved.
    moved: u32,
    /// No frame follows: a client that can take it gets everything at once.
    last: bool,
}

/// Counters of an edge since its creation.
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
    /// Resyncs and resumes.
    pub resyncs: u64,
    /// How often a seat became throttled.
    pub throttles: u64,
    /// Frames that told of lost events.
    pub events_lost: u64,
    /// Groups left for a later frame.
    pub deferred: u64,
    /// Pieces of frames too large to be sent in one go.
    pub pieces: u64,
    /// Changes of a seat's pace.
    pub paces: u64,
    /// Resyncs that were ignored because their epoch was not above the current one.
    pub stale_resyncs: u64,
}

/// The edge of one room.
#[derive(Debug)]
pub struct Edge {
    seats: Vec<Option<EdgeSeat>>,
    common: Common,
    /// Whether the seat served last was given another view.
    gave: bool,
}

impl Edge {
    /// With no seats and no events.
    pub fn new(bounds: Bounds) -> Self {
        Self { seats: Vec::new(), common: Common::new(bounds), gave: false }
    }

    /// The counters.
    pub fn stats(&self) -> EdgeStats {
        EdgeStats { chunks: self.common.chunks.encoded, ..self.common.stats }
    }

    /// The number of throttled seats.
    pub fn throttled(&self) -> usize {
        self.seats.iter().flatten().filter(|seat| seat.throttled.is_some()).count()
    }

    /// Puts a deliberate fault into the next delta that has a place for it, to prove that clients notice.
    pub fn inject(&mut self, fault: Fault) {
        self.common.chunks.fault = Some(fault);
    }

    /// Opens a seat. Its first frame states everything.
    pub fn open(&mut self, id: SeatId, verify: bool) {
        self.close(id);
        let index = id.index();
        if index >= self.seats.len() {
            self.seats.resize_with(index + 1, || None);
        }
        self.seats[index] = Some(EdgeSeat::new(self.common.event, verify));
    }

    /// Closes a seat for good.
    pub fn close(&mut self, id: SeatId) {
        if let Some(seat) = self.seats.get_mut(id.index()).and_then(Option::take) {
            self.common.views.release(seat.view);
        }
    }

    /// Calls `attach` for each seat that begins or ceases to need a view: a throttled seat and one without a connection
    /// need none.
    pub fn look(&mut self, mut attach: impl FnMut(SeatId, bool)) {
        for (index, seat) in self.seats.iter_mut().enumerate() {
            if let Some(seat) = seat
                && seat.attached != seat.wants_view()
            {
                seat.attached = !seat.attached;
                attach(SeatId(index as u32), seat.attached);
            }
        }
    }

    /// Whether a seat's next frame may need a view.
    pub fn wants_view(&self, id: SeatId) -> bool {
        self.seats.get(id.index()).and_then(Option::as_ref).is_some_and(EdgeSeat::wants_view)
    }

    /// Takes what the authority publishes at a step. If frames are due, everything made for the previous commit is
    /// dropped, and each seat is to be served by [`Edge::frame`] or [`Edge::throttle`].
    pub fn publish(&mut self, published: &Published<'_>) {
        for event in published.events {
            self.take_event(event);
        }
        if !published.due {
            return;
        }
        for &(id, number, code) in published.refused {
            if let Some(seat) = seat(&mut self.seats, id) {
                seat.refuse(number, code);
            }
        }
        let Common { event, event_committed, event_before, logs, views, chunks, .. } = &mut self.common;
        *event_before = std::mem::replace(event_committed, *event);
        let confirmed = self.seats.iter().flatten().flat_map(|seat| seat.confirmed_by_group(views));
        logs.forget(*event_before, confirmed);
        chunks.clear();
        views.begin_commit();
    }

    fn take_event(&mut self, event: &Event) {
        let Common { event: last, logs, bounds, .. } = &mut self.common;
        *last = event.number;
        let entry = Entry { number: event.number, bytes: event.bytes.clone() };
        match event.to {
            Listener::Group(group) => logs.insert(group, entry, bounds.keep()),
            Listener::Seat(id) => {
                if let Some(seat) = seat(&mut self.seats, id) {
                    seat.queue.insert(entry, bounds.keep());
                }
            }
        }
    }

    /// After [`Self::frame`]: the number of the last event before, if the client was given another view.
    pub fn gave(&self) -> Option<u64> {
        self.gave.then_some(self.common.event_before)
    }

    /// The number up to which a seat's client has consumed its events.
    pub fn confirmed(&self, id: SeatId) -> u64 {
        self.seats.get(id.index()).and_then(Option::as_ref).map_or(0, EdgeSeat::consumed)
    }

    /// The edge of a restored room: its seats wait for their clients, who say what they hold.
    pub fn again(bounds: Bounds, history: History<'_>) -> Self {
        let mut edge = Self::new(bounds);
        let History { tick, event, logs, seats } = history;
        let common = &mut edge.common;
        (common.event, common.event_committed, common.event_before) = (event, event, event);
        common.logs = logs.clone();
        for SeatHistory { seat, view, own, owed } in seats {
            edge.seats.resize_with(edge.seats.len().max(seat.index() + 1), || None);
            let entering = Standing::entering(event);
            let (standings, own) = (vec![entering; view.len()], own.map(|own| (own, entering)));
            let view = common.views.acquire(view);
            edge.seats[seat.index()] = Some(EdgeSeat { view, standings, own, ..EdgeSeat::again(tick, event, owed) });
        }
        edge
    }

    /// Sets what the client on a seat's new connection understands: bits of [`capabilities`].
    pub fn understands(&mut self, id: SeatId, bits: u64) {
        if let Some(seat) = seat(&mut self.seats, id) {
            seat.first.pieces = bits & capabilities::PIECES != 0;
            seat.pace = Pace::new(bits & capabilities::PACE != 0);
        }
    }

    /// Sets how many bytes a second a seat's socket carries, as measured while it was blocked.
    pub fn set_rate(&mut self, id: SeatId, rate: u32) {
        if let Some(seat) = seat(&mut self.seats, id) {
            seat.first.set_rate(rate);
        }
    }

    /// Notes that a seat's blocked socket has taken bytes.
    pub fn drained(&mut self, id: SeatId, now: Duration) {
        if let Some(seat) = seat(&mut self.seats, id) {
            seat.drained(now);
        }
    }

    /// The pace `n` of a seat, if its client must be told of it: it gets a frame at every `n`-th send tick.
    pub fn take_pace(&mut self, id: SeatId) -> Option<u32> {
        let pace = seat(&mut self.seats, id)?.pace.take_untold();
        self.common.stats.paces += u64::from(pace.is_some());
        pace
    }

    /// Notes that a seat's connection is gone.
    pub fn disconnect(&mut self, id: SeatId, world: &Committed, now: Duration) {
        if let Some(seat) = seat(&mut self.seats, id) {
            seat.connected = false;
        }
        self.throttle(id, world, now);
    }

    /// Serves a seat without a frame, because its socket is blocked or gone. It is throttled until everything handed
    /// over is applied; but not during its first frames, as long as they move.
    pub fn throttle(&mut self, id: SeatId, world: &Committed, now: Duration) {
        if let Some(seat) = seat(&mut self.seats, id) {
            if seat.pace.is_turn() {
                seat.pace.note_due();
            }
            if seat.first.is_over() || seat.first.is_stuck(seat.unapplied_bytes, now) {
                self.common.stats.throttles += u64::from(seat.throttled.is_none());
                seat.throttled.get_or_insert(now);
            }
            seat.pass_over(&self.common.views, world);
        }
    }

    /// The time since which a seat has been throttled.
    pub fn throttled_since(&self, id: SeatId) -> Option<Duration> {
        self.seats.get(id.index())?.as_ref()?.throttled
    }

    /// Whether a seat was passed over at the last commit: it was throttled, not its turn, or had enough under way.
    pub fn was_passed_over(&self, id: SeatId) -> bool {
        self.seats.get(id.index()).and_then(Option::as_ref).is_some_and(|seat| seat.passed_over)
    }

    /// The epoch of a seat.
    pub fn epoch(&self, id: SeatId) -> u32 {
        self.seats.get(id.index()).and_then(Option::as_ref).map_or(0, |seat| seat.epoch)
    }

    /// The number of frames handed over to a seat.
    pub fn frames(&self, id: SeatId) -> u64 {
        self.seats.get(id.index()).and_then(Option::as_ref).map_or(0, |seat| seat.frames)
    }

    /// Serves a seat: fills `out` with its frame of this commit, or with a piece of one. Returns false if it has none:
    /// it is passed over, or nothing is new. Refused inputs are consumed only by a frame that can tell them.
    ///
    /// # Errors
    ///
    /// [`Code::ViewTooLarge`] if a chunk of its view is above [`Bounds::chunk`].
    pub fn frame(
        &mut self,
        id: SeatId,
        published: &Published<'_>,
        now: Duration,
        rtt: Duration,
        out: &mut Vec<u8>,
    ) -> Result<bool, Code> {
        out.clear();
        self.gave = false;
        let Some(seat) = self.seats.get_mut(id.index()).and_then(Option::as_mut) else { return Ok(false) };
        let (common, world, state) = (&mut self.common, published.world, published.seat(id));
        let situation = &common.situation(state, published, now, rtt);
        if let Some(resync) = seat.take_pending_resync(now) {
            seat.unsteady(&common.views, world);
            seat.begin_epoch(resync, now);
            common.stats.resyncs += 1;
        }
        let cut = seat.first.is_cut();
        if cut || !situation.last && (!seat.pace.is_turn() || common.withholds(seat, situation)) {
            seat.pass_over(&common.views, world);
            return Ok(cut && common.write_piece(seat, now, out));
        }
        if state.view.is_none() {
            seat.pass_over(&common.views, world);
            return Ok(false);
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
        head.refused.extend(seat.refused.drain(..));
        let before = seat.view;
        let shared = match seat.steady && !seat.start {
            true => common.write_shared(seat, world, situation, &mut head, out),
            false => None,
        };
        let written = match shared {
            Some(written) => written,
            None => common.write_gathered(seat, world, situation, &mut head, out)?,
        };
        self.gave = seat.view != before;
        seat.served = world.tick();
        if written {
            common.hand_over(seat, world.tick(), situation, out);
        }
        Ok(written)
    }

    /// After [`Self::frame`]: writes the next piece of its frame, for a socket that takes more at once. Returns false
    /// if there is none.
    pub fn piece(&mut self, id: SeatId, now: Duration, out: &mut Vec<u8>) -> bool {
        out.clear();
        seat(&mut self.seats, id).is_some_and(|seat| self.common.write_piece(seat, now, out))
    }
}

/// Most ticks between frames. Heads shorten ticks to 16 bits; long before those are ambiguous, a start states all in
/// full.
const LONGEST_SILENCE: u32 = 1 << 15;

fn seat(seats: &mut [Option<EdgeSeat>], id: SeatId) -> Option<&mut EdgeSeat> {
    seats.get_mut(id.index())?.as_mut()
}
