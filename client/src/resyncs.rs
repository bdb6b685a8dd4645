//! Decides when a client asks to be brought up to date in one frame. Pure: it is told of frames and their ages. As
//! `web/sdk/resyncs.js`.
//!
//! A client that reads too slowly shows an old world although nothing is wrong with it: the frames it reads left the
//! server long ago, and their age grows. A stalled server does not look like that, because the clock takes schedule
//! moves into account, and frames that do not come have no age. Nor does a line that has become slower: its lag grows
//! once, and the clock accepts it. A line that takes less than it is given is noticed by the server, which then sends
//! less, without a gap: it gets the time for that. If a resync does not help, or costs more time without frames than it
//! gains because the line is full of data under way, the line is the cause, and the clock has to accept that too.

use std::time::{Duration, Instant};

use tiltyard_shared::protocol::limits;

/// How long frames must be too old before a resync.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long frames after a resync are observed before it is judged.
const TRIAL: Duration = Duration::from_secs(1);

/// How long no resync for lag is tried after one that did not help.
const HOPELESS: Duration = Duration::from_secs(60);

/// The remedy for the lag of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing.
    None,
    /// Resync.
    Resync,
    /// Accept the line as it is.
    Rebase,
}

/// Decides when to resync for lag, and keeps all resyncs [`limits::RESYNC_SPACING`] apart.
#[derive(Clone, Debug, Default)]
pub struct Resyncs {
    last: Option<Instant>,
    /// Since when frames have been too old.
    late_since: Option<Instant>,
    /// Whether the last resync was for lag and no frame has been in time since.
    tries: bool,
    /// The lag before it.
    lag: Duration,
    /// When the first frame after that resync came.
    tried_since: Option<Instant>,
    /// Whether the server sends fewer frames than it could: it has noticed the line's limit.
    paced: bool,
    /// No resync for lag before this time.
    hopeless_until: Option<Instant>,
}

impl Resyncs {
    /// Judges an applied frame of this age; `grows` says whether the clock sees frames come later and later.
    pub fn judge(&mut self, age: Duration, grows: bool, now: Instant) -> Remedy {
        if self.costs_more(now) {
            let remedy = self.give_up(now);
            return if age > limits::LAG { remedy } else { Remedy::None };
        }
        if age <= limits::LAG {
            self.tries = false;
            self.late_since = None;
            return Remedy::None;
        }
        let late_since = *self.late_since.get_or_insert(now);
        if self.tries {
            let since = *self.tried_since.get_or_insert(now);
            return if now.saturating_duration_since(since) >= TRIAL { self.give_up(now) } else { Remedy::None };
        }
        if !grows {
            Remedy::None
        } else if self.paced || self.hopeless_until.is_some_and(|until| now < until) {
            Remedy::Rebase
        } else if late_since + PATIENCE <= now && self.earliest(now) <= now {
            self.lag = age;
            Remedy::Resync
        } else {
            Remedy::None
        }
    }

    /// Sets the pace: the server sends a frame at every so many-th send tick from now on.
    pub fn pace(&mut self, every: u32) {
        self.paced = every > 1;
    }

    /// The earliest time of the next resync.
    pub fn earliest(&self, now: Instant) -> Instant {
        self.last.map_or(now, |last| now.max(last + limits::RESYNC_SPACING))
    }

    /// Notes that a resync (or a resume) was sent.
    pub fn sent(&mut self, for_lag: bool, now: Instant) {
        self.last = Some(now);
        self.tries = for_lag;
        self.tried_since = None;
    }

    /// Whether this is the first frame after a resync for lag, and took at least as long as the lag was.
    fn costs_more(&self, now: Instant) -> bool {
        let waited = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.tries && self.tried_since.is_none() && waited >= self.lag
    }

