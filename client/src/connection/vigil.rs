//! The watch over the other end: how long to wait for it, and when silence means that it is gone. Pure. As
//! `web/sdk/connection/vigil.js`.

use std::time::{Duration, Instant};

use crate::pulse::Pulse;

/// How long, or how many round trips if that is longer, a doubtful line has to give a sign of life.
const DOUBT: Duration = Duration::from_millis(1500);
const TRIPS: u32 = 5;
/// A caller whose last look is this long ago was asleep, and messages of the meantime are not read yet.
const ASLEEP: Duration = Duration::from_millis(1500);

#[derive(Clone, Debug)]
pub(super) struct Vigil {
    /// When the present wait began.
    pub(super) since: Instant,
    /// The pulse of the line.
    pub(super) pulse: Pulse,
    /// The time by which the expected answer must have come.
    answer_by: Option<Instant>,
    /// The time by which any sign of life must have come.
    sign_by: Option<Instant>,
    looked: Instant,
}

impl Vigil {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, pulse: Pulse::new(now), answer_by: None, sign_by: None, looked: now }
    }

    /// Begins to wait for an answer, for so long or for ever.
    pub(super) fn begin(&mut self, now: Instant, patience: Option<Duration>) {
        self.since = now;
        self.looked = now;
        self.answer_by = patience.map(|patience| now + patience);
        self.sign_by = None;
    }

    /// Extends the wait, because the other end asks for more time.
    pub(super) fn extend(&mut self, until: Instant) {
        self.answer_by = Some(until);
    }

    /// Notes a sign of life.
    pub(super) fn heard(&mut self, now: Instant) {
        self.pulse.heard(now);
        self.sign_by = None;
    }

    /// Notes that the line may be dead: a sign of life must come soon. The caller sends a ping.
    pub(super) fn doubt(&mut self, now: Instant) {
        let by = now + DOUBT.max(TRIPS * self.pulse.smoothed());
        self.sign_by = Some(self.sign_by.map_or(by, |earlier| earlier.min(by)));
    }

    /// Whether the caller was asleep since its last look. Call it at each look, before [`Vigil::is_over`].
    pub(super) fn slept(&mut self, now: Instant) -> bool {
        let slept = now.saturating_duration_since(self.looked) > ASLEEP;
        self.looked = now;
        slept
    }

    /// Whether the wait has failed; `answers` says whether the other end answers pings yet.
    pub(super) fn is_over(&mut self, now: Instant, answers: bool) -> bool {
        let silent = answers && self.pulse.is_dead(now);
        silent || self.answer_by.into_iter().chain(self.sign_by).any(|by| by <= now)
    }

    /// When the result of [`Vigil::is_over`] may change, or a ping is due.
    pub(super) fn deadline(&self, answers: bool) -> Option<Instant> {
        let pulse = answers.then(|| self.pulse.deadline());
        self.answer_by.into_iter().chain(self.sign_by).chain(pulse).min()
    }
}
