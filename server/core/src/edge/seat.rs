//! The edge's memory of one seat: the last view sent, what was handed over of it, and what the client has applied.

use std::{collections::VecDeque, time::Duration};

use tiltyard_shared::{
    game::Tick,
    protocol::{Code, Report, Resync, limits},
    world::{Committed, GroupId},
};

use super::{Bounds, Situation, first::First, lag::Lag, pace::Pace};
use crate::{
    events::Log,
    views::{ViewId, Views},
};

/// How a seat stands to one group of its last view.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// The version handed over, or a tick since which nothing was missed; 0 for nothing. Kept only while the seat is
    /// not steady: a steady seat was handed everything up to the last commit at which it was served.
    pub(super) handed: Tick,
    /// The first frame since which no frame has left the group behind.
    pub(super) since: Option<Tick>,
    /// The number of the last event before the tick at which the group entered the view.
    pub(super) entry: u64,
    /// The frame since which the group has been behind.
    pub(super) waiting: Option<Tick>,
}

impl Standing {
    pub(super) fn entering(entry: u64) -> Self {
        Self { handed: Tick(0), since: None, entry, waiting: None }
    }
}

/// A frame that the client has not yet reported applied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unapplied {
    tick: Tick,
    handed: Duration,
    bytes: u32,
}

/// The edge's part of a seat.
#[derive(Debug)]
pub(super) struct EdgeSeat {
    /// Whether it has a connection.
    pub(super) connected: bool,
    /// Whether the authority takes it for served.
    pub(super) attached: bool,
    pub(super) epoch: u32,
    /// The next frame is the first of its epoch.
    pub(super) start: bool,
    /// Every frame carries a hash.
    pub(super) verify: bool,
    pub(super) frames_to_hash: u8,
    /// In a restored room, until the client is back: what the client may hold above this tick does not count.
    pub(super) cut: Option<Tick>,
    /// The last view sent, and the standings of its groups in the same order.
    pub(super) view: ViewId,
    pub(super) standings: Vec<Standing>,
    /// The own group, once there is one.
    pub(super) own: Option<(GroupId, Standing)>,
    /// Whether the own group's id was told in this epoch.
    pub(super) own_told: bool,
    /// Whether everything was handed over at the last commit served.
    pub(super) steady: bool,
    /// The last commit at which this seat was served, frame or not.
    pub(super) served: Tick,
    /// Number of the last event sent.
    pub(super) handed_event: u64,
    /// Number of the last event consumed, as the client reports.
    pub(super) confirmed_event: u64,
    /// Number up to which losses were told.
    pub(super) lost_event: u64,
    /// The seat's own events, and those of groups that left its view before they were confirmed.
    pub(super) queue: Log,
    /// Refused inputs with their codes, until a frame tells them. At most as many as may wait: an older one is
    /// forgotten, and the client only sees that it is settled.
    pub(super) refused: VecDeque<(u32, Code)>,
    /// Frames handed over and not reported applied. Bounded because a lagging seat is throttled.
    pub(super) unapplied: VecDeque<Unapplied>,
    /// Their bytes.
    pub(super) unapplied_bytes: usize,
    /// The tick of the last of them. Most reports name it, which saves a search in the list.
    pub(super) newest: Tick,
    pub(super) applied: Tick,
    /// The time since which it is throttled: it gets no frames until everything handed over is applied.
    pub(super) throttled: Option<Duration>,
    /// It had no frame at the last commit, even if something was new.
    pub(super) passed_over: bool,
    pub(super) lag: Lag,
    pub(super) pace: Pace,
    pub(super) first: First,
    pub(super) last_frame: Option<Duration>,
    pub(super) last_resync: Option<Duration>,
    pub(super) pending_resync: Option<Resync>,
    pub(super) told_settled: u32,
    pub(super) told_moved: u32,
    pub(super) frames: u64,
}

impl EdgeSeat {
    pub(super) fn new(event: u64, verify: bool) -> Self {
        Self {
            connected: true,
            attached: true,
            epoch: 1,
            start: true,
            verify,
            frames_to_hash: 0,
            cut: None,
            view: Views::EMPTY,
            standings: Vec::new(),
            own: None,
            own_told: false,
            steady: false,
            served: Tick(0),
            handed_event: event,
            confirmed_event: event,
            lost_event: event,
            queue: Log::default(),
            refused: VecDeque::new(),
            unapplied: VecDeque::new(),
            unapplied_bytes: 0,
            newest: Tick(0),
            applied: Tick(0),
            throttled: None,
            passed_over: false,
            lag: Lag::default(),
            pace: Pace::default(),
            first: First::default(),
            last_frame: None,
            last_resync: None,
            pending_resync: None,
            told_settled: 0,
            told_moved: 0,
            frames: 0,
        }
    }

    /// A seat of a restored room whose client is not back yet.
    pub(super) fn again(cut: Tick, event: u64, queue: Log) -> Self {
        let fresh = Self { confirmed_event: 0, lost_event: 0, ..Self::new(event, false) };
        Self { connected: false, attached: false, epoch: 0, cut: Some(cut), queue, ..fresh }
    }

