//! What must hold on which line: the bounds, in one table, and how a record is held against them. Pure.

#![expect(missing_docs, reason = "the figures are named in full")]

use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;

use crate::{
    Change, Profile,
    line::Line,
    record::{Record, Span, Ticks},
};

/// What a run showed.
#[derive(Debug)]
pub struct Seen<'a> {
    pub profile: &'a Profile,
    pub record: &'a Record,
    /// When the steps of the profile began to count.
    pub began: f64,
    pub ended: f64,
    /// When the process was woken, or the page shown again.
    pub woken: Option<f64>,
    pub ticks: &'a Ticks,
    pub witnessed: &'a BTreeSet<u64>,
}

/// What a profile demands beyond what all do.
#[derive(Clone, Copy, Debug, Default)]
struct Bounds {
    /// Frames in every second that counts, at least.
    least_second: Option<usize>,
    /// Percent of draws, at most.
    underruns: Option<f64>,
    /// Ticks by which the picture is older than the line makes it, at most.
    delay: Option<f64>,
    /// Resyncs in all, at most.
    resyncs: Option<usize>,
    /// Resyncs and reconnects a minute, at most.
    recoveries: Option<f64>,
    /// From asking to the first frame, ms.
    entered: Option<f64>,
    /// No gap between frames is longer, ms.
    gap: Option<f64>,
    /// A silence is noticed after so many ms.
    noticed: Option<f64>,
    /// Frames of after a hole come so many ms after it.
    back: Option<f64>,
}

fn bounds(profile: &Profile) -> Bounds {
    let calm = Bounds { recoveries: Some(1.0), ..Bounds::default() };
    let smooth = |underruns: f64| Bounds { underruns: Some(underruns), ..calm };
    let eight_trips = 8.0 * millis(usual_round_trip(profile));
    match profile.name.as_str() {
        "good" => Bounds { delay: Some(2.0), ..smooth(1.0) },
        "4g" | "starlink" => smooth(1.0),
        "jitter-150" => Bounds { delay: Some(5.0), ..smooth(1.0) },
        "wifi" => smooth(1.5),
        "3g" | "lossy" => smooth(3.0),
        "capped" => Bounds { entered: Some(12_000.0), gap: Some(1_000.0), ..calm },
        "train" => Bounds { back: Some(1_000.0 + eight_trips), ..Bounds::default() },
        "half-open" => Bounds { noticed: Some(6_000.0), ..Bounds::default() },
        "sleep" | "hidden" => Bounds { back: Some(1_000.0), ..Bounds::default() },
        "hung-connect" => Bounds::default(),
        step if step.starts_with("step-") => {
            Bounds { least_second: Some(19), underruns: Some(1.0), resyncs: Some(1), ..Bounds::default() }
        }
        _ => calm,
    }
}

/// One claim, and what was seen of it.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    pub claim: String,
    pub seen: String,
    pub holds: bool,
}

/// The figures of a row of the table.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Figures {
    pub entered: Option<f64>,
    pub least_second: Option<usize>,
    pub underruns: Option<f64>,
    pub delay: Option<f64>,
    pub age: Option<f64>,
    pub resyncs: usize,
    pub reconnects: u64,
    pub mismatches: u64,
    pub bad_frames: u64,
    pub events: usize,
    pub wrong_events: usize,
    pub own_seat: bool,
    /// The longest time from a change for the better to frames of after it.
    pub back: Option<f64>,
    /// The longest time from a silence to the first attempt to come back.
    pub noticed: Option<f64>,
    pub longest_gap: f64,
    /// How late the client's own timers were at worst, ms.
    pub lag: f64,
    pub over: Option<String>,
}

