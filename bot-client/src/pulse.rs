//! Is the line alive, and how long is the way there and back? Pure: says when to ping, is told of pongs. As
//! `web/sdk/pulse.js`.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// A ping goes out so often until so many were answered,
const FIRST_EVERY: Duration = Duration::from_secs(1);
const FIRST_ANSWERS: u32 = 5;
/// and so often from then on.
const EVERY: Duration = Duration::from_secs(2);
/// So many may be unanswered; the oldest beyond them are not waited for.
const OUTSTANDING: usize = 16;
/// The least round trip of this long counts.
const WINDOW: Duration = Duration::from_secs(10);
/// A round trip longer than the least one by this is asked about again at once; two in a row are the line.
const DOUBT: Duration = Duration::from_millis(90);
/// Part of a new round trip in the smoothed one.
const WEIGHT: f64 = 0.25;
/// A line on which nothing has arrived for so long and two round trips is dead,
const SILENCE: Duration = Duration::from_secs(4);
/// or for so long before the first answer;
const UNKNOWN: Duration = Duration::from_secs(5);
/// in any case for so long.
const LONGEST: Duration = Duration::from_secs(10);
/// Whoever asks so long after having asked last was asleep: what has arrived meanwhile has not been read yet.
const ASLEEP: Duration = Duration::from_secs(3);

/// The pings of one client, and what is known of its line.
#[derive(Clone, Debug)]
pub struct Pulse {
    number: u32,
    /// The pings that are not answered, and when they were sent.
    sent: VecDeque<(u32, Instant)>,
    next: Instant,
    /// The silence counts from here: something arrived, or a sleeper woke.
    since: Instant,
    asked: Instant,
    excused: bool,
    answers: u32,
    doubted: bool,
    /// When they were measured, and how long they were.
    trips: VecDeque<(Instant, Duration)>,
    smoothed: Duration,
}

impl Pulse {
    /// The pulse of a line that has just opened.
    pub fn new(now: Instant) -> Self {
        Self {
            number: 0,
            sent: VecDeque::new(),
            next: now,
            since: now,
            asked: now,
            excused: false,
            answers: 0,
            doubted: false,
            trips: VecDeque::new(),
            smoothed: Duration::ZERO,
        }
    }

    /// The line was opened anew: what was asked on the old one will not be answered, what was measured was another.
    pub fn reopen(&mut self, now: Instant) {
        *self = Self { number: self.number, ..Self::new(now) };
    }

    /// When [`Pulse::ping`] or [`Pulse::is_dead`] next has something to say.
    pub fn deadline(&self) -> Instant {
        self.next.min(self.since + self.patience())
    }

    /// The number of a ping to send now, if one is due.
    pub fn ping(&mut self, now: Instant) -> Option<u32> {
        (now >= self.next).then(|| {
            self.next = now + if self.answers < FIRST_ANSWERS { FIRST_EVERY } else { EVERY };
            self.number = self.number.wrapping_add(1);
            self.sent.push_back((self.number, now));
            if self.sent.len() > OUTSTANDING {
                self.sent.pop_front();
            }
            self.number
        })
    }

    /// Something arrived.
    pub fn heard(&mut self, now: Instant) {
        self.since = now;
        self.excused = false;
    }

    /// The answer to a ping arrived, which lay at the other end for so long. One that was not asked for says nothing.
    pub fn pong(&mut self, number: u32, held: Duration, now: Instant) {
        let Some(place) = self.sent.iter().position(|(sent, _)| *sent == number) else { return };
        let Some((_, sent)) = self.sent.remove(place) else { return };
        self.answers = (self.answers + 1).min(FIRST_ANSWERS);
        let trip = now.saturating_duration_since(sent).saturating_sub(held);
        let (least, known) = (self.round_trip(), !self.trips.is_empty());
        self.trips.retain(|(at, _)| *at + WINDOW > now);
        let longer = known && trip > least + DOUBT;
        let believed = longer && self.doubted;
        if believed {
            self.trips.drain(..self.trips.len().saturating_sub(1));
        } else if longer {
            self.next = now;
        }
        self.doubted = longer && !believed;
        self.trips.push_back((now, trip));
        let jumps = !known || believed || trip + DOUBT < self.smoothed;
        self.smoothed = if jumps { trip } else { self.smoothed.mul_f64(1.0 - WEIGHT) + trip.mul_f64(WEIGHT) };
    }

