//! How often a seat gets a frame: as often as it applies them.
//!
//! Compares the frames that were due to a seat with those that it reports applied. Frames missing in a single silence
//! are no sign of a slow line: the way has become longer, or a stall is being made up for. A seat that applies less
//! than it is due gets a frame at every second send tick, then at every fourth; after a while without a lack it is
//! tried with more. The same goes for a seat whose frames arrive ever later, little by little, because they fill a
//! queue on the way. While it gets fewer, no more is under way to it than it has applied in a second: a queue on the
//! line would make everything behind it older.

use std::time::Duration;

/// Frames are counted for this long, then judged.
const WINDOW: Duration = Duration::from_secs(2);

/// Windows in a row with a lack after which a seat gets fewer frames.
const LOW: u8 = 2;

/// The sum of the rises in least age from window to window that slows a seat, and the most that one rise adds to it: a
/// sudden rise is a longer way, or another download.
const CREPT: Duration = Duration::from_millis(300);
const CREEP: Duration = Duration::from_millis(60);

/// Time without a lack after which more is tried. It doubles with each failed trial, up to a multiple.
const CLEAN: Duration = Duration::from_secs(5);
const LONGEST_WAIT: u8 = 16;

/// The slowest pace: a frame at every fourth send tick.
const SLOWEST: u8 = 4;

/// Counts what a seat is given and what it applies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Whether the client understands the message that tells the pace.
    known: bool,
    every: u8,
    /// Whether the client must still be told.
    untold: bool,
    /// Send ticks since its turn, and whether its turn was put off.
    passed: u8,
    late: bool,
    low: u8,
    /// The wait for a trial as a multiple of [`CLEAN`], and whether the present pace is a trial.
    wait: u8,
    trial: bool,
    /// In this window: frames due, due at the last report, due in the longest silence, and applied.
    due: u16,
    due_heard: u16,
    silent: u16,
    applied: u16,
    applied_bytes: u32,
    /// The least age of a frame in this window and in the one before, and how much these have risen.
    least: Option<Duration>,
    before: Option<Duration>,
    crept: Duration,
    /// Bytes applied in a second: as measured when something lacked, or more since.
    rate: u32,
    began: Duration,
    clean_since: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            known: false,
            every: 1,
            untold: false,
            passed: 0,
            late: false,
            low: 0,
            wait: 1,
            trial: false,
            due: 0,
            due_heard: 0,
            silent: 0,
            applied: 0,
            applied_bytes: 0,
            least: None,
            before: None,
            crept: Duration::ZERO,
            rate: 0,
            began: Duration::ZERO,
            clean_since: Duration::ZERO,
        }
    }
}

impl Pace {
    /// For a new connection; `known` says whether its client can be told of its pace.
    pub(super) fn new(known: bool) -> Self {
        Self { known, ..Self::default() }
    }

    /// Counts a send tick. Returns whether it is the seat's turn.
    pub(super) fn is_turn(&mut self) -> bool {
        self.passed += 1;
        let turn = self.passed >= self.every;
        if turn {
            self.passed = 0;
            // The frame of the last turn was never sent.
            self.due = self.due.saturating_add(u16::from(self.late));
        }
        turn || self.late
    }

    /// Whether so much is under way that its turn is put off.
    pub(super) fn is_full(&self, under_way: usize) -> bool {
        self.every > 1 && under_way > 0 && under_way >= self.rate as usize
    }

    /// Puts its turn off to the next tick.
    pub(super) fn put_off(&mut self) {
        self.late = true;
    }

    /// Notes that a frame was handed over or withheld.
    pub(super) fn note_due(&mut self) {
        if std::mem::take(&mut self.late) {
            self.passed = 0;
        }
        self.due = self.due.saturating_add(1);
    }

