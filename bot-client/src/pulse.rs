//! Is the line alive, and how long is the way there and back? Pure: says when to ping, is told of pongs.

use std::time::{Duration, Instant};

/// A ping goes out so often.
const PING_EVERY: Duration = Duration::from_secs(5);
/// A line on which nothing has arrived for so long is dead.
const DEAD_AFTER: Duration = Duration::from_secs(20);
/// The least round trip of this long counts (and of at most as long before it).
const WINDOW: Duration = Duration::from_secs(15);
/// No round trip counts as longer.
const LONGEST: Duration = Duration::from_secs(1);

/// The pings of one client.
#[derive(Clone, Debug)]
pub struct Pulse {
    number: u64,
    sent: Option<Instant>,
    next: Instant,
    heard: Instant,
    window_start: Instant,
    this_window: Option<Duration>,
    last_window: Option<Duration>,
}

impl Pulse {
    /// The pulse of a line that has just opened.
    pub fn new(now: Instant) -> Self {
        Self { number: 0, sent: None, next: now, heard: now, window_start: now, this_window: None, last_window: None }
    }

    /// The line was opened anew: what was asked on the old one will not be answered.
    pub fn reopen(&mut self, now: Instant) {
        self.sent = None;
        self.next = now;
        self.heard = now;
    }

    /// When [`Pulse::ping`] or [`Pulse::is_dead`] next has something to say.
    pub fn deadline(&self) -> Instant {
        self.next.min(self.heard + DEAD_AFTER)
    }

    /// The number of a ping to send now, if one is due.
    pub fn ping(&mut self, now: Instant) -> Option<u64> {
        (now >= self.next).then(|| {
            self.next = now + PING_EVERY;
            self.number += 1;
            self.sent = Some(now);
            self.number
        })
    }

    /// Something arrived.
    pub fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// The answer to a ping arrived. Answers to older ones say nothing.
    pub fn pong(&mut self, number: u64, now: Instant) {
        if number != self.number {
            return;
        }
        let Some(sent) = self.sent.take() else { return };
        if now.saturating_duration_since(self.window_start) >= WINDOW {
            self.window_start = now;
            self.last_window = self.this_window.take();
        }
        let trip = now.saturating_duration_since(sent).min(LONGEST);
        self.this_window = Some(self.this_window.map_or(trip, |least| least.min(trip)));
    }

    /// The least round trip of the last 15 to 30 s, at most 1 s; 0 before the first.
    pub fn round_trip(&self) -> Duration {
        self.this_window.into_iter().chain(self.last_window).min().unwrap_or_default()
    }

    /// Whether nothing has arrived for so long that the line must be broken.
    pub fn is_dead(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.heard) >= DEAD_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_least_round_trip_counts_and_is_forgotten_after_two_windows() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        for (at, trip, least) in [(0, 30, 30), (5, 90, 30), (10, 50, 30), (15, 70, 30), (31, 40, 40), (47, 3000, 40)] {
            let now = start + Duration::from_secs(at);
            let number = pulse.ping(now).unwrap();
            assert_eq!(pulse.ping(now + MS), None);
            pulse.pong(number, now + trip * MS);
            assert_eq!(pulse.round_trip(), least * MS, "at {at} s");
        }
    }

    #[test]
    fn a_silent_line_is_dead_and_an_answer_to_another_ping_is_none() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        pulse.ping(start);
        pulse.pong(77, start + MS);
        assert_eq!(pulse.round_trip(), Duration::ZERO);
        assert!(!pulse.is_dead(start + DEAD_AFTER - MS));
        assert!(pulse.is_dead(start + DEAD_AFTER));
        pulse.heard(start + DEAD_AFTER);
        assert!(!pulse.is_dead(start + DEAD_AFTER));
    }
}
