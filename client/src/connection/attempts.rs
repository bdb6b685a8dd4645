//! The timing of attempts: when to try again, how long an attempt may hang, and when to give up. Pure. As
//! `web/sdk/connection/attempts.js`.

use std::time::{Duration, Instant};

use crate::backoff::Backoff;

/// How long an attempt may hang on a line of which nothing is known.
const CONNECT: Duration = Duration::from_secs(5);
/// How long, or for how many round trips if that is longer, an attempt may hang on a line that was good.
const QUICK: Duration = Duration::from_secs(1);
const TRIPS: u32 = 5;
/// That time is extended after every so many attempts that hung: the line may have become slower.
const HUNG: u32 = 12;
/// A connection that has lived for so long was good: failures before it are forgotten.
const ALIVE: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub(super) struct Attempts {
    /// The number of failures in a row.
    pub(super) count: u32,
    /// The latest time at which an attempt may begin; `None` for ever.
    pub(super) until: Option<Instant>,
    /// The earliest time at which an attempt may begin, as told by the server.
    pub(super) not_before: Instant,
    /// The number of attempts that hung.
    hung: u32,
    /// The round trip of the line when it was good.
    trip: Option<Duration>,
    /// When the present attempt began, and when the connection was lost.
    began: Instant,
    away: Instant,
}

impl Attempts {
    /// No attempts yet. They may go on for `patience`, or for ever.
    pub(super) fn new(now: Instant, patience: Option<Duration>) -> Self {
        let until = patience.map(|patience| now + patience);
        Self { count: 0, until, not_before: now, hung: 0, trip: None, began: now, away: now }
    }

    pub(super) fn begin(&mut self, now: Instant) {
        self.began = now;
    }

    /// The time that a socket has to open.
    pub(super) fn patience(&self) -> Duration {
        self.trip.map_or(CONNECT, |trip| (QUICK.max(TRIPS * trip) * (1 + self.hung / HUNG)).min(CONNECT))
    }

    /// Notes that the present attempt hung.
    pub(super) fn hung(&mut self) {
        self.hung = self.hung.saturating_add(1);
    }

    /// Notes the loss of a connection that has lived for so long, on a line with this round trip. The seat is kept for
    /// `grace`.
    pub(super) fn lost(&mut self, now: Instant, lived: Duration, trip: Duration, grace: Option<Duration>) {
        if lived >= ALIVE {
            self.count = 0;
            self.hung = 0;
        }
        self.trip = Some(trip);
        self.began = now;
        self.away = now;
        self.until = grace.map(|grace| now + grace);
    }

    /// Notes a failed attempt or a lost connection. No other begins within `wait`. Returns when the next one begins.
    pub(super) fn failed(&mut self, now: Instant, wait: Duration, backoff: &Backoff, random: f64) -> Instant {
        self.count = self.count.saturating_add(1);
        self.not_before = now + wait;
        let planned = self.began + backoff.wait(self.count, now.saturating_duration_since(self.away), random);
        // The last attempt is made when the time is over, not before: a client that gives up has just tried.
        self.until.map_or(planned, |until| planned.min(until)).max(self.not_before)
    }

    /// Whether there is no time for another attempt.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now >= until || self.not_before > until)
    }

    /// Allows further attempts for so long.
    pub(super) fn revive(&mut self, now: Instant, patience: Duration) {
        self.count = 0;
        self.hung = 0;
        self.until = Some(now + patience);
    }
}
