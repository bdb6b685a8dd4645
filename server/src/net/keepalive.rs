//! The keepalive of a connection: pings that show whether the other end still answers, and measure the round trip.
//!
//! Pings are messages of the protocol, because pages cannot send or answer WebSocket pings. They continue while answers
//! are late: late is not lost. A peer is alive if it answers, sends anything else, or takes bytes that were blocked.

use std::time::Duration;

use tiltyard_core::least::Least;

/// The number of unanswered pings that are remembered. Answers later than the cap below are of no use.
const REMEMBERED: usize = 16;

/// The round trip to assume before the first answer.
const UNKNOWN: Duration = Duration::from_secs(1);

/// The cap of measured round trips.
const LONGEST: Duration = Duration::from_secs(30);

/// The line's round trip is the least one in this time.
const WINDOW: Duration = Duration::from_secs(10);

/// The state of one connection's pings.
#[derive(Clone, Debug)]
pub(crate) struct Keepalive {
    interval: Duration,
    allowed_misses: u32,
    next: Duration,
    number: u32,
    /// When the unanswered pings were sent, by number.
    sent: [Option<Duration>; REMEMBERED],
    /// Whether the peer has shown a sign of life since the last beat.
    alive: bool,
    misses: u32,
    least: Least,
    smoothed: Option<Duration>,
}

/// What the caller has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Nothing.
    Wait,
    /// A ping with this number.
    Ping(u32),
    /// The other end is gone.
    Silent,
}

impl Keepalive {
    /// The first ping is due at once. A peer is silent if it shows no life for `allowed_misses` intervals in a row
    /// after it.
    pub(crate) fn new(interval: Duration, allowed_misses: u32, now: Duration) -> Self {
        Self {
            interval,
            allowed_misses,
            next: now,
            number: 0,
            sent: [None; REMEMBERED],
            alive: true,
            misses: 0,
            least: Least::default(),
            smoothed: None,
        }
    }

    /// Returns what to do now. Call it often. No ping can be sent while the socket is `blocked`. Misses are counted by
    /// calls, not by the clock: after a pause of the whole server nobody is silent.
    pub(crate) fn beat(&mut self, now: Duration, blocked: bool) -> Beat {
        if now < self.next {
            return Beat::Wait;
        }
        self.next = now + self.interval;
        self.misses = if std::mem::take(&mut self.alive) { 0 } else { self.misses + 1 };
        if self.misses >= self.allowed_misses {
            return Beat::Silent;
        }
        if blocked {
            return Beat::Wait;
        }
        self.number = self.number.wrapping_add(1);
        self.sent[self.number as usize % REMEMBERED] = Some(now);
        Beat::Ping(self.number)
    }

    /// When the next ping or miss is due.
    pub(crate) fn next(&self) -> Duration {
        self.next
    }

    /// Notes a sign of life.
    pub(crate) fn note_life(&mut self) {
        self.alive = true;
    }

    /// Handles the answer to a ping, which the peer `held` for so long. An answer to an unknown ping is ignored.
    pub(crate) fn answer(&mut self, number: u32, held: Duration, now: Duration) {
        if self.number.wrapping_sub(number) as usize >= REMEMBERED {
            return;
        }
        let Some(sent) = self.sent[number as usize % REMEMBERED].take() else { return };
        self.alive = true;
        let took = now.saturating_sub(sent).saturating_sub(held).min(LONGEST);
        self.least.note(took, now, WINDOW);
        self.smoothed = Some(self.smoothed.map_or(took, |smoothed| (smoothed * 7 + took) / 8));
    }

    /// The current round trip of the line: the least of the last seconds, if there was any answer yet.
    pub(crate) fn measured(&self) -> Option<Duration> {
        self.least.get()
    }

