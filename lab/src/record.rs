//! What a client noted while it played, and what it shows. Times are milliseconds of the machine's clock, so that those of all
//! processes can be compared.

#![expect(missing_docs, reason = "the figures are named in full")]

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What one client noted. All three kinds write this, as JSON.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Record {
    /// When it asked for its seat.
    pub asked: f64,
    /// Each frame applied: when, its tick, its bytes.
    pub frames: Vec<(f64, u32, u32)>,
    /// What was drawn, a tenth of a second each.
    pub draws: Vec<Draws>,
    /// When it resynced.
    pub resyncs: Vec<f64>,
    /// When it found its line broken, each attempt to come back.
    pub breaks: Vec<f64>,
    pub reconnects: u64,
    pub mismatches: u64,
    pub bad_frames: u64,
    /// The numbers of the events that everybody is told, as they came.
    pub events: Vec<u64>,
    /// Whether at the end it was who it was at first, with its fighter on the field.
    pub own_seat: bool,
    /// How its seat was lost, if it was.
    pub over: Option<String>,
}

/// Draws of a tenth of a second.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Draws {
    /// When it began.
    pub at: f64,
    pub count: u32,
    /// Draws for whose time no frame had come, or that showed no later time than the one before.
    pub under: u32,
    /// The sum of the delays added to what the line itself takes, in ticks.
    pub delay: f64,
    /// The sum of the ticks that were shown.
    pub tick: f64,
    /// By how many ms the latest of them came too late because the machine was busy.
    pub lag: f64,
}

/// A stretch of time.
pub type Span = (f64, f64);

impl Record {
    pub fn first_frame(&self) -> Option<f64> {
        self.frames.first().map(|frame| frame.0)
    }

    /// The fewest frames of any second of these spans; `None` if none of them lasts that long.
    pub fn least_second(&self, spans: &[Span]) -> Option<usize> {
        let count = |from: f64| self.frames.iter().filter(|frame| (from..from + 1000.0).contains(&frame.0)).count();
        let begins = |&(from, to): &Span| {
            std::iter::successors(Some(from), |at| Some(at + 100.0)).take_while(move |at| at + 1000.0 <= to)
        };
        spans.iter().flat_map(begins).map(count).min()
    }

    /// The longest time without a frame in these spans.
    pub fn longest_gap(&self, spans: &[Span]) -> f64 {
        let gaps = |&(from, to): &Span| {
            let inside = self.frames.iter().map(|frame| frame.0).filter(move |at| (from..to).contains(at));
            let all: Vec<_> = [from].into_iter().chain(inside).chain([to]).collect();
            all.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max)
        };
        spans.iter().map(gaps).fold(0.0, f64::max)
    }

    /// Draws of these spans, summed up.
    pub fn drawn(&self, spans: &[Span]) -> Draws {
        let inside = |draws: &&Draws| spans.iter().any(|span| draws.at >= span.0 && draws.at + 100.0 <= span.1);
        self.draws.iter().filter(inside).fold(Draws::default(), |sum, draws| Draws {
            at: 0.0,
            count: sum.count + draws.count,
            under: sum.under + draws.under,
            delay: sum.delay + draws.delay,
            tick: sum.tick + draws.tick,
            lag: sum.lag.max(draws.lag),
        })
    }

    /// How long after `since` the first frame came whose tick is younger than that.
    pub fn back(&self, since: f64, ticks: &Ticks) -> Option<f64> {
        let frame = self.frames.iter().find(|frame| frame.0 >= since && ticks.wall(f64::from(frame.1)) >= since)?;
        Some(frame.0 - since)
    }

    /// How old the picture is on average, in ms: from when a frame of what is drawn was at the bystander's.
    pub fn age(&self, spans: &[Span], ticks: &Ticks) -> Option<f64> {
        let inside = |draws: &&Draws| {
            draws.count > 0 && spans.iter().any(|span| draws.at >= span.0 && draws.at + 100.0 <= span.1)
        };
        let ages: Vec<_> = self.draws.iter().filter(inside).map(|draws| draws.age(ticks)).collect();
        (!ages.is_empty()).then(|| ages.iter().sum::<f64>() / ages.len() as f64)
    }

    /// Events told twice or out of order, or not told although they happened between the first and the last told.
    pub fn wrong_events(&self, witnessed: &BTreeSet<u64>) -> usize {
        let disorder = self.events.windows(2).filter(|pair| pair[0] >= pair[1]).count();
        let told: BTreeSet<_> = self.events.iter().collect();
        let missed = match (self.events.first(), self.events.last()) {
            (Some(first), Some(last)) if first < last => {
                witnessed.range(*first..*last).filter(|number| !told.contains(number)).count()
            }
            _ => 0,
        };
        disorder + missed
    }
}

impl Draws {
    pub fn share(&self) -> Option<f64> {
        (self.count > 0).then(|| 100.0 * f64::from(self.under) / f64::from(self.count))
    }

    pub fn age(&self, ticks: &Ticks) -> f64 {
        self.at + 50.0 - ticks.wall(self.tick / f64::from(self.count.max(1)))
    }
}

/// When the bystander got which tick.
#[derive(Clone, Debug, Default)]
pub struct Ticks(pub Vec<(u32, f64)>);

impl Ticks {
    /// When a tick, or a time between two, was at the bystander's; beyond what it saw, ticks take 50 ms.
    pub fn wall(&self, tick: f64) -> f64 {
        let next = self.0.partition_point(|seen| f64::from(seen.0) <= tick);
        match (next.checked_sub(1).map(|at| self.0[at]), self.0.get(next)) {
            (Some((low, from)), Some(&(high, to))) => {
                from + (to - from) * (tick - f64::from(low)) / f64::from(high - low)
            }
            (Some((last, at)), None) | (None, Some(&(last, at))) => at + (tick - f64::from(last)) * 50.0,
            (None, None) => 0.0,
        }
    }
}
