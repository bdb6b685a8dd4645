//! What was to be shown, what was seen, and whether it held.

use std::fmt::Display;

/// A list of claims.
#[derive(Default)]
pub(crate) struct Checks {
    failed: usize,
    all: usize,
}

impl Checks {
    /// Prints one claim with what was seen.
    pub(crate) fn check(&mut self, claim: &str, seen: impl Display, holds: bool) {
        let mark = if holds { "ok  " } else { "FAIL" };
        println!("  {mark} {claim:<62} {seen}");
        self.all += 1;
        self.failed += usize::from(!holds);
    }

    /// Prints the sum and gives whether all held.
    pub(crate) fn sum_up(&self) -> bool {
        println!("{} of {} claims held", self.all - self.failed, self.all);
        self.failed == 0
    }
}
