//! The recent arrivals of frames by half seconds, each as the time at which tick 0 would have arrived. All times are
//! ms.

use std::collections::VecDeque;

/// The span of a bucket, of which the latest and the earliest arrival are kept.
const BUCKET: f64 = 500.0;
/// How long buckets are kept.
const HISTORY: f64 = 10_000.0;
/// The fraction of the buckets' latest arrivals that must be in time.
const SHARE: f64 = 0.95;
/// If all frames of the last two seconds came earlier than needed by this, and the earliest earlier than usual, the
/// line is another one.
const EARLY: f64 = 100.0;
const RECENT: f64 = 2000.0;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    opened: f64,
    latest: f64,
    earliest: f64,
}

/// The measurements of a line.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrivals {
    buckets: VecDeque<Bucket>,
    level: f64,
    earliest: f64,
}

impl Arrivals {
    /// Notes an arrival and drops old ones. Returns true if the line is a different, faster one.
    pub(super) fn note(&mut self, sample: f64, now: f64) -> bool {
        match self.buckets.back_mut() {
            Some(last) if now - last.opened < BUCKET => {
                last.latest = last.latest.max(sample);
                last.earliest = last.earliest.min(sample);
            }
            _ => self.buckets.push_back(Bucket { opened: now, latest: sample, earliest: sample }),
        }
        self.buckets.retain(|bucket| bucket.opened > now - HISTORY);
        self.level = part(self.buckets.iter().map(|bucket| bucket.latest), SHARE);
        let old = self.buckets.iter().filter(|bucket| bucket.opened <= now - RECENT - BUCKET).count();
        let recent = self.buckets.range(old..);
        self.earliest = recent.clone().map(|bucket| bucket.earliest).fold(f64::INFINITY, f64::min);
        let latest = recent.map(|bucket| bucket.latest).fold(f64::NEG_INFINITY, f64::max);
        let usual = part(self.buckets.range(..old).map(|bucket| bucket.earliest), 0.5);
        let faster = old > 0 && latest + EARLY < self.level && self.earliest + EARLY < usual;
        if faster {
            self.buckets.drain(..old);
            self.level = part(self.buckets.iter().map(|bucket| bucket.latest), SHARE);
        }
        faster
    }

    /// Drops all measurements.
    pub(super) fn clear(&mut self) {
        self.buckets.clear();
    }

    /// Whether there are no measurements.
    pub(super) fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// An arrival time that is later than nearly all.
    pub(super) fn level(&self) -> f64 {
        self.level
    }

    /// The earliest arrival of the last two seconds.
    pub(super) fn earliest(&self) -> f64 {
        self.earliest
    }
}

/// The smallest value such that this fraction of the values is no greater; 0 if there are none.
fn part(values: impl Iterator<Item = f64>, share: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let index = ((values.len() as f64) * share).ceil() as usize;
    values.get(index.saturating_sub(1)).copied().unwrap_or_default()
}
