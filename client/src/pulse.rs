//! The pulse of a line: whether it is alive, and its round trip. Pure: it says when to ping, and is told of pongs. As
//! `web/sdk/pulse.js`.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The interval of pings until this many were answered. It is no multiple of a tick, so that pings meet all parts of
/// one.
const FIRST_EVERY: Duration = Duration::from_millis(1030);
const FIRST_ANSWERS: u32 = 5;
/// The interval of pings from then on.
const EVERY: Duration = Duration::from_millis(2030);
/// A ping also goes out when a lively line has been silent for so long, and again after the same time.
const QUIET: Duration = Duration::from_secs(1);
/// A line is lively if this many signs of life came in a row, each within this time of the one before.
const LIVELY: u32 = 10;
const BRISK: Duration = Duration::from_millis(500);
/// The maximum number of unanswered pings; older ones are forgotten.
const OUTSTANDING: usize = 16;
/// The time over which the least round trip is taken.
const WINDOW: Duration = Duration::from_secs(10);
/// A round trip that exceeds the least by this is checked by another ping at once; two in a row are the line's.
const DOUBT: Duration = Duration::from_millis(90);
/// The weight of a new round trip in the smoothed one.
const WEIGHT: f64 = 0.25;
/// A line is dead after a silence of this and two round trips.
const SILENCE: Duration = Duration::from_secs(4);
/// A lively line is dead after a silence of this and three round trips: TCP's next retransmission may take longer than
/// a new connection.
const SILENCE_LIVELY: Duration = Duration::from_secs(2);
/// The silence allowed before the first answer.
const UNKNOWN: Duration = Duration::from_secs(5);
/// The silence allowed in any case.
const LONGEST: Duration = Duration::from_secs(10);
/// The interval at which the caller must look.
const LOOK: Duration = Duration::from_secs(1);
/// A caller whose last look is this long ago was asleep, and has not yet read what arrived meanwhile.
const ASLEEP: Duration = Duration::from_millis(1500);

/// The pings of a client and the measurements of its line.
#[derive(Clone, Debug)]
pub struct Pulse {
    number: u32,
    /// The unanswered pings with their times.
    sent: VecDeque<(u32, Instant)>,
    next: Instant,
    /// When the last ping was sent.
    pinged: Instant,
    /// The number of signs of life in a row, each soon after the one before.
    brisk: u32,
    /// The beginning of the silence: the last sign of life, or the waking of a sleeper.
    since: Instant,
    asked: Instant,
    excused: bool,
    answers: u32,
    doubted: bool,
    /// The times and durations of measured round trips.
    trips: VecDeque<(Instant, Duration)>,
    smoothed: Duration,
}

impl Pulse {
    /// The pulse of a newly opened line.
    pub fn new(now: Instant) -> Self {
        Self {
            number: 0,
            sent: VecDeque::new(),
            next: now,
            pinged: now,
            brisk: 0,
            since: now,
            asked: now,
            excused: false,
            answers: 0,
            doubted: false,
            trips: VecDeque::new(),
            smoothed: Duration::ZERO,
        }
    }

    /// Starts anew on a new line: pings of the old one will not be answered, and its measurements do not apply.
    pub fn reopen(&mut self, now: Instant) {
        *self = Self { number: self.number, ..Self::new(now) };
    }

    /// When [`Pulse::ping`] or [`Pulse::is_dead`] must be called next.
    pub fn deadline(&self) -> Instant {
        self.due().min(self.since + self.patience()).min(self.asked + LOOK)
    }

    fn is_lively(&self) -> bool {
        self.brisk == LIVELY
    }

    /// When the next ping is due.
    fn due(&self) -> Instant {
        if self.is_lively() { self.next.min(self.since.max(self.pinged) + QUIET) } else { self.next }
    }

    /// Returns the number of a ping to send now, if one is due.
    pub fn ping(&mut self, now: Instant) -> Option<u32> {
        (now >= self.due()).then(|| {
            self.pinged = now;
            self.next = now + if self.answers < FIRST_ANSWERS { FIRST_EVERY } else { EVERY };
            self.number = self.number.wrapping_add(1);
            self.sent.push_back((self.number, now));
            if self.sent.len() > OUTSTANDING {
                self.sent.pop_front();
            }
            self.number
        })
    }

    /// Notes a sign of life.
    pub fn heard(&mut self, now: Instant) {
        let soon = now.saturating_duration_since(self.since) < BRISK;
        self.brisk = if soon { (self.brisk + 1).min(LIVELY) } else { 0 };
        self.since = now;
        self.excused = false;
    }

