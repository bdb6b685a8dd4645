//! A spell of late frames: it is a step of the line's latency, or a lag that grows. All times are ms.

use std::collections::VecDeque;

/// Frames that are later than the best one by less than this are in time.
const STEP: f64 = 90.0;

/// How long all frames must be late before the line is taken to be slower.
const EVIDENCE: f64 = 1000.0;

/// A step shows at once: lateness that has not proved to be a step after this time is a growing lag.
const UNDECIDED: f64 = 2000.0;

/// In a step, the earliest frame of half a second is later than that of the half before by at most this.
const EVEN: f64 = 25.0;

/// The rate, in ms per ms, of a lag that grows slowly: a step must exceed what it can have added since it was noticed.
const EVEN_GROWTH: f64 = 0.05;

/// If the second half is later by this or more, the lag certainly grows.
const STEEP: f64 = 100.0;

/// The maximum number of arrivals that are kept: two seconds of a fast server.
const KEPT: usize = 512;

/// A step makes frames late once, and evenly from then on. A reader that is too slow, or a queue that fills, makes each
/// frame later than the one before.
#[derive(Clone, Debug, Default)]
pub(super) struct Spell {
    /// The arrivals of the last two seconds: the time, and when tick 0 would have arrived.
    recent: VecDeque<(f64, f64)>,
    /// When the first frame of the spell arrived.
    since: Option<f64>,
    /// The earliest arrival of the second before it.
    before: f64,
    grows: bool,
}

impl Spell {
    /// Takes an arrival: when tick 0 would have arrived by this frame, and at best. Returns the new best if this frame
    /// has proved a step.
    pub(super) fn observe(&mut self, sample: f64, zero: f64, now: f64) -> Option<f64> {
        let late = sample >= zero + STEP;
        if !late {
            self.end();
        } else if self.since.is_none() {
            self.since = Some(now);
            self.before = self.earliest(now - EVIDENCE, now).unwrap_or(zero);
        }
        self.recent.push_back((now, sample));
        while self.recent.len() > KEPT || self.recent.front().is_some_and(|(at, _)| *at < now - UNDECIDED) {
            self.recent.pop_front();
        }
        self.judge(now)
    }

    /// Whether the lag grows.
    pub(super) fn grows(&self) -> bool {
        self.grows
    }

    /// The earliest arrival of the last second.
    pub(super) fn least(&self, now: f64) -> Option<f64> {
        self.earliest(now - EVIDENCE, f64::INFINITY)
    }

    /// Ends the spell: frames are in time again.
    pub(super) fn end(&mut self) {
        self.since = None;
        self.grows = false;
    }

    fn judge(&mut self, now: f64) -> Option<f64> {
        let lasted = now - self.since?;
        if lasted < EVIDENCE || self.grows {
            return None;
        }
        let half = now - EVIDENCE / 2.0;
        let first = self.earliest(now - EVIDENCE, half).unwrap_or(f64::INFINITY);
        let second = self.earliest(half, f64::INFINITY).unwrap_or(f64::INFINITY);
        let least = first.min(second);
        if lasted >= UNDECIDED || second >= first + STEEP {
            self.grows = true;
            return None;
        }
        let step = second <= first + EVEN && least >= self.before + STEP + EVEN_GROWTH * (lasted - EVIDENCE);
        step.then(|| {
            self.end();
            least
        })
    }

    /// The earliest arrival in a span of time.
    fn earliest(&self, from: f64, until: f64) -> Option<f64> {
        let span = self.recent.iter().filter(|(at, _)| *at >= from && *at < until);
        span.map(|(_, sample)| *sample).min_by(f64::total_cmp)
    }
}
