//! When a connection is tried again, for how long an attempt may hang, and when it is time to give up. Pure. As
//! `web/sdk/connection/attempts.js`.

use std::time::{Duration, Instant};

use crate::backoff::Backoff;

/// An attempt may hang for so long on a line of which nothing is known,
const CONNECT: Duration = Duration::from_secs(5);
/// and for so long, or for so many round trips, on one that was good;
const QUICK: Duration = Duration::from_secs(1);
const TRIPS: u32 = 5;
/// but longer after each so many attempts that hung: the line may have become a slower one.
const HUNG: u32 = 12;
/// A connection that has lived for so long was a good one: what failed before it is forgotten.
const ALIVE: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub(super) struct Attempts {
    /// How many failed on end.
    pub(super) count: u32,
    /// No attempt begins later; `None` for ever.
    pub(super) until: Option<Instant>,
    /// None begins earlier, since the server said so.
    pub(super) not_before: Instant,
    /// Those that hung.
    hung: u32,
    /// The round trip of the line when it was good.
    trip: Option<Duration>,
    /// When the present attempt began, and since when there is no connection.
    began: Instant,
    away: Instant,
}

impl Attempts {
    /// None yet; one tries for so long, or for ever.
    pub(super) fn new(now: Instant, patience: Option<Duration>) -> Self {
        let until = patience.map(|patience| now + patience);
        Self { count: 0, until, not_before: now, hung: 0, trip: None, began: now, away: now }
    }

    pub(super) fn begin(&mut self, now: Instant) {
        self.began = now;
    }

    /// How long a socket may take to open.
    pub(super) fn patience(&self) -> Duration {
        self.trip.map_or(CONNECT, |trip| (QUICK.max(TRIPS * trip) * (1 + self.hung / HUNG)).min(CONNECT))
    }

    /// The present attempt hung.
    pub(super) fn hung(&mut self) {
        self.hung = self.hung.saturating_add(1);
    }

    /// A connection is lost that was good for so long, on a line of this round trip; what it may come back to is kept for
    /// so long.
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

    /// The present attempt failed, or a connection was lost, and no other shall begin within `wait`. Returns when one does.
    pub(super) fn failed(&mut self, now: Instant, wait: Duration, backoff: &Backoff, random: f64) -> Instant {
        self.count = self.count.saturating_add(1);
        self.not_before = now + wait;
        let planned = self.began + backoff.wait(self.count, now.saturating_duration_since(self.away), random);
        // The last attempt comes when the time is over, not before: who gives up has just tried.
        self.until.map_or(planned, |until| planned.min(until)).max(self.not_before)
    }

    /// Whether there is no time for another one.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now >= until || self.not_before > until)
    }

    /// Somebody wants to try after all, for so long.
    pub(super) fn revive(&mut self, now: Instant, patience: Duration) {
        self.count = 0;
        self.hung = 0;
        self.until = Some(now + patience);
    }
}