impl Seen<'_> {
    /// When the line is as it will be for long, for frames and for draws. Steps take their time to get used to.
    fn settled(&self) -> (Vec<Span>, Vec<Span>) {
        let trip = |line: &Line| millis(line.conditions().up.round_trip);
        let mut line = Line::new(self.profile.clone(), 0);
        line.begin(Duration::ZERO);
        let steps = &self.profile.steps;
        let (mut rates, mut draws) = (Vec::new(), Vec::new());
        let mut add = |from: f64, wait: f64, to: f64| {
            rates.extend((from + wait < to).then_some((from + wait, to)));
            draws.extend((from + wait + 2_000.0 < to).then_some((from + wait + 2_000.0, to)));
        };
        let end = |index: usize| steps.get(index).map_or(self.ended, |step| self.began + millis(step.at));
        if steps.first().is_none_or(|step| !step.at.is_zero()) {
            add(self.began - 2_000.0, 2_000.0, end(0));
        }
        for (index, step) in steps.iter().enumerate() {
            line.advance(step.at);
            let is_usable = line.conditions().answers();
            if matches!(step.change, Change::Delay { .. }) && is_usable {
                add(self.began + millis(step.at), 1_500.0 + 1.5 * trip(&line), end(index + 1));
            }
        }
        (rates, draws)
    }

    /// The times from which frames must come again: ends of holes, and of sleep.
    fn ends_of_holes(&self) -> Vec<f64> {
        let resumed = |step: &&crate::profile::Step| step.change == Change::Resume;
        let ends = self.profile.steps.iter().filter(resumed).map(|step| self.began + millis(step.at));
        ends.chain(self.woken).collect()
    }

    /// The times at which nothing passes any more.
    fn silences(&self) -> Vec<f64> {
        let silent = |step: &&crate::profile::Step| matches!(step.change, Change::Silence(_));
        self.profile.steps.iter().filter(silent).map(|step| self.began + millis(step.at)).collect()
    }

    pub fn figures(&self) -> Figures {
        let record = self.record;
        let (rates, draws) = self.settled();
        let drawn = record.drawn(&draws);
        // What never came counts as long as the run.
        let never = self.ended - self.began;
        let worst = |times: Vec<Option<f64>>| times.into_iter().map(|time| time.unwrap_or(never)).reduce(f64::max);
        let back = self.ends_of_holes().into_iter().map(|since| record.back(since, self.ticks)).collect();
        let noticed = |since: f64| record.breaks.iter().find(|at| **at >= since).map(|at| at - since);
        Figures {
            entered: record.first_frame().map(|at| at - record.asked),
            least_second: record.least_second(&rates),
            underruns: drawn.share(),
            delay: (drawn.count > 0).then(|| drawn.delay / f64::from(drawn.count)),
            age: record.age(&draws, self.ticks),
            resyncs: record.resyncs.len(),
            reconnects: record.reconnects,
            mismatches: record.mismatches,
            bad_frames: record.bad_frames,
            events: record.events.len(),
            wrong_events: record.wrong_events(self.witnessed),
            own_seat: record.own_seat,
            back: worst(back),
            noticed: worst(self.silences().into_iter().map(noticed).collect()),
            longest_gap: record.longest_gap(&rates),
            lag: drawn.lag,
            over: record.over.clone(),
        }
    }

    /// Holds the figures against what must be.
    pub fn judge(&self, figures: &Figures) -> Vec<Verdict> {
        let bounds = bounds(self.profile);
        let mut all = Vec::new();
        let mut claim = |claim: String, seen: String, holds: bool| all.push(Verdict { claim, seen, holds });
        let Figures { mismatches, bad_frames, events, wrong_events, own_seat, over, .. } = figures;
        claim(
            "mismatches and bad frames: 0".to_owned(),
            (mismatches + bad_frames).to_string(),
            mismatches + bad_frames == 0,
        );
        claim(
            "every event once, in order".to_owned(),
            format!("{events} told, {wrong_events} wrong"),
            *wrong_events == 0 && *events > 0,
        );
        let seat = over.clone().unwrap_or_else(|| if *own_seat { "its own" } else { "another, or none" }.to_owned());
        claim("the own seat at the end".to_owned(), seat, *own_seat && over.is_none());
        let minutes = (self.ended - self.began) / 60_000.0;
        let recoveries = figures.resyncs as f64 + figures.reconnects as f64;
        let mut at_most = |name: &str, bound: Option<f64>, seen: Option<f64>| {
            if let Some(bound) = bound {
                let text = seen.map_or("none".to_owned(), |seen| format!("{seen:.1}"));
                claim(format!("{name}: at most {bound}"), text, seen.is_some_and(|seen| seen <= bound));
            }
        };
        at_most("underruns, %", bounds.underruns, figures.underruns);
        at_most("delay added, ticks", bounds.delay, figures.delay);
        at_most("resyncs", bounds.resyncs.map(|resyncs| resyncs as f64), Some(figures.resyncs as f64));
        // One is one, also in less than a minute.
        at_most("resyncs and reconnects", bounds.recoveries.map(|each| (each * minutes).ceil()), Some(recoveries));
        at_most("first frame, ms", bounds.entered, figures.entered);
        at_most("longest gap between frames, ms", bounds.gap, Some(figures.longest_gap));
        at_most("silence noticed, ms", bounds.noticed, figures.noticed);
        at_most("back, ms", bounds.back.map(f64::round), figures.back);
        if let Some(bound) = bounds.least_second {
            let least = figures.least_second.unwrap_or(0);
            claim(format!("frames in every second: at least {bound}"), least.to_string(), least >= bound);
        }
        all
    }
}

fn usual_round_trip(profile: &Profile) -> Duration {
    Line::new(profile.clone(), 0).conditions().up.round_trip
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
