//! Pings: whether the other end still answers, and how long the way there and back is.

use std::time::Duration;

/// Round trips that are remembered: with a ping every 2 s those of the last 30 s.
const REMEMBERED: usize = 15;

/// The round trip of who has not answered yet, and the most that is believed.
const LONGEST: Duration = Duration::from_secs(1);

/// The state of one connection's pings.
#[derive(Clone, Debug)]
pub(crate) struct Heartbeat {
    interval: Duration,
    allowed_misses: u32,
    next: Duration,
    number: u32,
    /// When the ping was sent that has not been answered yet.
    waiting: Option<Duration>,
    misses: u32,
    /// In microseconds: a connection should be small, because ticks go through all of them.
    round_trips: [u32; REMEMBERED],
    answered: u32,
    /// The least of them: asked for with every frame.
    least: Duration,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Nothing.
    Wait,
    /// A ping with this number.
    Ping(u32),
    /// The other end is gone.
    Silent,
}

impl Heartbeat {
    /// The first ping is due at once. Silent is who lets so many in a row pass, each for an interval.
    pub(crate) fn new(interval: Duration, allowed_misses: u32, now: Duration) -> Self {
        Self {
            interval,
            allowed_misses,
            next: now,
            number: 0,
            waiting: None,
            misses: 0,
            round_trips: [LONGEST.as_micros() as u32; REMEMBERED],
            answered: 0,
            least: LONGEST,
        }
    }

    /// To be asked often. While the socket is `blocked` no ping can be sent, which counts as one not answered. Misses are
    /// counted when asked, not by the clock: after a pause of the whole server nobody is silent.
    pub(crate) fn beat(&mut self, now: Duration, blocked: bool) -> Beat {
        if now < self.next {
            return Beat::Wait;
        }
        self.next = now + self.interval;
        if self.waiting.is_some() || blocked {
            self.misses += 1;
            return if self.misses >= self.allowed_misses { Beat::Silent } else { Beat::Wait };
        }
        self.number = self.number.wrapping_add(1);
        self.waiting = Some(now);
        Beat::Ping(self.number)
    }

    /// When the next ping or miss is due.
    pub(crate) fn next(&self) -> Duration {
        self.next
    }

    /// A ping was answered. Answers to other pings than the last are passed over.
    pub(crate) fn answer(&mut self, number: u32, now: Duration) {
        if number != self.number {
            return;
        }
        if let Some(sent) = self.waiting.take() {
            self.misses = 0;
            let took = now.saturating_sub(sent).min(LONGEST);
            self.round_trips[self.answered as usize % REMEMBERED] = took.as_micros() as u32;
            self.answered = self.answered.wrapping_add(1);
            self.least = self.round_trips.iter().min().map_or(LONGEST, |&micros| Duration::from_micros(micros.into()));
        }
    }

    /// The least round trip remembered, if there was any answer yet.
    pub(crate) fn measured(&self) -> Option<Duration> {
        (self.answered > 0).then(|| self.round_trip())
    }

    /// The least round trip remembered, at most 1 s; 1 s before the first answer.
    pub(crate) fn round_trip(&self) -> Duration {
        self.least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn silent_is_who_misses_so_many_intervals_in_a_row() {
        let mut heart = Heartbeat::new(SECOND, 3, Duration::ZERO);
        let beats: Vec<_> = (0..4).map(|second| heart.beat(SECOND * second, false)).collect();
        assert_eq!(beats, [Beat::Ping(1), Beat::Wait, Beat::Wait, Beat::Silent]);
    }

    #[test]
    fn an_answer_starts_the_count_again_and_measures() {
        let mut heart = Heartbeat::new(SECOND, 2, Duration::ZERO);
        assert_eq!(heart.beat(Duration::ZERO, false), Beat::Ping(1));
        assert_eq!(heart.round_trip(), LONGEST);
        assert_eq!(heart.beat(SECOND, true), Beat::Wait);
        heart.answer(1, SECOND + Duration::from_millis(20));
        assert_eq!(heart.round_trip(), LONGEST);
        assert_eq!(heart.beat(SECOND * 2, false), Beat::Ping(2));
        heart.answer(1, SECOND * 2);
        heart.answer(2, SECOND * 2 + Duration::from_millis(20));
        assert_eq!(heart.round_trip(), Duration::from_millis(20));
    }

    #[test]
    fn a_round_trip_is_forgotten_in_time() {
        let mut heart = Heartbeat::new(SECOND, 2, Duration::ZERO);
        let mut pass = |from: u32, to: u32, trip: Duration| {
            for second in from..to {
                let Beat::Ping(number) = heart.beat(SECOND * second, false) else { panic!("no ping") };
                heart.answer(number, SECOND * second + trip);
            }
            heart.round_trip()
        };
        assert_eq!(pass(0, 1, Duration::from_millis(5)), Duration::from_millis(5));
        assert_eq!(pass(1, 15, Duration::from_millis(90)), Duration::from_millis(5));
        assert_eq!(pass(15, 16, Duration::from_millis(90)), Duration::from_millis(90));
    }

    #[test]
    fn a_pause_of_the_server_makes_nobody_silent() {
        let mut heart = Heartbeat::new(SECOND, 5, Duration::ZERO);
        heart.beat(Duration::ZERO, false);
        assert_eq!(heart.beat(SECOND * 60, false), Beat::Wait);
    }
}
