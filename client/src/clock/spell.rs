//! A spell of frames that all come late: a step of the line's latency, or a lag that grows. All times are ms.

use std::collections::VecDeque;

/// Frames that come later than at best by less than this are in time.
const STEP: f64 = 90.0;

/// So long all frames must come later before that is believed to be the line.
const EVIDENCE: f64 = 1000.0;

/// A step of the latency is one that is there at once: what has not shown itself as one after so long grows.
const UNDECIDED: f64 = 2000.0;

/// By so much the earliest frame of half a second may be later than that of the half before it, in a step;
const EVEN: f64 = 25.0;

/// and so much, in ms per ms, a lag that grows so slowly can have added since it was first noticed.
const EVEN_GROWTH: f64 = 0.05;

/// By so much or more it is later where the lag grows beyond doubt.
const STEEP: f64 = 100.0;

/// Arrivals that are kept at most: two seconds of a fast server.
const KEPT: usize = 512;

/// A step makes frames later once, and from then on evenly. A reader that is too slow, or a queue that fills, makes each one
/// later than the one before.
#[derive(Clone, Debug, Default)]
pub(super) struct Spell {
    /// The arrivals of the last two seconds: when, and when tick 0 would have.
    recent: VecDeque<(f64, f64)>,
    /// When the first frame of the spell arrived.
    since: Option<f64>,
    /// The earliest of the second before.
    before: f64,
    grows: bool,
}

impl Spell {
    /// A frame arrived: when tick 0 would have, and when at best. Returns what the best is from now on, if this frame has
    /// proved a step.
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

    /// Whether it is no step.
    pub(super) fn grows(&self) -> bool {
        self.grows
    }

    /// The earliest of the last second.
    pub(super) fn least(&self, now: f64) -> Option<f64> {
        self.earliest(now - EVIDENCE, f64::INFINITY)
    }

    /// Frames are in time again.
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

    /// The earliest arrival from a time until before another.
    fn earliest(&self, from: f64, until: f64) -> Option<f64> {
        let span = self.recent.iter().filter(|(at, _)| *at >= from && *at < until);
        span.map(|(_, sample)| *sample).min_by(f64::total_cmp)
    }
}
