//! How often a seat gets a frame: as often as it applies them.
//!
//! Counted are the frames that a seat had coming and those that it reports applied. What is missing in one silence alone is
//! no sign of a slow line: then the way has become longer, or a stall is made up for. A seat that applies less than it has
//! coming gets a frame at every second send tick, then at every fourth; after a while without a lack it is tried with more.
//! While it gets fewer, no more is under way to it than it has applied in a second: what waits in the line's queue would
//! make all that comes behind it older.

use std::time::Duration;

/// Frames are counted for so long, then judged.
const WINDOW: Duration = Duration::from_secs(2);

/// In so many windows in a row something lacked.
const LOW: u8 = 2;

/// After so long without a lack more is tried; twice as long after each trial that failed, up to so many times.
const CLEAN: Duration = Duration::from_secs(5);
const LONGEST_WAIT: u8 = 16;

/// The least pace: a frame at each so many-th send tick.
const SLOWEST: u8 = 4;

/// What a seat is given and what it applies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Whether the client knows the message that tells it.
    known: bool,
    every: u8,
    /// The client has not been told of it.
    untold: bool,
    /// Send ticks since its turn, and whether that was put off.
    passed: u8,
    late: bool,
    low: u8,
    /// How many times [`CLEAN`] it waits for a trial; and whether the present pace is one.
    wait: u8,
    trial: bool,
    /// In this window: frames that were due, due at the last report, due in the longest silence; and applied.
    due: u16,
    due_heard: u16,
    silent: u16,
    applied: u16,
    applied_bytes: u32,
    /// Bytes applied in a second, as last seen when something lacked, or more.
    rate: u32,
    began: Duration,
    clean_since: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            known: false,
            every: 1,
            untold: false,
            passed: 0,
            late: false,
            low: 0,
            wait: 1,
            trial: false,
            due: 0,
            due_heard: 0,
            silent: 0,
            applied: 0,
            applied_bytes: 0,
            rate: 0,
            began: Duration::ZERO,
            clean_since: Duration::ZERO,
        }
    }
}

impl Pace {
    /// For a new connection, whose client may be told of its pace or not.
    pub(super) fn new(known: bool) -> Self {
        Self { known, ..Self::default() }
    }

    /// A send tick: whether it is the seat's turn.
    pub(super) fn is_turn(&mut self) -> bool {
        self.passed += 1;
        let turn = self.passed >= self.every;
        if turn {
            self.passed = 0;
            // The frame of the last turn never went.
            self.due = self.due.saturating_add(u16::from(self.late));
        }
        turn || self.late
    }

    /// Whether so much is under way that its turn is put off.
    pub(super) fn is_full(&self, under_way: usize) -> bool {
        self.every > 1 && under_way > 0 && under_way >= self.rate as usize
    }

    /// Its turn is at the next tick.
    pub(super) fn put_off(&mut self) {
        self.late = true;
    }

    /// A frame was handed over, or withheld.
    pub(super) fn note_due(&mut self) {
        if std::mem::take(&mut self.late) {
            self.passed = 0;
        }
        self.due = self.due.saturating_add(1);
    }

    /// So many frames of so many bytes were reported applied.
    pub(super) fn note_applied(&mut self, frames: usize, bytes: usize, now: Duration) {
        if !self.known {
            return;
        }
        self.applied = self.applied.saturating_add(u16::try_from(frames).unwrap_or(u16::MAX));
        self.applied_bytes = self.applied_bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.silent = self.silent.max(self.due - self.due_heard);
        self.due_heard = self.due;
        if now.saturating_sub(self.began) >= WINDOW {
            self.judge(now);
            self.restart(now);
        }
    }

    /// Counts anew from here.
    pub(super) fn restart(&mut self, now: Duration) {
        (self.due, self.due_heard, self.silent, self.applied, self.applied_bytes) = (0, 0, 0, 0, 0);
        self.began = now;
    }

    fn judge(&mut self, now: Duration) {
        let due = self.due - self.silent;
        let lacks = u32::from(self.applied) * 100 < u32::from(due) * 95;
        let millis = now.saturating_sub(self.began).as_millis().max(1) as u64;
        let rate = u32::try_from(u64::from(self.applied_bytes) * 1_000 / millis).unwrap_or(u32::MAX);
        self.rate = if lacks { rate } else { self.rate.max(rate) };
        if !lacks {
            self.low = 0;
            if now.saturating_sub(self.clean_since) >= CLEAN * u32::from(self.wait) {
                self.quicken(now);
            }
            return;
        }
        (self.low, self.clean_since) = (self.low + 1, now);
        if self.low >= LOW {
            self.slow();
        }
    }

    fn slow(&mut self) {
        self.low = 0;
        if std::mem::take(&mut self.trial) {
            self.wait = (self.wait * 2).min(LONGEST_WAIT);
        }
        if self.every < SLOWEST {
            self.every *= 2;
            self.untold = true;
        }
    }

    /// It went well for long: at a lower pace more is tried, and a trial has passed.
    fn quicken(&mut self, now: Duration) {
        self.clean_since = now;
        if std::mem::take(&mut self.trial) {
            self.wait = 1;
        }
        if self.every > 1 {
            self.every /= 2;
            (self.untold, self.trial) = (true, true);
        }
    }

    /// The pace, if the client has to be told of it.
    pub(super) fn take_untold(&mut self) -> Option<u32> {
        std::mem::take(&mut self.untold).then_some(u32::from(self.every))
    }
}