    /// The least round trip of the line as it is now: of ten seconds, or since it became longer; 0 before the first.
    pub fn round_trip(&self) -> Duration {
        self.trips.iter().map(|(_, trip)| *trip).min().unwrap_or_default()
    }

    /// The usual round trip of late; 0 before the first.
    pub fn smoothed(&self) -> Duration {
        self.smoothed
    }

    /// Whether nothing has arrived for so long that the line must be broken. Ask at least every two seconds.
    pub fn is_dead(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.asked) > ASLEEP && !self.excused {
            // What has come is read now, and an answer to a new ping is waited for; once, or a sleeper never hears.
            self.excused = true;
            self.since = now;
            self.next = now;
        }
        self.asked = now;
        now.saturating_duration_since(self.since) >= self.patience()
    }

    fn patience(&self) -> Duration {
        if self.trips.is_empty() { UNKNOWN } else { LONGEST.min(SILENCE + 2 * self.smoothed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Asks and is answered, as often as a pulse wishes; returns how often.
    fn beat(pulse: &mut Pulse, start: Instant, span: std::ops::Range<u32>, trip: u32) -> usize {
        let times = span.step_by(10).map(|at| start + at * MS);
        times
            .filter(|now| {
                let number = pulse.ping(*now);
                if let Some(number) = number {
                    pulse.heard(*now + trip * MS);
                    pulse.pong(number, Duration::ZERO, *now + trip * MS);
                }
                assert!(!pulse.is_dead(*now));
                number.is_some()
            })
            .count()
    }

    #[test]
    fn round_trips_are_measured_at_once_each_second_at_first_then_every_two() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        assert_eq!((beat(&mut pulse, start, 0..10, 40), pulse.round_trip()), (1, 40 * MS));
        assert_eq!(beat(&mut pulse, start, 10..4010, 40), 4);
        assert_eq!(beat(&mut pulse, start, 4010..14_010, 40), 5);
    }

    #[test]
    fn what_an_answer_lay_at_the_other_end_is_no_part_of_the_round_trip() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        let number = pulse.ping(start).unwrap();
        pulse.pong(77, Duration::ZERO, start + MS);
        assert_eq!(pulse.round_trip(), Duration::ZERO, "what was not asked for says nothing");
        pulse.pong(number, 30 * MS, start + 100 * MS);
        assert_eq!(pulse.round_trip(), 70 * MS);
    }

    #[test]
    fn a_slower_line_is_believed_with_the_second_answer_and_a_faster_one_with_the_first() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        beat(&mut pulse, start, 0..20_000, 40);
        assert_eq!((beat(&mut pulse, start, 20_000..22_000, 640), pulse.round_trip()), (2, 640 * MS));
        beat(&mut pulse, start, 22_000..24_000, 40);
        assert_eq!((pulse.round_trip(), pulse.smoothed()), (40 * MS, 40 * MS));
    }

    #[test]
    fn half_open_is_noticed_within_five_seconds_and_a_slow_line_that_delivers_is_alive() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        beat(&mut pulse, start, 0..4000, 40);
        assert!(!pulse.is_dead(start + 5000 * MS));
        assert!(!pulse.is_dead(start + 7119 * MS));
        assert!(pulse.is_dead(start + 7120 * MS));
        let mut slow = Pulse::new(start);
        beat(&mut slow, start, 0..10_000, 1500);
        assert!((10..16).all(|second| !slow.is_dead(start + second * 1000 * MS)));
    }

    #[test]
    fn who_was_asleep_reads_first_what_has_arrived_and_asks_once() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        beat(&mut pulse, start, 0..4000, 40);
        assert!(!pulse.is_dead(start + 34_000 * MS));
        assert!(pulse.ping(start + 34_000 * MS).is_some(), "asked at once");
        assert!(pulse.is_dead(start + 38_080 * MS), "nobody answers");
    }
}
