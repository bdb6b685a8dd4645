//! A crowd that searches for matches while things fail: no ticket may be lost, none may count twice.

use std::time::Duration;

use anyhow::Context as _;
use tiltyard_bot::crowd::{Crowd, Plan, Report};

use crate::checks::Checks;

/// The mode that is searched, in which a match is over soon: many are played.
pub(crate) const MODE_CONFIG: &str = "arena/teams={\"match_seconds\":6}";
/// Whoever has no match so long after the last one came is lost: three times as long as the mode lets anybody wait.
const PATIENCE: Duration = Duration::from_secs(90);

/// A crowd over these servers, in parties of up to three, that arrives over this time; then singles follow until nobody
/// waits.
pub(crate) fn start(urls: Vec<String>, bots: usize, arrival: Duration) -> anyhow::Result<Crowd> {
    let plan = Plan {
        urls,
        mode: "teams".to_owned(),
        bots,
        party_max: 3,
        arrival,
        limit: arrival + PATIENCE,
        play: true,
        followers: true,
        threads: 1,
        seed: 1,
    };
    Crowd::start(plan).context("no threads for the crowd")
}

/// What must hold whatever happened.
pub(crate) fn check(report: &Report, checks: &mut Checks) {
    let lost = format!("{} of {}, {} matches", report.unmatched, report.came, report.matches);
    checks.check("tickets lost: 0", lost, report.unmatched == 0 && report.matched == report.came);
    checks.check("tickets in two matches: 0", report.twice, report.twice == 0);
    checks.check("tickets whose waiting time was lost: 0", report.time_lost, report.time_lost == 0);
    let wrong = report.outside_windows + report.torn_parties;
    checks.check("matches outside windows, parties torn: 0", wrong, wrong == 0);
    let told = format!("{} {:?}", report.mismatches, report.complaints);
    checks.check(
        "matched players' states that differ: 0",
        told,
        report.mismatches == 0 && report.complaints.is_empty(),
    );
}