    /// The typical round trip; 1 s before the first answer.
    pub(crate) fn round_trip(&self) -> Duration {
        self.smoothed.unwrap_or(UNKNOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn silent_is_who_shows_no_life_for_so_many_intervals_in_a_row() {
        let mut keepalive = Keepalive::new(SECOND, 3, Duration::ZERO);
        let beats: Vec<_> = (0..4).map(|second| keepalive.beat(SECOND * second, false)).collect();
        assert_eq!(beats, [Beat::Ping(1), Beat::Ping(2), Beat::Ping(3), Beat::Silent]);
    }

    #[test]
    fn who_takes_bytes_is_alive_however_late_its_answer_is_behind_them() {
        let mut keepalive = Keepalive::new(SECOND, 3, Duration::ZERO);
        assert_eq!(keepalive.beat(Duration::ZERO, false), Beat::Ping(1));
        for second in 1..20 {
            keepalive.note_life();
            assert_eq!(keepalive.beat(SECOND * second, true), Beat::Wait);
        }
        keepalive.answer(1, Duration::ZERO, SECOND * 20);
        assert_eq!(keepalive.measured(), Some(SECOND * 20));
        let beats: Vec<_> = (20..24).map(|second| keepalive.beat(SECOND * second, true)).collect();
        assert_eq!(
            beats,
            [Beat::Wait, Beat::Wait, Beat::Wait, Beat::Silent],
            "a blocked socket that takes nothing is none"
        );
    }

    #[test]
    fn several_answers_may_be_late_and_each_counts_for_its_own_ping() {
        let mut keepalive = Keepalive::new(SECOND, 9, Duration::ZERO);
        assert_eq!(keepalive.round_trip(), UNKNOWN);
        for second in 0..5 {
            assert!(matches!(keepalive.beat(SECOND * second, false), Beat::Ping(_)));
        }
        keepalive.answer(1, Duration::ZERO, SECOND * 4 + MS);
        assert_eq!(keepalive.measured(), Some(SECOND * 4 + MS), "more than a second is believed");
        keepalive.answer(4, SECOND / 4, SECOND * 5);
        assert_eq!(keepalive.measured(), Some(SECOND * 7 / 4), "the time at the peer does not count");
        keepalive.answer(4, Duration::ZERO, SECOND * 5);
        keepalive.answer(9, Duration::ZERO, SECOND * 5);
        keepalive.answer(u32::MAX, Duration::ZERO, SECOND * 5);
        assert_eq!(keepalive.measured(), Some(SECOND * 7 / 4), "what answers no ping says nothing");
        keepalive.answer(5, SECOND * 60, SECOND * 5);
        assert_eq!(
            keepalive.measured(),
            Some(Duration::ZERO),
            "nor can the peer have had it for longer than it is away"
        );
    }

    #[test]
    fn a_line_that_becomes_longer_is_known_to_be_after_some_seconds() {
        let mut keepalive = Keepalive::new(SECOND * 2, 9, Duration::ZERO);
        let mut trips = |from: u32, to: u32, trip: Duration| {
            for number in from..to {
                let now = SECOND * 2 * number;
                let Beat::Ping(ping) = keepalive.beat(now, false) else { panic!("no ping") };
                keepalive.answer(ping, Duration::ZERO, now + trip);
            }
            (keepalive.measured().expect("it was measured"), keepalive.round_trip())
        };
        assert_eq!(trips(0, 20, MS * 30), (MS * 30, MS * 30));
        let (least, smoothed) = trips(20, 24, MS * 1_530);
        assert!(least == MS * 30 && smoothed > MS * 600, "{least:?} {smoothed:?}");
        assert_eq!(trips(24, 30, MS * 1_530).0, MS * 1_530);
        assert_eq!(trips(30, 31, MS * 30).0, MS * 30, "a shorter one is believed at once");
    }

    #[test]
    fn a_pause_of_the_server_makes_nobody_silent() {
        let mut keepalive = Keepalive::new(SECOND, 5, Duration::ZERO);
        keepalive.beat(Duration::ZERO, false);
        assert_eq!(keepalive.beat(SECOND * 60, false), Beat::Ping(2));
    }
}
