//! The first frames of an epoch: a view that may be large comes by groups, as fast as the line takes it.
//!
//! From a start on, frames are as large as what the line carries in a second, until all that the start left behind was
//! handed over and is reported applied. In this time nobody is throttled and nothing is judged as lag: what is
//! under way is bounded, and who takes bytes is alive. A frame that is larger all the same, because of a single chunk, is
//! cut into pieces for clients that join them.

use std::time::Duration;

use tiltyard_shared::{frame, game::Tick};

use super::Bounds;

/// A report of fewer bytes says nothing about a line's rate.
const TELLING_BYTES: usize = 1024;

/// What is under way is waited for as if a line carried no more than this in a second, and for so long beyond.
const LEAST_RATE: u64 = 4 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// How far a seat is with the first frames of its epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// The next frame is the start.
    #[default]
    Start,
    /// The start of this tick has left groups behind.
    Rest(Tick),
    /// All of them were handed over with the frame of this tick, which is not reported applied.
    Handed(Tick),
    /// They are there.
    Over,
}

/// The first frames of a seat.
#[derive(Debug, Default)]
pub(super) struct First {
    pub(super) phase: Phase,
    /// Whether the client joins pieces.
    pub(super) pieces: bool,
    /// What the line carries in a second, once that is known: 0 until then.
    rate: u32,
    /// When bytes were last seen to go.
    moved: Duration,
    /// What is left of a frame that goes in pieces.
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
    /// An epoch begins: what is left of a frame is given up.
    pub(super) fn begin(&mut self) {
        (self.phase, self.cut) = (Phase::Start, None);
    }

    /// A start comes in the middle of an epoch.
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

    /// Whether so much is under way that the next frame waits. Behind the last of the first ones their queue drains before
    /// others join it: it would stay for good on a line that carries just what comes then.
    pub(super) fn is_full(&self, under_way: usize, bounds: &Bounds) -> bool {
        match self.phase {
            Phase::Over => false,
            Phase::Handed(_) => under_way >= self.bound(bounds) / 2,
            Phase::Start | Phase::Rest(_) => under_way >= 2 * self.bound(bounds),
        }
    }

    /// A frame was written that left behind nothing, or something `since` the earliest of these ticks.
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

    /// A frame was written that is larger than frames are: it takes its time like a first one.
    pub(super) fn note_large(&mut self, tick: Tick, now: Duration) {
        if self.is_over() {
            self.moved = now;
        }
        if matches!(self.phase, Phase::Handed(_) | Phase::Over) {
            self.phase = Phase::Handed(tick);
        }
    }

    /// The line was seen to carry so much in a second.
    pub(super) fn set_rate(&mut self, rate: u32) {
        self.rate = rate.max(1);
    }

    /// Bytes were seen to go.
    pub(super) fn note_moved(&mut self, now: Duration) {
        self.moved = now;
    }

    /// First frames up to a tick are reported applied: so many bytes, the first of which were handed over or, if others were
    /// under way before, begun on then.
    pub(super) fn note_applied(&mut self, tick: Tick, bytes: usize, begun: Duration, now: Duration, bounds: &Bounds) {
        self.moved = now;
        if matches!(self.phase, Phase::Handed(last) if tick >= last) {
            self.phase = Phase::Over;
        }
        let micros = now.saturating_sub(begun).as_micros().max(1_000) as u64;
        let rate = u32::try_from(bytes as u64 * 1_000_000 / micros).unwrap_or(u32::MAX);
        let bound = self.bound(bounds);
        // Few bytes are slow because there were no more.
        let full = 2 * bytes >= bound;
        if bytes >= TELLING_BYTES.min(bound) && (full || rate as usize > bound) {
            self.rate = if self.rate == 0 { rate } else { u32::midpoint(self.rate, rate) }.max(1);
        }
    }

    /// Whether something is under way, and nothing has moved for longer than it may take.
    pub(super) fn is_stuck(&self, under_way: usize, now: Duration) -> bool {
        let patience = PATIENCE + Duration::from_micros(under_way as u64 * 1_000_000 / LEAST_RATE);
        under_way > 0 && self.phase != Phase::Start && now.saturating_sub(self.moved) > patience
    }

    /// Whether a part of a frame is left.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// Takes a frame to send it in pieces.
    pub(super) fn cut(&mut self, epoch: u32, frame: Vec<u8>) {
        self.cut = Some(Box::new(Cut { epoch, frame, sent: 0, number: 0 }));
    }

    /// Writes the next piece of a frame that was cut; whether it was the last.
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