    /// The number up to which the client has consumed its events: that of the last one sent if it has applied
    /// everything.
    pub(super) fn consumed(&self) -> u64 {
        let all = self.unapplied.is_empty() && self.cut.is_none();
        if all { self.handed_event } else { self.confirmed_event }
    }

    /// Believes a client that it holds these groups of its view up to a tick, if that cannot be known here.
    pub(super) fn believe(&mut self, resync: Resync, held: &[GroupId], views: &Views) {
        let (Some(cut), Some(applied)) = (self.cut.take(), resync.applied) else { return };
        if applied > cut {
            return;
        }
        self.applied = applied;
        let own = self.own.iter_mut().map(|(group, standing)| (&*group, standing));
        for (group, standing) in views.groups(self.view).iter().zip(&mut self.standings).chain(own) {
            standing.since = held.binary_search(group).is_ok().then_some(applied);
        }
    }

    /// Takes a client's report. One of an older epoch, or of a tick never handed over, changes nothing.
    pub(super) fn report(&mut self, report: Report, now: Duration, bounds: &Bounds) {
        if report.epoch != self.epoch || self.start || !self.was_handed(report.applied) {
            return;
        }
        let oldest = self.unapplied.front().map(|frame| frame.handed);
        let (mut frames, mut bytes, mut handed) = (0, 0, None);
        if report.applied == self.newest {
            (frames, bytes) = (self.unapplied.len(), self.unapplied_bytes);
            handed = self.unapplied.back().map(|frame| frame.handed);
            self.unapplied.clear();
        }
        while let Some(frame) = self.unapplied.pop_front_if(|frame| frame.tick <= report.applied) {
            (frames, bytes, handed) = (frames + 1, bytes + frame.bytes as usize, Some(frame.handed));
        }
        self.unapplied_bytes -= bytes;
        self.applied = report.applied;
        self.confirm(report.event);
        if let (Some(oldest), Some(handed)) = (oldest, handed) {
            self.note_applied(frames, bytes, [oldest, handed], now, bounds);
        }
        self.release();
    }

    /// Notes that frames were reported applied. `handed` is when the first and the last of them were handed over.
    fn note_applied(&mut self, frames: usize, bytes: usize, handed: [Duration; 2], now: Duration, bounds: &Bounds) {
        if self.first.is_over() {
            let age = now.saturating_sub(handed[1]);
            self.lag.note(age, now);
            self.pace.note_applied(frames, bytes, age, now);
            return;
        }
        self.throttled = None;
        self.first.note_applied(self.applied, bytes, handed[0].max(self.lag.heard()), now, bounds);
        self.lag.hear(now);
        self.pace.restart(now);
    }

    /// Stops throttling once everything handed over is applied.
    pub(super) fn release(&mut self) {
        if self.unapplied.is_empty() {
            self.throttled = None;
            self.lag.settle();
        }
    }

    /// Notes a refused input.
    pub(super) fn refuse(&mut self, number: u32, code: Code) {
        if self.refused.len() >= limits::EARLY_INPUTS {
            self.refused.pop_front();
        }
        self.refused.push_back((number, code));
    }

    /// Whether the next frame may need a view. A throttled seat needs none until something is applied.
    pub(super) fn wants_view(&self) -> bool {
        let throttled = self.throttled.is_some() && self.first.is_over() && !self.unapplied.is_empty();
        self.connected && (!throttled || self.pending_resync.is_some())
    }

    /// Notes that the socket has taken bytes: a client busy with its first frames is alive.
    pub(super) fn drained(&mut self, now: Duration) {
        if !self.first.is_over() {
            self.first.note_moved(now);
            self.throttled = None;
        }
    }

    /// Writes down what a steady seat was handed, which from now on differs from what the others were.
    pub(super) fn unsteady(&mut self, views: &Views, world: &Committed) {
        if !std::mem::take(&mut self.steady) {
            return;
        }
        let handed =
            |group| if self.served == world.tick() { world.group(group).version } else { world.version_before(group) };
        for (group, standing) in views.groups(self.view).iter().zip(&mut self.standings) {
            standing.handed = handed(*group);
        }
        if let Some((group, standing)) = &mut self.own {
            standing.handed = handed(*group);
        }
    }

    /// Notes that it gets no frame at this commit.
    pub(super) fn pass_over(&mut self, views: &Views, world: &Committed) {
        self.passed_over = true;
        self.unsteady(views, world);
    }

    /// The delayed resync, if its time has come.
    pub(super) fn take_pending_resync(&mut self, now: Duration) -> Option<Resync> {
        let due = |last| now.saturating_sub(last) >= limits::RESYNC_SPACING;
        self.pending_resync.take_if(|_| self.last_resync.is_none_or(due))
    }

