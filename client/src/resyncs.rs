//! When a client asks to be brought up to date in one frame. Pure: it is told of frames and their ages. As
//! `web/sdk/resyncs.js`.
//!
//! A client that reads too slowly holds an old world although nothing is wrong with it: what it reads now left the
//! server long ago, and ever longer. A stalled server does not look like that, because the clock takes schedule moves
//! into account, and because frames that do not come have no age. A line that has become slower does not either: its
//! lag grows once, and the clock takes it as it is. One that takes less than it is given is the server's to notice,
//! which then gives it less without a gap: it has its time for that. Where a resync does not help, or costs more time
//! without a frame than it makes up for because what is under way fills the line, the line is to blame, and the clock
//! has to take that as it is, too.

use std::time::{Duration, Instant};

use tiltyard_shared::protocol::limits;

/// Frames are too old for so long before a resync.
const PATIENCE: Duration = Duration::from_secs(15);

/// What comes after a resync is looked at for so long before it is judged.
const TRIAL: Duration = Duration::from_secs(1);

/// After a resync that did not help none is tried for lag for so long.
const HOPELESS: Duration = Duration::from_secs(60);

/// What to do about the lag of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing.
    None,
    /// Resync.
    Resync,
    /// Take the line as it is.
    Rebase,
}

/// Decides when to resync for lag, and keeps all resyncs [`limits::RESYNC_SPACING`] apart.
#[derive(Clone, Debug, Default)]
pub struct Resyncs {
    last: Option<Instant>,
    /// Since when frames are too old.
    late_since: Option<Instant>,
    /// Whether the last resync was for lag and no frame has been in time since.
    tries: bool,
    /// What the lag was before it.
    lag: Duration,
    /// When the first frame behind that resync came.
    tried_since: Option<Instant>,
    /// Whether the server sends less than it could: it has noticed.
    paced: bool,
    /// No resync for lag before this time.
    hopeless_until: Option<Instant>,
}

impl Resyncs {
    /// A frame of this age was applied; `grows` is whether the clock sees frames come ever later.
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

    /// The server sends a frame at every so many-th send tick from now on.
    pub fn pace(&mut self, every: u32) {
        self.paced = every > 1;
    }

    /// When the next resync may be sent.
    pub fn earliest(&self, now: Instant) -> Instant {
        self.last.map_or(now, |last| now.max(last + limits::RESYNC_SPACING))
    }

    /// A resync was sent (or the like: a resume).
    pub fn sent(&mut self, for_lag: bool, now: Instant) {
        self.last = Some(now);
        self.tries = for_lag;
        self.tried_since = None;
    }

    /// Whether this is the first frame behind a resync for lag, and it took longer to come than the lag was.
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
