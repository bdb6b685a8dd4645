//! The first frames of an epoch, which bring a possibly large view group by group, as fast as the line takes it.
//!
//! From a start on, frames are as large as what the line carries in a second, until everything that the start left
//! behind is handed over and reported applied. During this time nothing is judged as lag, and nobody is throttled while
//! bytes move: what is under way is bounded, and a client that takes bytes is alive. A frame that is still larger,
//! because of a single chunk, is cut into pieces for clients that join them.

use std::time::Duration;

use tiltyard_shared::{frame, game::Tick};

use super::Bounds;

/// Least bytes of a report that says something about the line's rate.
const TELLING_BYTES: usize = 1024;

/// Bytes under way may take as long as at this rate (in bytes a second), plus this time.
const LEAST_RATE: u64 = 4 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// The progress of a seat's first frames in its epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// The next frame is the start.
    #[default]
    Start,
    /// The start, at this tick, has left groups behind.
    Rest(Tick),
    /// All groups were handed over with the frame of this tick, which is not reported applied yet.
    Handed(Tick),
    /// The first frames have arrived.
    Over,
}

/// The first frames of a seat.
#[derive(Debug, Default)]
pub(super) struct First {
    pub(super) phase: Phase,
    /// Whether the client joins pieces.
    pub(super) pieces: bool,
    /// Bytes that the line carries in a second; 0 while that is unknown.
    rate: u32,
    /// When bytes were last seen to move.
    moved: Duration,
    /// The rest of a frame that goes in pieces.
    cut: Option<Box<Cut>>,
}

#[derive(Debug)]
struct Cut {
    epoch: u32,
    frame: Vec<u8>,
    sent: usize,
    number: u32,
}

impl First {
    /// Begins an epoch, and drops the rest of a frame.
    pub(super) fn begin(&mut self) {
        (self.phase, self.cut) = (Phase::Start, None);
    }

    /// Begins again with a start, in the middle of an epoch.
    pub(super) fn restart(&mut self) {
        self.phase = Phase::Start;
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Whether frames are bounded by the line's rate.
    pub(super) fn is_bounded(&self) -> bool {
        matches!(self.phase, Phase::Start | Phase::Rest(_))
    }

    /// Most bytes of a first frame, and of a piece: what the line carries in a second.
    pub(super) fn bound(&self, bounds: &Bounds) -> usize {
        match self.rate {
            0 => bounds.first_unmeasured,
            rate => (rate as usize).clamp(bounds.first.0, bounds.first.1),
        }
    }

    /// Whether so much is under way that the next frame waits. After the last of the first frames, their queue must
    /// drain before more joins it: a line that carries just what comes then would never get rid of it.
    pub(super) fn is_full(&self, under_way: usize, bounds: &Bounds) -> bool {
        match self.phase {
            Phase::Over => false,
            Phase::Handed(_) => under_way >= self.bound(bounds) / 2,
            Phase::Start | Phase::Rest(_) => under_way >= 2 * self.bound(bounds),
        }
    }

    /// Notes a frame that left nothing behind, or left something behind `since` a tick (the earliest).
    pub(super) fn note_frame(&mut self, tick: Tick, since: Option<Tick>, now: Duration) {
        if self.phase == Phase::Start {
            self.moved = now;
        }
        self.phase = match (self.phase, since) {
            (Phase::Start, Some(_)) => Phase::Rest(tick),
            (Phase::Rest(start), Some(since)) if since <= start => Phase::Rest(start),
            (Phase::Start | Phase::Rest(_), _) => Phase::Handed(tick),
            (phase, _) => phase,
        };
    }

    /// Notes a frame above the normal size: it takes its time like a first frame.
    pub(super) fn note_large(&mut self, tick: Tick, now: Duration) {
        if self.is_over() {
            self.moved = now;
        }
        if matches!(self.phase, Phase::Handed(_) | Phase::Over) {
            self.phase = Phase::Handed(tick);
        }
    }

    /// Sets how many bytes the line carries in a second.
    pub(super) fn set_rate(&mut self, rate: u32) {
        self.rate = rate.max(1);
    }

    /// Notes that bytes have moved.
    pub(super) fn note_moved(&mut self, now: Duration) {
        self.moved = now;
    }

    /// Notes that first frames up to a tick are reported applied, with their bytes in all. `begun` is when the first of
    /// them was handed over, or was begun if others were under way then.
    pub(super) fn note_applied(&mut self, tick: Tick, bytes: usize, begun: Duration, now: Duration, bounds: &Bounds) {
        self.moved = now;
        if matches!(self.phase, Phase::Handed(last) if tick >= last) {
            self.phase = Phase::Over;
        }
        let micros = now.saturating_sub(begun).as_micros().max(1_000) as u64;
        let rate = u32::try_from(bytes as u64 * 1_000_000 / micros).unwrap_or(u32::MAX);
        let bound = self.bound(bounds);
        // Few bytes seem slow because there were no more.
        let full = 2 * bytes >= bound;
        if bytes >= TELLING_BYTES.min(bound) && (full || rate as usize > bound) {
            self.rate = if self.rate == 0 { rate } else { u32::midpoint(self.rate, rate) }.max(1);
        }
    }

    /// Whether something is under way, and nothing has moved for longer than that may take.
    pub(super) fn is_stuck(&self, under_way: usize, now: Duration) -> bool {
        let patience = PATIENCE + Duration::from_micros(under_way as u64 * 1_000_000 / LEAST_RATE);
        under_way > 0 && self.phase != Phase::Start && now.saturating_sub(self.moved) > patience
    }

    /// Whether part of a frame is left.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// Takes a frame to send it in pieces.
    pub(super) fn cut(&mut self, epoch: u32, frame: Vec<u8>) {
        self.cut = Some(Box::new(Cut { epoch, frame, sent: 0, number: 0 }));
    }

    /// Writes the next piece of a cut frame. Returns whether it was the last.
    pub(super) fn write_piece(&mut self, now: Duration, bounds: &Bounds, out: &mut Vec<u8>) -> bool {
        let most = self.bound(bounds);
        let Some(cut) = &mut self.cut else { return false };
        let end = cut.frame.len().min(cut.sent + most);
        let last = end == cut.frame.len();
        frame::write_piece(out, cut.epoch, cut.number, last, &cut.frame[cut.sent..end]);
        (cut.sent, cut.number) = (end, cut.number + 1);
        if last {
            self.cut = None;
        }
        self.moved = now;
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_the_last_of_the_first_frames_their_queue_drains_to_half_a_second() {
        let bounds = Bounds::default();
        let full = |phase, under_way| First { phase, rate: 8_000, ..First::default() }.is_full(under_way, &bounds);
        assert!(!full(Phase::Rest(Tick(1)), 15_999) && full(Phase::Rest(Tick(1)), 16_000), "two parts are under way");
        assert!(!full(Phase::Handed(Tick(1)), 3_999) && full(Phase::Handed(Tick(1)), 4_000));
        assert!(!full(Phase::Over, 100_000), "that is the pace's to judge");
    }
}
