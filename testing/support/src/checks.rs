//! What was to be shown, what was seen, and whether it held; how long each part of a run took.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::{
    fmt::Display,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

/// One claim, and what was seen of it.
#[derive(Debug)]
pub struct Seen {
    /// The part of the run.
    pub part: &'static str,
    /// What was claimed.
    pub claim: String,
    /// What was seen.
    pub seen: String,
    /// Whether it held.
    pub holds: bool,
}

/// All claims so far.
#[derive(Debug, Default)]
pub struct Checks {
    /// Each, in the order in which they were checked.
    pub all: Vec<Seen>,
    part: &'static str,
}

impl Checks {
    /// Runs a part to its end, whatever becomes of it: one that fails or panics hides no other.
    pub fn part(&mut self, name: &'static str, run: impl FnOnce(&mut Self) -> anyhow::Result<()>) {
        println!("{name}:");
        self.part = name;
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| run(self)));
        let (seen, holds) = match outcome {
            Ok(Ok(())) => (format!("{:.0} s", began.elapsed().as_secs_f64()), true),
            Ok(Err(error)) => (format!("{error:#}"), false),
            Err(_) => ("it panicked".to_owned(), false),
        };
        self.check("the part comes to its end", seen, holds);
    }

    /// Prints one claim with what was seen.
    pub fn check(&mut self, claim: &str, seen: impl Display, holds: bool) {
        let mark = if holds { "ok  " } else { "FAIL" };
        println!("  {mark} {claim:<62} {seen}");
        self.all.push(Seen { part: self.part, claim: claim.to_owned(), seen: seen.to_string(), holds });
    }

    /// Prints what failed, then the sum, and gives whether all held.
    pub fn sum_up(&self) -> bool {
        let failed: Vec<_> = self.all.iter().filter(|seen| !seen.holds).collect();
        for Seen { part, claim, seen, .. } in &failed {
            println!("FAIL {part}: {claim}: {seen}");
        }
        println!("{} of {} claims held", self.all.len() - failed.len(), self.all.len());
        failed.is_empty()
    }
}