    fn give_up(&mut self, now: Instant) -> Remedy {
        self.tries = false;
        self.hopeless_until = Some(now + HOPELESS);
        Remedy::Rebase
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn only_frames_that_are_old_for_long_and_ever_older_make_a_client_resync_a_second_after_the_last_resync() {
        let (start, mut resyncs) = (Instant::now(), Resyncs::default());
        assert_eq!(resyncs.earliest(start), start);
        assert_eq!(resyncs.judge(501 * MS, true, start), Remedy::None, "the server may see it, too");
        assert_eq!(resyncs.judge(501 * MS, true, start + 14_999 * MS), Remedy::None);
        assert_eq!(resyncs.judge(500 * MS, true, start + 15_000 * MS), Remedy::None, "at the limit is not beyond it");
        let late = start + 16_000 * MS;
        assert_eq!(resyncs.judge(501 * MS, true, late), Remedy::None, "what was before has ended");
        assert_eq!(resyncs.judge(600 * MS, false, late + 15_000 * MS), Remedy::None, "a step of the line, perhaps");
        assert_eq!(resyncs.judge(501 * MS, true, late + 15_000 * MS), Remedy::Resync);
        resyncs.sent(false, late + 15_000 * MS);
        assert_eq!(resyncs.judge(700 * MS, true, late + 15_999 * MS), Remedy::None);
        assert_eq!(resyncs.earliest(late + 15_010 * MS), late + 16_000 * MS);
        assert_eq!(resyncs.judge(700 * MS, true, late + 16_000 * MS), Remedy::Resync);
    }

    #[test]
    fn while_the_server_sends_less_none_is_asked_for() {
        let (start, mut resyncs) = (Instant::now(), Resyncs::default());
        resyncs.judge(600 * MS, true, start);
        resyncs.pace(2);
        assert_eq!(resyncs.judge(600 * MS, true, start + 16_000 * MS), Remedy::Rebase);
        resyncs.pace(1);
        assert_eq!(resyncs.judge(600 * MS, true, start + 16_050 * MS), Remedy::Resync);
    }

    #[test]
    fn a_resync_that_did_not_help_is_not_repeated() {
        let (start, mut resyncs) = (Instant::now(), resynced(900 * MS));
        assert_eq!(resyncs.judge(950 * MS, true, start + 500 * MS), Remedy::None, "the first frame behind it");
        assert_eq!(resyncs.judge(950 * MS, true, start + 1499 * MS), Remedy::None);
        assert_eq!(resyncs.judge(950 * MS, true, start + 1510 * MS), Remedy::Rebase);
        assert_eq!(resyncs.judge(10 * MS, false, start + 1550 * MS), Remedy::None);
        assert_eq!(resyncs.judge(600 * MS, true, start + 40_000 * MS), Remedy::Rebase, "for a minute none is tried");
        assert_eq!(resyncs.judge(600 * MS, true, start + 61_499 * MS), Remedy::Rebase);
        assert_eq!(resyncs.judge(600 * MS, true, start + 61_510 * MS), Remedy::Resync);
    }

    #[test]
    fn a_resync_that_costs_more_time_than_the_lag_was_is_not_repeated() {
        for (age, remedy) in [(30 * MS, Remedy::None), (950 * MS, Remedy::Rebase)] {
            let (start, mut resyncs) = (Instant::now(), resynced(900 * MS));
            assert_eq!(resyncs.judge(age, false, start + 910 * MS), remedy, "the queue in front of it had to drain");
            assert_eq!(resyncs.judge(900 * MS, true, start + 5000 * MS), Remedy::Rebase);
        }
    }

    /// A resync because of this lag, sent now.
    fn resynced(lag: Duration) -> Resyncs {
        let (now, mut resyncs) = (Instant::now(), Resyncs::default());
        assert_eq!(resyncs.judge(lag, true, now - PATIENCE), Remedy::None);
        assert_eq!(resyncs.judge(lag, true, now), Remedy::Resync);
        resyncs.sent(true, now);
        resyncs
    }

    #[test]
    fn a_resync_that_helped_may_be_repeated() {
        let (start, mut resyncs) = (Instant::now(), resynced(900 * MS));
        assert_eq!(resyncs.judge(30 * MS, false, start + 300 * MS), Remedy::None);
        assert_eq!(resyncs.judge(800 * MS, true, start + 1000 * MS), Remedy::None);
        assert_eq!(resyncs.judge(800 * MS, true, start + 16_000 * MS), Remedy::Resync);
    }
}
