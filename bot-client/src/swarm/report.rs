//! The results of a swarm: one [`BotReport`] per bot and one [`Report`] of all, as a table and as JSON.

use std::{
    fmt,
    time::{Duration, Instant},
};

use serde::Serialize;
use tiltyard_shared::game::Tick;

use super::{Measures, measures::Quantiles};
use tiltyard_client::session::Counts;

/// The number of complaints that are kept as text; all are counted.
const COMPLAINTS: usize = 10;

/// The results of one bot.
#[derive(Clone, Debug, Default)]
pub struct BotReport {
    /// Whether it got a seat.
    pub entered: bool,
    /// The counts of its session.
    pub counts: Counts,
    /// Errors of any kind except mismatches.
    pub errors: u64,
    /// Events of the game that it received.
    pub events: u64,
    /// Frames that reported dropped events.
    pub events_lost: u64,
    /// Inputs that were not sent because too many were unanswered.
    pub inputs_held_back: u64,
    /// Games played to their end.
    pub games_finished: u64,
    /// Descriptions of its errors.
    pub complaints: Vec<String>,
    /// In this room: the first and the last frame before it left, and the number of frames after the first.
    seen: Option<(Moment, Moment, u64)>,
    /// In earlier rooms: the number of frames after the first, the time from the first to the last, and the ticks in
    /// that time.
    past: (u64, Duration, u64),
}

#[derive(Clone, Copy, Debug)]
struct Moment {
    tick: Tick,
    at: Instant,
}

impl BotReport {
    /// Notes a new seat.
    pub fn enter(&mut self) {
        self.past = self.played();
        self.seen = None;
        self.entered = true;
    }

    /// Notes that no seat could be had.
    pub fn failed(&mut self, complaint: String) {
        self.errors += 1;
        self.complaints.push(complaint);
    }

    /// Notes a frame.
    pub fn saw(&mut self, tick: Tick, at: Instant) {
        let this = Moment { tick, at };
        let (first, _, between) = self.seen.map_or((this, this, 0), |(first, last, count)| (first, last, count + 1));
        self.seen = Some((first, this, between));
    }

    /// Frames per second from the first to the last of each room; 0 with fewer than two.
    pub fn frames_per_second(&self) -> f64 {
        let (frames, time, _) = self.played();
        if time > Duration::ZERO { frames as f64 / time.as_secs_f64() } else { 0.0 }
    }

    /// Over all rooms: the number of frames after the first, the time from the first to the last, and the ticks in that
    /// time.
    fn played(&self) -> (u64, Duration, u64) {
        let (frames, time, ticks) = self.past;
        self.seen.map_or(self.past, |(first, last, between)| {
            let here = u64::from(last.tick.0.saturating_sub(first.tick.0)) + 1;
            (frames + between, time + (last.at - first.at), ticks + here)
        })
    }
}

/// The results of all bots.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The number of bots.
    pub bots: usize,
    /// The number of bots that got a seat.
    pub connected: usize,
    /// The time from the start to the last goodbye, in seconds.
    pub seconds: f64,
    /// Frames applied while playing.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes per bot and tick of its room.
    pub bytes_per_bot_tick: f64,
    /// The frames per second of the bot with the fewest.
    pub frames_per_second_min: f64,
    /// The mean number of entities visible after a frame.
    pub entities_visible_mean: f64,
    /// Ticks without a frame although one could have come, over all bots, because nothing moved or a bot was throttled.
    pub ticks_skipped: u64,
    /// Frames after which the state differed from the server's.
    pub mismatches: u64,
    /// All other errors.
    pub errors: u64,
    /// Resyncs, for lag or after a mismatch or error.
    pub resyncs: u64,
    /// Seats resumed after a line broke.
    pub reconnects: u64,
    /// Games played to their end, counted once for each bot in them.
    pub games_finished: u64,
    /// Events received.
    pub events: u64,
    /// Frames that reported dropped events.
    pub events_lost: u64,
    /// Inputs that the server refused because they were too early or too late.
    pub inputs_refused: u64,
    /// Inputs that were not sent because too many were unanswered.
    pub inputs_held_back: u64,
    /// The time from one frame of a bot to its next.
    pub interval_ms: Quantiles,
    /// The time from sending an input to the frame that settles it.
    pub latency_ms: Quantiles,
    /// Descriptions of the first errors.
    pub complaints: Vec<String>,
}