    /// Notes frames reported applied, with their bytes, and the age of the last one.
    pub(super) fn note_applied(&mut self, frames: usize, bytes: usize, age: Duration, now: Duration) {
        if !self.known {
            return;
        }
        self.applied = self.applied.saturating_add(u16::try_from(frames).unwrap_or(u16::MAX));
        self.applied_bytes = self.applied_bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.least = Some(self.least.map_or(age, |least| least.min(age)));
        self.silent = self.silent.max(self.due - self.due_heard);
        self.due_heard = self.due;
        if now.saturating_sub(self.began) >= WINDOW {
            self.judge(now);
            self.restart(now);
        }
    }

    /// Starts a new count.
    pub(super) fn restart(&mut self, now: Duration) {
        (self.due, self.due_heard, self.silent, self.applied, self.applied_bytes) = (0, 0, 0, 0, 0);
        self.least = None;
        self.began = now;
    }

    fn judge(&mut self, now: Duration) {
        let due = self.due - self.silent;
        let creeps = self.creeps();
        let lacks = creeps || u32::from(self.applied) * 100 < u32::from(due) * 95;
        let millis = now.saturating_sub(self.began).as_millis().max(1) as u64;
        let rate = u32::try_from(u64::from(self.applied_bytes) * 1_000 / millis).unwrap_or(u32::MAX);
        self.rate = if lacks { rate } else { self.rate.max(rate) };
        if !lacks {
            self.low = 0;
            if now.saturating_sub(self.clean_since) >= CLEAN * u32::from(self.wait) {
                self.quicken(now);
            }
            return;
        }
        (self.low, self.clean_since) = (self.low + 1, now);
        if creeps || self.low >= LOW {
            self.slow();
        }
    }

    /// Whether frames have long come later and later.
    fn creeps(&mut self) -> bool {
        let before = std::mem::replace(&mut self.before, self.least);
        if let (Some(before), Some(least)) = (before, self.least) {
            let rise = least.saturating_sub(before).min(CREEP);
            self.crept = (self.crept + rise).saturating_sub(before.saturating_sub(least));
        }
        let creeps = self.crept >= CREPT;
        if creeps {
            self.crept = Duration::ZERO;
        }
        creeps
    }

    fn slow(&mut self) {
        self.low = 0;
        if std::mem::take(&mut self.trial) {
            self.wait = (self.wait * 2).min(LONGEST_WAIT);
        }
        if self.every < SLOWEST {
            self.every *= 2;
            self.untold = true;
        }
    }

    /// After a long time without a lack: speeds up a slow pace as a trial, and confirms the last trial.
    fn quicken(&mut self, now: Duration) {
        self.clean_since = now;
        if std::mem::take(&mut self.trial) {
            self.wait = 1;
        }
        if self.every > 1 {
            self.every /= 2;
            (self.untold, self.trial) = (true, true);
        }
    }

