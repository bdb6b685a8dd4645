//! How long one waits for the other end, and when silence means that it is gone. Pure. As `web/sdk/connection/vigil.js`.

use std::time::{Duration, Instant};

use crate::pulse::Pulse;

/// A line that is in doubt must give a sign within so long, or so many round trips.
const DOUBT: Duration = Duration::from_millis(1500);
const TRIPS: u32 = 5;
/// Whoever looks so long after having looked last was asleep, and what came meanwhile is not read yet.
const ASLEEP: Duration = Duration::from_millis(1500);

#[derive(Clone, Debug)]
pub(super) struct Vigil {
    /// When the present wait began.
    pub(super) since: Instant,
    /// Is the line alive, and how long is it?
    pub(super) pulse: Pulse,
    /// What is waited for must have come by then.
    answer_by: Option<Instant>,
    /// Anything must have come by then.
    sign_by: Option<Instant>,
    looked: Instant,
}

impl Vigil {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, pulse: Pulse::new(now), answer_by: None, sign_by: None, looked: now }
    }

    /// Something is waited for from now on, for so long or for ever.
    pub(super) fn begin(&mut self, now: Instant, patience: Option<Duration>) {
        self.since = now;
        self.looked = now;
        self.answer_by = patience.map(|patience| now + patience);
        self.sign_by = None;
    }

    /// The other end asks for more time.
    pub(super) fn extend(&mut self, until: Instant) {
        self.answer_by = Some(until);
    }

    /// Something arrived.
    pub(super) fn heard(&mut self, now: Instant) {
        self.pulse.heard(now);
        self.sign_by = None;
    }

    /// The line may have died unnoticed: a ping goes out, and a sign of life must come soon.
    pub(super) fn doubt(&mut self, now: Instant) {
        let by = now + DOUBT.max(TRIPS * self.pulse.smoothed());
        self.sign_by = Some(self.sign_by.map_or(by, |earlier| earlier.min(by)));
    }

    /// Whether the caller was asleep since it looked last. Ask with every look, before [`Vigil::is_over`].
    pub(super) fn slept(&mut self, now: Instant) -> bool {
        let slept = now.saturating_duration_since(self.looked) > ASLEEP;
        self.looked = now;
        slept
    }

    /// Whether nothing more is to be hoped for; `answers` is whether the other end answers pings by now.
    pub(super) fn is_over(&mut self, now: Instant, answers: bool) -> bool {
        let silent = answers && self.pulse.is_dead(now);
        silent || self.answer_by.into_iter().chain(self.sign_by).any(|by| by <= now)
    }

    /// When [`Vigil::is_over`] may change, or a ping is due.
    pub(super) fn deadline(&self, answers: bool) -> Option<Instant> {
        let pulse = answers.then(|| self.pulse.deadline());
        self.answer_by.into_iter().chain(self.sign_by).chain(pulse).min()
    }
}
