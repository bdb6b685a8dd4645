//! Who gets what this tick: views, versions, throttled players, shared bodies, events.
//!
//! A seat is *steady* while it was handed everything up to the last commit. Steady seats whose views are (and were) the
//! same share one body, assembled once from chunks that are encoded once; what is left for each is a head, a copy and
//! an own part. Whoever entered, was throttled or passed over, has resynced, or needs more than fits gets a body
//! gathered for it alone, and is steady again once nothing is left behind. A seat is *throttled* by its lag, *passed
//! over* at send ticks that are not its own by its pace, and gets its first frames as its line takes them.

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

/// What a frame needs to know beside the world.
#[derive(Clone, Copy, Debug)]
struct Situation<'a> {
    /// The time.
    now: Duration,
    /// The round trip of the seat's connection.
    rtt: Duration,
    /// The sorted view that the game wants.
    view: &'a [GroupId],
    /// Its number here.
    number: ViewId,
    /// The player's own group, if there is one.
    own: Option<GroupId>,
    /// Up to where inputs are settled.
    settled: Settled,
    /// By how many ticks the schedule has been moved.
    moved: u32,
    /// No other frame follows: whoever can take it gets all at once.
    last: bool,
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
    /// Resyncs and resumes.
    pub resyncs: u64,
    /// How often a seat began to be throttled.
    pub throttles: u64,
    /// Frames that said that events owed had been dropped.
    pub events_lost: u64,
    /// Groups left for a later frame.
    pub deferred: u64,
    /// Pieces of frames too large to be sent in one go.
    pub pieces: u64,
    /// How often a seat was given another pace.
    pub paces: u64,
    /// Resyncs that were ignored because their epoch was not above the current one.
    pub stale_resyncs: u64,
}

/// The edge of one room.
#[derive(Debug)]
pub struct Edge {
    seats: Vec<Option<EdgeSeat>>,
    common: Common,
    /// Whether the seat that was served last was given another view.
    gave: bool,
}

impl Edge {
    /// No seats, no events.
    pub fn new(bounds: Bounds) -> Self {
        Self { seats: Vec::new(), common: Common::new(bounds), gave: false }
    }

    /// What was counted so far.
    pub fn stats(&self) -> EdgeStats {
        EdgeStats { chunks: self.common.chunks.encoded, ..self.common.stats }
    }

    /// How many seats are throttled now.
    pub fn throttled(&self) -> usize {
        self.seats.iter().flatten().filter(|seat| seat.throttled.is_some()).count()
    }

    /// Makes a deliberate fault in the next delta that offers a place for it, to prove that clients notice.
    pub fn inject(&mut self, fault: Fault) {
        self.common.chunks.fault = Some(fault);
    }

    /// Opens a seat: its first frame will state everything.
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

    /// Tells which seats are to have a view from now on, and which none: who is throttled or has no connection needs
    /// none.
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

    /// Takes what the authority says of a step. If frames are due, what was made for the commit before is forgotten, and every
    /// seat is to be served, by [`Edge::frame`] or [`Edge::throttle`].
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

    /// After [`Self::frame`]: the last event before, if the client was given another view.
    pub fn gave(&self) -> Option<u64> {
        self.gave.then_some(self.common.event_before)
    }

    /// Up to where a seat's client has consumed the events that are owed to it.
    pub fn confirmed(&self, id: SeatId) -> u64 {
        self.seats.get(id.index()).and_then(Option::as_ref).map_or(0, EdgeSeat::consumed)
    }

    /// The edge of a room that was made again: the seats wait for their clients, who say what they hold.
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

    /// A seat's connection is gone.
    pub fn disconnect(&mut self, id: SeatId, world: &Committed, now: Duration) {
        if let Some(seat) = seat(&mut self.seats, id) {
            seat.connected = false;
        }
        self.throttle(id, world, now);
    }

    /// Serves a seat without a frame: its socket is blocked, or gone. It is throttled until all it was handed is
    /// applied; not so during its first frames, as long as they move.
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

    /// Since when a seat has been throttled.
    pub fn throttled_since(&self, id: SeatId) -> Option<Duration> {
        self.seats.get(id.index())?.as_ref()?.throttled
    }

    /// Whether a seat was passed over at the last commit: throttled, or not its turn, or with enough under way.
    pub fn was_passed_over(&self, id: SeatId) -> bool {
        self.seats.get(id.index()).and_then(Option::as_ref).is_some_and(|seat| seat.passed_over)
    }

    /// The epoch of a seat.
    pub fn epoch(&self, id: SeatId) -> u32 {
        self.seats.get(id.index()).and_then(Option::as_ref).map_or(0, |seat| seat.epoch)
    }

    /// How many frames were handed over to a seat.
    pub fn frames(&self, id: SeatId) -> u64 {
        self.seats.get(id.index()).and_then(Option::as_ref).map_or(0, |seat| seat.frames)
    }

    /// Serves a seat: fills `out` with its frame of this commit, or with a piece of one. False if there is none: it is passed
    /// over, or nothing is new. The refused inputs are taken only for a frame that can tell them.
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
    seats.get_mut(id.index())?.as_mut()
}
