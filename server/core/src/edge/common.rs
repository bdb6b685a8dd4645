//! State shared by the seats of a room, and how a seat's standings follow its view.

use std::time::Duration;

use tiltyard_shared::{game::Tick, world::GroupId};

use super::{
    Bounds, EdgeStats, Situation,
    body::Bodies,
    chunks::Chunks,
    seat::{EdgeSeat, Standing},
};
use crate::{
    authority::{Published, SeatState},
    events::Logs,
    views::{ViewId, Views},
};

/// State shared by the seats of a room.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) bounds: Bounds,
    pub(super) views: Views,
    /// For each view of the authority, by index: its number there and here.
    numbers: Vec<Option<(ViewId, ViewId)>>,
    pub(super) chunks: Chunks,
    pub(super) bodies: Bodies,
    pub(super) logs: Logs,
    /// The number of the last event: now, at the last commit, and at the one before.
    pub(super) event: u64,
    pub(super) event_committed: u64,
    pub(super) event_before: u64,
    pub(super) own: OwnPart,
    /// A buffer for a seat's new standings.
    pub(super) standings: Vec<Standing>,
    pub(super) stats: EdgeStats,
}

/// The own part of the seat that is being served.
#[derive(Debug, Default)]
pub(super) struct OwnPart {
    pub(super) bytes: Vec<u8>,
    pub(super) events: usize,
}

impl Common {
    /// The shared state of a room without players.
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            views: Views::new(),
            numbers: Vec::new(),
            chunks: Chunks::default(),
            bodies: Bodies::default(),
            logs: Logs::default(),
            event: 0,
            event_committed: 0,
            event_before: 0,
            own: OwnPart::default(),
            standings: Vec::new(),
            stats: EdgeStats::default(),
        }
    }

    /// The facts that a seat's frame depends on.
    pub(super) fn situation<'a>(
        &mut self,
        SeatState { view, own, settled }: SeatState,
        published: &Published<'a>,
        now: Duration,
        rtt: Duration,
    ) -> Situation<'a> {
        let (view, number) = match view {
            Some(view) => (published.views.groups(view), self.number_of(view, published.views)),
            None => (&[][..], Views::EMPTY),
        };
        Situation { now, rtt, view, number, own, settled, moved: published.moved, last: published.last }
    }

    /// The number of a published view at this edge.
    fn number_of(&mut self, view: ViewId, published: &Views) -> ViewId {
        let index = view.index();
        if index >= self.numbers.len() {
            self.numbers.resize(index + 1, None);
        }
        if let Some((theirs, ours)) = self.numbers[index] {
            if theirs == view {
                return ours;
            }
            self.views.release(ours);
        }
        let ours = self.views.adopt(view, published);
        self.numbers[index] = Some((view, ours));
        ours
    }

    /// Whether a seat whose turn it is gets nothing: it is throttled, becomes throttled, or has enough under way.
    pub(super) fn withholds(&mut self, seat: &mut EdgeSeat, situation: &Situation<'_>) -> bool {
        let now = situation.now;
        seat.release();
        let throttle = match seat.first.is_over() {
            true => seat.throttled.is_some() || seat.lags(now, situation.rtt),
            false => seat.first.is_stuck(seat.unapplied_bytes, now),
        };
        if throttle {
            self.stats.throttles += u64::from(seat.throttled.is_none());
            seat.throttled.get_or_insert(now);
            seat.pace.note_due();
        }
        if seat.first.is_over() && !throttle && seat.pace.is_full(seat.unapplied_bytes) {
            seat.pace.put_off();
            return true;
        }
        throttle || seat.first.is_full(seat.unapplied_bytes, &self.bounds)
    }

    /// Notes a written frame, and cuts it if it is too large for the line and its client joins pieces.
    pub(super) fn hand_over(&mut self, seat: &mut EdgeSeat, tick: Tick, situation: &Situation<'_>, out: &mut Vec<u8>) {
        seat.note_frame(tick, out.len(), situation);
        seat.pace.note_due();
        self.stats.bytes += out.len() as u64;
        let large = out.len() > self.bounds.frame;
        if large {
            seat.first.note_large(tick, situation.now);
        }
        let most = if seat.first.is_over() { self.bounds.frame } else { seat.first.bound(&self.bounds) };
        if seat.first.pieces && out.len() > most && !situation.last {
            seat.first.cut(seat.epoch, std::mem::take(out));
            self.write_piece(seat, situation.now, out);
        } else {
            seat.frames += 1;
            self.stats.frames += 1;
        }
    }

    /// Writes the next piece of the frame that a seat gets in pieces. With the last piece the frame counts as handed
    /// over. Returns false if there is none.
    pub(super) fn write_piece(&mut self, seat: &mut EdgeSeat, now: Duration, out: &mut Vec<u8>) -> bool {
        if !seat.first.is_cut() {
            return false;
        }
        let last = seat.first.write_piece(now, &self.bounds, out);
        self.stats.pieces += 1;
        seat.frames += u64::from(last);
        self.stats.frames += u64::from(last);
        true
    }

    /// Before a seat's view changes: moves events of the groups that leave it to the seat's own queue, unless they are
    /// confirmed. Doing it twice does no harm.
    pub(super) fn keep_events_of_leaving(&self, seat: &mut EdgeSeat, view: ViewId) {
        let stay = self.views.groups(view);
        let leaving = self.views.groups(seat.view).iter().zip(&seat.standings);
        for (group, standing) in leaving.filter(|(group, _)| stay.binary_search(group).is_err()) {
            let Some(log) = self.logs.get(*group) else { continue };
            let confirmed = seat.confirmed_event.max(standing.entry);
            if log.dropped > confirmed {
                seat.queue.dropped = seat.queue.dropped.max(log.dropped);
            }
            for entry in log.above(confirmed) {
                seat.queue.insert(entry.clone(), self.bounds.keep());
            }
        }
    }

    /// Gives a seat its new view. Groups that stay keep their standing; others begin with `entering`.
    pub(super) fn change_view(&mut self, seat: &mut EdgeSeat, view: ViewId, entering: Standing) {
        if view == seat.view {
            return;
        }
        let old = self.views.groups(seat.view);
        let standing = |group: &GroupId| old.binary_search(group).map_or(entering, |index| seat.standings[index]);
        self.standings.clear();
        self.standings.extend(self.views.groups(view).iter().map(standing));
        std::mem::swap(&mut self.standings, &mut seat.standings);
        self.views.release(seat.view);
        seat.view = view;
    }
}
