//! The measurements of a thread's bots: counts, and two HDR histograms.

use std::{ops::AddAssign, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

/// The maximum of the histograms' range.
const LONGEST: Duration = Duration::from_secs(60);

/// Counts and times of many bots while they play.
#[derive(Clone, Debug)]
pub struct Measures {
    /// Frames applied.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The sum of the numbers of visible entities after each frame.
    pub visible: u64,
    /// Ticks without a frame although one could have come. In a busy room this means that a bot was throttled, or
    /// worse.
    pub skipped: u64,
    /// Time from one frame of a bot to its next, in microseconds.
    pub interval: Histogram<u32>,
    /// Time from sending an input to the frame that settles it, in microseconds.
    pub latency: Histogram<u32>,
}

impl Default for Measures {
    fn default() -> Self {
        let most = LONGEST.as_micros() as u64;
        let histogram = Histogram::new_with_bounds(1, most, 3).expect("these bounds are valid");
        Self { frames: 0, bytes: 0, visible: 0, skipped: 0, interval: histogram.clone(), latency: histogram }
    }
}

impl Measures {
    /// Counts an applied frame, the ticks skipped before it, and the time since the one before it.
    pub fn frame(&mut self, bytes: usize, visible: usize, skipped: u32, interval: Option<Duration>) {
        self.frames += 1;
        self.bytes += bytes as u64;
        self.visible += visible as u64;
        self.skipped += u64::from(skipped);
        if let Some(interval) = interval {
            self.interval.saturating_record(interval.as_micros() as u64);
        }
    }

    /// Records the time from sending an input to its settlement.
    pub fn settled(&mut self, after: Duration) {
        self.latency.saturating_record(after.as_micros() as u64);
    }

    /// The mean number of entities visible after a frame.
    pub fn visible_mean(&self) -> f64 {
        self.visible as f64 / self.frames.max(1) as f64
    }
}

impl AddAssign<&Self> for Measures {
    fn add_assign(&mut self, other: &Self) {
        self.frames += other.frames;
        self.bytes += other.bytes;
        self.visible += other.visible;
        self.skipped += other.skipped;
        self.interval.add(&other.interval).expect("all histograms have the same bounds");
        self.latency.add(&other.latency).expect("all histograms have the same bounds");
    }
}

/// Three quantiles of a distribution, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    /// The median.
    pub p50: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The maximum.
    pub max: f64,
}

impl From<&Histogram<u32>> for Quantiles {
    fn from(micros: &Histogram<u32>) -> Self {
        let at = |quantile| micros.value_at_quantile(quantile) as f64 / 1000.0;
        Self { p50: at(0.5), p99: at(0.99), max: micros.max() as f64 / 1000.0 }
    }
}