    /// Takes the answer to a ping, which the other end held for so long. An answer to an unknown ping is ignored.
    pub fn pong(&mut self, number: u32, held: Duration, now: Instant) {
        let Some(index) = self.sent.iter().position(|(sent, _)| *sent == number) else { return };
        let Some((_, sent)) = self.sent.remove(index) else { return };
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

    /// The line's present round trip: the least of ten seconds, or since it became longer; 0 before the first.
    pub fn round_trip(&self) -> Duration {
        self.trips.iter().map(|(_, trip)| *trip).min().unwrap_or_default()
    }

    /// The smoothed round trip; 0 before the first.
    pub fn smoothed(&self) -> Duration {
        self.smoothed
    }

    /// Whether the silence is so long that the line must be dead. Call it at least every second.
    pub fn is_dead(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.asked) > ASLEEP && !self.excused {
            // What has arrived is read now, and a new ping is given time; only once, or a sleeper would never notice.
            self.excused = true;
            self.since = now;
            self.next = now;
        }
        self.asked = now;
        now.saturating_duration_since(self.since) >= self.patience()
    }

    fn patience(&self) -> Duration {
        if self.trips.is_empty() {
            return UNKNOWN;
        }
        let lively = if self.is_lively() { SILENCE_LIVELY + 3 * self.smoothed } else { LONGEST };
        lively.min(SILENCE + 2 * self.smoothed).min(LONGEST)
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
        assert_eq!(beat(&mut pulse, start, 10..4130, 40), 4);
        assert_eq!(beat(&mut pulse, start, 4130..14_000, 40), 5);
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
        assert_eq!((beat(&mut pulse, start, 20_000..22_100, 640), pulse.round_trip()), (2, 640 * MS));
        beat(&mut pulse, start, 22_100..24_200, 40);
        assert_eq!((pulse.round_trip(), pulse.smoothed()), (40 * MS, 40 * MS));
    }

    #[test]
    fn half_open_is_noticed_within_five_seconds_and_a_slow_line_that_delivers_is_alive() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        beat(&mut pulse, start, 0..4000, 40);
        let dead = [4500, 5900, 7209, 7210].map(|at| pulse.is_dead(start + at * MS));
        assert_eq!(dead, [false, false, false, true]);
        let mut slow = Pulse::new(start);
        beat(&mut slow, start, 0..10_000, 1500);
        assert!((10..16).all(|second| !slow.is_dead(start + second * 1000 * MS)));
    }

    /// A pulse whose line has brought a frame every 50 ms, the last one at 5.3 s, and answers.
    fn lively(start: Instant, trip: u32) -> Pulse {
        let mut pulse = Pulse::new(start);
        for now in (0..=5300).step_by(50).map(|at| start + at * MS) {
            pulse.heard(now);
            if let Some(number) = pulse.ping(now) {
                pulse.pong(number, Duration::ZERO, now + trip * MS);
            }
            assert!(!pulse.is_dead(now));
        }
        pulse
    }

    #[test]
    fn a_line_that_brought_frames_is_asked_after_a_second_and_dead_after_two_and_three_round_trips() {
        let start = Instant::now();
        let mut pulse = lively(start, 40);
        assert_eq!((pulse.ping(start + 6299 * MS), pulse.deadline()), (None, start + 6300 * MS));
        assert!(pulse.ping(start + 6300 * MS).is_some());
        let dead = [6300, 7299, 7419, 7420].map(|at| pulse.is_dead(start + at * MS));
        assert_eq!(dead, [false, false, false, true]);
        let mut slower = lively(start, 2500);
        let dead = [6700, 8100, 9500, 10_900, 12_300, 13_700, 14_299, 14_300].map(|at| slower.is_dead(start + at * MS));
        assert_eq!(dead, [false, false, false, false, false, false, false, true], "as a quiet one");
    }

    #[test]
    fn a_line_that_brought_frames_and_still_answers_is_alive() {
        let start = Instant::now();
        let mut pulse = lively(start, 40);
        assert!(beat(&mut pulse, start, 5350..30_000, 40) >= 12);
    }

    #[test]
    fn a_hiccup_of_ones_own_timers_is_not_the_silence_of_a_lively_line() {
        let start = Instant::now();
        let mut pulse = lively(start, 40);
        assert!(!pulse.is_dead(start + 7900 * MS), "what has come meanwhile is not read yet");
        assert!(pulse.ping(start + 7900 * MS).is_some(), "asked at once");
        let dead = [8900, 10_019, 10_020].map(|at| pulse.is_dead(start + at * MS));
        assert_eq!(dead, [false, false, true]);
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
