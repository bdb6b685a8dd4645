//! The schedule of ticks: fixed deadlines on a monotonic clock, with a bounded debt.

use std::time::Duration;

/// Most ticks that a room may be behind its schedule before the schedule is moved.
pub const MAX_DEBT_TICKS: u32 = 5;

/// The deadlines of a room's ticks. They do not drift: each is one tick length after the one before, however late a
/// tick ran. After a late tick the following ones run at once, until the debt is paid. A debt above [`MAX_DEBT_TICKS`]
/// moves the schedule instead, so that tick numbers have no gaps and game time falls behind the wall clock.
#[derive(Clone, Debug)]
pub struct Schedule {
    deadline: Duration,
    length: Duration,
    moved: u32,
}

/// The punctuality of a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lateness {
    /// How long after its deadline the tick began.
    pub late: Duration,
    /// The number of ticks by which the schedule was moved because of that.
    pub moved: u32,
}

impl Schedule {
    /// A schedule whose first tick is due at `start`.
    pub fn new(start: Duration, length: Duration) -> Self {
        Self { deadline: start, length, moved: 0 }
    }

    /// When the next tick is due.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The number of ticks by which the schedule has been moved in all.
    pub fn moved(&self) -> u32 {
        self.moved
    }

    /// Begins a tick: sets the deadline of the next.
    pub fn begin(&mut self, now: Duration) -> Lateness {
        let late = now.saturating_sub(self.deadline);
        let owed = u32::try_from(late.as_nanos() / self.length.as_nanos().max(1)).unwrap_or(u32::MAX);
        let moved = if owed > MAX_DEBT_TICKS { owed } else { 0 };
        self.moved = self.moved.saturating_add(moved);
        self.deadline += self.length.saturating_mul(moved.saturating_add(1));
        Lateness { late, moved }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(50);

    #[test]
    fn late_ticks_do_not_make_the_schedule_drift() {
        let mut schedule = Schedule::new(Duration::ZERO, TICK);
        for tick in 0..100u32 {
            let late = Duration::from_millis(u64::from(tick % 7));
            assert_eq!(schedule.begin(TICK * tick + late), Lateness { late, moved: 0 });
        }
        assert_eq!(schedule.deadline(), TICK * 100);
    }

    #[test]
    fn a_small_debt_is_paid_by_running_at_once() {
        let mut schedule = Schedule::new(Duration::ZERO, TICK);
        let now = TICK * MAX_DEBT_TICKS;
        let run = std::iter::from_fn(|| (schedule.deadline() <= now).then(|| schedule.begin(now))).count();
        assert_eq!((run, schedule.moved()), (6, 0));
    }

    #[test]
    fn a_large_debt_moves_the_schedule_by_whole_ticks() {
        let mut schedule = Schedule::new(Duration::ZERO, TICK);
        let late = TICK * 20 + Duration::from_millis(7);
        assert_eq!(schedule.begin(late), Lateness { late, moved: 20 });
        assert_eq!(schedule.deadline(), TICK * 21);
        assert_eq!(schedule.moved(), 20);
    }
}