    /// Makes the next frame state everything again, in the same epoch. The client keeps what it holds.
    pub(super) fn restart(&mut self) {
        (self.start, self.own_told) = (true, false);
        self.first.restart();
    }

    /// Whether the client may hold the state of this tick: the one it reported last, or one handed over since.
    fn was_handed(&self, tick: Tick) -> bool {
        tick > Tick(0)
            && (tick == self.applied
                || (tick == self.newest && !self.unapplied.is_empty())
                || self.unapplied.binary_search_by_key(&tick, |frame| frame.tick).is_ok())
    }

    fn confirm(&mut self, event: u64) {
        self.confirmed_event = self.confirmed_event.max(event.min(self.handed_event));
        self.queue.trim(self.confirmed_event);
    }

    /// The groups of the view, each with the number up to which its events will not be asked for again.
    pub(super) fn confirmed_by_group<'a>(&'a self, views: &'a Views) -> impl Iterator<Item = (GroupId, u64)> + 'a {
        let groups = views.groups(self.view).iter().zip(&self.standings);
        groups.map(|(group, standing)| (*group, self.confirmed_event.max(standing.entry)))
    }

    /// Begins the epoch that the client asked for. Groups that it has followed since before `applied` continue from
    /// there; all others start from nothing.
    pub(super) fn begin_epoch(&mut self, resync: Resync, now: Duration) {
        let applied = resync.applied.filter(|tick| self.was_handed(*tick));
        for standing in self.standings.iter_mut().chain(self.own.iter_mut().map(|(_, standing)| standing)) {
            standing.waiting = None;
            match (applied, standing.since) {
                (Some(applied), Some(since)) if since <= applied => standing.handed = applied,
                _ => (standing.handed, standing.since) = (Tick(0), None),
            }
        }
        self.confirm(resync.event);
        self.handed_event = self.handed_event.min(resync.event.max(self.confirmed_event));
        self.lost_event = self.lost_event.min(self.handed_event);
        self.epoch = resync.epoch;
        self.start = true;
        self.own_told = false;
        self.steady = false;
        self.throttled = None;
        self.lag = Lag::default();
        self.first.begin();
        self.unapplied.clear();
        self.unapplied_bytes = 0;
        self.applied = applied.unwrap_or(Tick(0));
        self.last_resync = Some(now);
        self.pending_resync = None;
    }

    /// Whether the next frame carries the hash of the view.
    pub(super) fn wants_hash(&self) -> bool {
        self.verify || self.frames_to_hash == 0
    }

    /// Notes a frame handed over.
    pub(super) fn note_frame(&mut self, tick: Tick, bytes: usize, situation: &Situation<'_>) {
        self.start = false;
        self.told_settled = situation.settled.number;
        self.told_moved = situation.moved;
        self.last_frame = Some(situation.now);
        if self.unapplied.is_empty() {
            self.first.note_moved(situation.now);
        }
        self.unapplied.push_back(Unapplied { tick, handed: situation.now, bytes: bytes as u32 });
        self.unapplied_bytes += bytes;
        self.newest = tick;
        self.frames_to_hash = if self.frames_to_hash == 0 { 127 } else { self.frames_to_hash - 1 };
    }

    /// Whether frames are applied later and later, nothing is reported, or one more frame like the newest would be too
    /// much.
    pub(super) fn lags(&self, now: Duration, rtt: Duration) -> bool {
        let (Some(oldest), Some(newest)) = (self.unapplied.front(), self.unapplied.back()) else { return false };
        self.lag.is_rising()
            || self.lag.is_silent(oldest.handed, now, rtt)
            || self.unapplied_bytes + newest.bytes as usize > limits::UNAPPLIED_BYTES
    }
}

#[cfg(test)]
mod tests {
    use tiltyard_shared::frame::Settled;

    use super::*;

    #[test]
    fn a_seat_lags_while_one_more_frame_would_be_too_many_bytes() {
        let situation = Situation {
            now: Duration::ZERO,
            rtt: Duration::ZERO,
            view: &[],
            number: Views::EMPTY,
            own: None,
            settled: Settled::default(),
            moved: 0,
            last: false,
        };
        let mut seat = EdgeSeat::new(0, false);
        let lags = |seat: &EdgeSeat| seat.lags(Duration::ZERO, Duration::ZERO);
        let report = |seat: &mut EdgeSeat, tick| {
            seat.report(Report { epoch: 1, applied: Tick(tick), event: 0 }, Duration::ZERO, &Bounds::default());
        };
        let bytes = limits::UNAPPLIED_BYTES / 3;
        for tick in 1..=2 {
            seat.note_frame(Tick(tick), bytes, &situation);
            assert!(!lags(&seat));
        }
        seat.note_frame(Tick(3), bytes, &situation);
        assert!(lags(&seat));
        report(&mut seat, 1);
        assert_eq!((lags(&seat), seat.unapplied_bytes), (false, 2 * bytes));
        report(&mut seat, 3);
        assert_eq!((lags(&seat), seat.unapplied_bytes), (false, 0));
    }
}
