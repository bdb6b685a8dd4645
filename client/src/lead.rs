//! The lead: how many ticks ahead of the clock inputs aim. Pure. As `web/sdk/lead.js`.

use std::time::{Duration, Instant};

/// The initial lead. On a local line it never becomes less.
const FIRST_LEAD: u32 = 2;
/// The maximum lead in seconds. No line needs more; beyond it inputs are late.
const MOST_SECONDS: u32 = 3;
/// The lead is lowered after this time in which every input came earlier than needed.
const CALM: Duration = Duration::from_secs(5);
/// An input that arrives at least this many ticks early could have aimed lower.
const AMPLE: i32 = 2;

/// It is raised at once when an input is late, and lowered after a calm spell, by half of the least spare time.
#[derive(Clone, Debug)]
pub struct Lead {
    ticks: u32,
    most: u32,
    /// Margins of inputs up to this number belong to an older lead and are ignored.
    heeds_after: u32,
    least: i32,
    since: Instant,
}

impl Lead {
    /// The lead of a client that has sent nothing yet.
    pub fn new(tick_hz: u32, now: Instant) -> Self {
        let most = MOST_SECONDS.saturating_mul(tick_hz.max(1));
        Self { ticks: FIRST_LEAD, most, heeds_after: 0, least: i32::MAX, since: now }
    }

    /// The lead in ticks.
    pub fn ticks(&self) -> u32 {
        self.ticks
    }

    /// Takes the margin by which input `number` was early; `sent` is the highest number sent so far.
    pub fn observe(&mut self, margin: i32, number: u32, sent: u32, now: Instant) {
        if number <= self.heeds_after {
            return;
        }
        self.least = self.least.min(margin);
        if margin < 0 {
            self.change(self.ticks.saturating_add(margin.unsigned_abs()), sent, now);
        } else if now.saturating_duration_since(self.since) >= CALM {
            let spare = if self.least >= AMPLE { ((self.least - 1) / 2).max(1).unsigned_abs() } else { 0 };
            let heeds_after = if spare > 0 { sent } else { self.heeds_after };
            self.change(self.ticks.saturating_sub(spare), heeds_after, now);
        }
    }

    /// Ignores the margins of inputs up to this number: they waited for a line, so their lateness says nothing about
    /// later ones.
    pub fn resumed(&mut self, number: u32) {
        self.heeds_after = self.heeds_after.max(number);
    }

    /// Compensates for a clock that was set back (or forth, if negative) by so many ticks after learning about the way
    /// down: inputs keep their aim.
    pub fn shift(&mut self, ticks: i32) {
        let least = self.ticks.min(FIRST_LEAD);
        self.ticks = self.ticks.saturating_add_signed(ticks).clamp(least, self.most.max(least));
    }

    fn change(&mut self, ticks: u32, heeds_after: u32, now: Instant) {
        *self = Self { ticks: ticks.clamp(1, self.most), most: self.most, heeds_after, least: i32::MAX, since: now };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_input_raises_the_lead_once_and_calm_lowers_it() {
        let start = Instant::now();
        let mut lead = Lead::new(20, start);
        lead.observe(-3, 1, 5, start);
        assert_eq!(lead.ticks(), 5);
        lead.observe(-3, 5, 6, start);
        assert_eq!(lead.ticks(), 5, "input 5 was sent with the old lead");
        lead.observe(2, 6, 7, start + CALM);
        assert_eq!(lead.ticks(), 4);
        lead.observe(1, 8, 9, start + CALM);
        lead.observe(4, 9, 10, start + 2 * CALM);
        assert_eq!(lead.ticks(), 4, "one of them was not early");
        lead.observe(i32::MIN, 11, 11, start + 2 * CALM);
        assert_eq!(lead.ticks(), 60, "no line needs more");
    }

    #[test]
    fn a_lead_that_is_far_too_high_falls_in_calm_by_half_of_what_is_spare_each_time() {
        let start = Instant::now();
        let mut lead = Lead::new(20, start);
        lead.observe(-24, 1, 1, start);
        // Inputs need a lead of 10.
        let heights = (1..=6).map(|spell| {
            lead.observe(lead.ticks() as i32 - 10, spell + 1, spell + 1, start + spell * CALM);
            lead.ticks()
        });
        assert_eq!(heights.collect::<Vec<_>>(), [19, 15, 13, 12, 11, 11]);
    }

    #[test]
    fn inputs_that_waited_for_a_line_do_not_raise_the_lead() {
        let start = Instant::now();
        let mut lead = Lead::new(20, start);
        lead.resumed(7);
        lead.observe(-100, 7, 9, start);
        assert_eq!(lead.ticks(), 2);
        lead.observe(-1, 8, 9, start);
        assert_eq!(lead.ticks(), 3);
    }

    #[test]
    fn what_the_clock_learns_of_the_way_down_leaves_the_aims_where_they_are() {
        let mut lead = Lead::new(20, Instant::now());
        for (shift, ticks) in [(12, 14), (-12, 2), (-3, 2), (i32::MAX, 60), (i32::MIN, 2)] {
            lead.shift(shift);
            assert_eq!(lead.ticks(), ticks);
        }
    }
}