impl Report {
    /// Makes the report.
    pub fn new(measures: &Measures, bots: Vec<BotReport>, mut complaints: Vec<String>, seconds: f64) -> Self {
        let sum = |of: fn(&BotReport) -> u64| bots.iter().map(of).sum::<u64>();
        let slowest = bots.iter().map(BotReport::frames_per_second).reduce(f64::min);
        let mut report = Self {
            bots: bots.len(),
            connected: bots.iter().filter(|bot| bot.entered).count(),
            seconds,
            frames: measures.frames,
            bytes: measures.bytes,
            bytes_per_bot_tick: measures.bytes as f64 / sum(|bot| bot.played().2).max(1) as f64,
            frames_per_second_min: slowest.unwrap_or(0.0),
            entities_visible_mean: measures.visible_mean(),
            ticks_skipped: measures.skipped,
            mismatches: sum(|bot| bot.counts.mismatches),
            errors: sum(|bot| bot.errors) + complaints.len() as u64,
            resyncs: sum(|bot| bot.counts.resyncs),
            reconnects: sum(|bot| bot.counts.reconnects),
            games_finished: sum(|bot| bot.games_finished),
            events: sum(|bot| bot.events),
            events_lost: sum(|bot| bot.events_lost),
            inputs_refused: sum(|bot| bot.counts.inputs_refused),
            inputs_held_back: sum(|bot| bot.inputs_held_back),
            interval_ms: (&measures.interval).into(),
            latency_ms: (&measures.latency).into(),
            complaints: Vec::new(),
        };
        complaints.extend(bots.into_iter().flat_map(|bot| bot.complaints));
        complaints.truncate(COMPLAINTS);
        report.complaints = complaints;
        report
    }

    /// Whether nothing went wrong.
    pub fn is_clean(&self) -> bool {
        self.mismatches == 0 && self.errors == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name: &str, value: String| writeln!(f, "{name:<28}{value:>34}");
        let times = |of: &Quantiles| format!("{:.1} / {:.1} / {:.1} ms", of.p50, of.p99, of.max);
        row(f, "connected", format!("{} of {}", self.connected, self.bots))?;
        row(f, "seconds", format!("{:.1}", self.seconds))?;
        row(f, "frames", self.frames.to_string())?;
        row(f, "bytes", self.bytes.to_string())?;
        row(f, "bytes per bot and tick", format!("{:.1}", self.bytes_per_bot_tick))?;
        row(f, "frames/s, least of all bots", format!("{:.2}", self.frames_per_second_min))?;
        row(f, "visible entities, mean", format!("{:.1}", self.entities_visible_mean))?;
        row(f, "frame interval p50/p99/max", times(&self.interval_ms))?;
        row(f, "input to state p50/p99/max", times(&self.latency_ms))?;
        row(f, "events (losses told)", format!("{} ({})", self.events, self.events_lost))?;
        row(f, "games finished, by all bots", self.games_finished.to_string())?;
        row(f, "inputs refused (held back)", format!("{} ({})", self.inputs_refused, self.inputs_held_back))?;
        row(f, "ticks without a frame", self.ticks_skipped.to_string())?;
        row(f, "resyncs", self.resyncs.to_string())?;
        row(f, "reconnects", self.reconnects.to_string())?;
        row(f, "mismatches", self.mismatches.to_string())?;
        row(f, "errors", self.errors.to_string())?;
        self.complaints.iter().try_for_each(|complaint| writeln!(f, "  ! {complaint}"))
    }
}