    /// The pace, if the client must be told of it.
    pub(super) fn take_untold(&mut self) -> Option<u32> {
        std::mem::take(&mut self.untold).then_some(u32::from(self.every))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const TICK: Duration = Duration::from_millis(50);

    /// A line with a way of its own and a queue in front of it, and a client that reports each tenth of a second.
    struct Line {
        pace: Pace,
        now: Duration,
        /// Bytes a second that it carries, and when the last of those under way is through.
        rate: u32,
        free: Duration,
        /// Handed over, bytes, when applied.
        under_way: VecDeque<(Duration, usize, Duration)>,
        told: Vec<(u64, u32)>,
        most: usize,
        oldest: Duration,
    }

    impl Line {
        fn new(rate: u32) -> Self {
            Self {
                pace: Pace::new(true),
                now: Duration::ZERO,
                rate,
                free: Duration::ZERO,
                under_way: VecDeque::new(),
                told: Vec::new(),
                most: 0,
                oldest: Duration::ZERO,
            }
        }

        /// Sends frames of this size for some seconds; behind a pace they are larger by a half.
        fn run(&mut self, seconds: u32, bytes: usize, way: impl Fn(Duration) -> Duration) {
            for _ in 0..seconds * 20 {
                self.now += TICK;
                self.report();
                let under_way = self.under_way.iter().map(|(_, bytes, _)| bytes).sum();
                if self.pace.is_turn() {
                    match self.pace.is_full(under_way) {
                        true => self.pace.put_off(),
                        false => self.hand(if self.pace.every > 1 { bytes * 3 / 2 } else { bytes }, way(self.now)),
                    }
                }
                if let Some(every) = self.pace.take_untold() {
                    self.told.push((self.now.as_secs(), every));
                }
            }
        }

        fn hand(&mut self, bytes: usize, way: Duration) {
            self.pace.note_due();
            self.free = self.free.max(self.now) + Duration::from_secs_f64(bytes as f64 / f64::from(self.rate));
            let last = self.under_way.back().map_or(Duration::ZERO, |last| last.2);
            self.under_way.push_back((self.now, bytes, last.max(self.free + way)));
            let under_way = self.under_way.iter().map(|(_, bytes, _)| bytes).sum();
            self.most = self.most.max(under_way);
        }

        fn report(&mut self) {
            if !self.now.as_millis().is_multiple_of(100) {
                return;
            }
            let (mut frames, mut bytes, mut age) = (0, 0, Duration::ZERO);
            while let Some((handed, size, _)) = self.under_way.pop_front_if(|(.., applied)| *applied <= self.now) {
                (frames, bytes, age) = (frames + 1, bytes + size, self.now - handed);
            }
            if frames > 0 {
                self.oldest = self.oldest.max(age);
                self.pace.note_applied(frames, bytes, age, self.now);
            }
        }
    }

    #[test]
    fn a_line_that_takes_much_less_than_it_is_given_gets_less_soon() {
        let mut line = Line::new(6_000);
        line.run(10, 400, |_| MS * 30);
        assert!(line.told[0].0 <= 5 && line.told[0].1 == 2, "{:?}", line.told);
    }

    #[test]
    fn a_line_that_takes_a_little_less_than_it_is_given_gets_less_before_its_queue_is_long() {
        for rate in [7_900, 7_800, 7_680] {
            let mut line = Line::new(rate);
            line.run(60, 400, |_| MS * 30);
            assert_eq!(line.told.first().map(|(_, every)| *every), Some(2), "{rate}");
            assert!(line.oldest < MS * 800, "{rate}: {:?}", line.oldest);
        }
    }

    #[test]
    fn a_line_that_carries_all_keeps_its_pace_whatever_its_way_is() {
        let mut rng = tiltyard_shared::game::Rng::new(1);
        let jitter: Vec<_> = (0..2_000).map(|_| MS * rng.below(150)).collect();
        let at = |now: Duration| jitter[now.as_millis() as usize / 50];
        let wave = |now: Duration| MS * (now.as_millis() as u32 % 10_000).min(8_000) * 75 / 1_000;
        let kinds: [(&str, &dyn Fn(Duration) -> Duration); 4] = [
            ("jitter", &at),
            ("steps", &|now| if now.as_secs() % 40 < 20 { MS * 30 } else { MS * 1_030 }),
            ("somebody else's download", &wave),
            ("a way that grows by 2 ms a second", &|now| MS * 2 * now.as_secs() as u32),
        ];
        for (name, way) in kinds {
            let mut line = Line::new(100_000);
            line.run(90, 400, way);
            assert_eq!(line.told, [], "{name}");
        }
    }

    #[test]
    fn behind_a_pace_no_more_is_under_way_than_is_applied_in_a_second() {
        let mut line = Line::new(4_000);
        line.run(12, 400, |_| MS * 30);
        assert!(line.pace.every > 1);
        line.run(5, 400, |_| MS * 30);
        line.most = 0;
        line.run(4, 900, |_| MS * 30);
        assert!(line.most <= 4_000 + 1_350, "{} bytes", line.most);
    }
}
