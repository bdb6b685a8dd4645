//! Crowds that search for matches while things happen: what they are like, and what must hold whatever happens.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tiltyard_bot::crowd::{Crowd, Plan, Report};

use crate::{Form, checks::Checks};

/// Whoever has no match so long after the last one came is lost: three times as long as the mode lets anybody wait.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often it is told how far they are.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// A crowd over these servers, in parties of up to three, that arrives over this time; then singles follow until nobody
/// waits: one by one as where people play, or in short as many as a match lacks.
pub(crate) fn plan(form: Form, urls: Vec<String>, bots: usize, arrival: Duration) -> Plan {
    Plan {
        urls,
        mode: "teams".to_owned(),
        bots,
        party_max: 3,
        no_shows: 0,
        arrival,
        limit: arrival + PATIENCE,
        play: true,
        followers: if form == Form::Short { 9 } else { 1 },
        threads: 2,
        seed: 1,
    }
}

/// The bots arrive by themselves from now on.
pub(crate) fn start(plan: Plan) -> anyhow::Result<Crowd> {
    Crowd::start(plan).context("no threads for the crowd")
}

/// Waits until all are done, tells how far they are meanwhile, and checks what must hold.
pub(crate) fn finish(crowd: Crowd, checks: &mut Checks) -> Report {
    let mut told = Instant::now();
    while !crowd.is_finished() {
        thread::sleep(Duration::from_millis(50));
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            let (waiting, playing) = crowd.progress();
            println!("    {:.0} s: {waiting} come or wait, {playing} play", crowd.elapsed().as_secs_f64());
        }
    }
    let report = crowd.finish();
    report.to_string().lines().for_each(|line| println!("    {line}"));
    check(&report, checks);
    report
}

fn check(report: &Report, checks: &mut Checks) {
    let Report { unmatched, matched, came, matches, complaints, .. } = report;
    checks.check("nobody is in two matches", report.twice, report.twice == 0);
    let lost = format!("{unmatched} of {came} without one of {matches} matches");
    checks.check("no ticket is lost", lost, *unmatched == 0 && matched == came);
    checks.check("every match is within its windows", report.outside_windows, report.outside_windows == 0);
    checks.check("every party is in one team", report.torn_parties, report.torn_parties == 0);
    checks.check("no waiting time is lost", report.time_lost, report.time_lost == 0);
    checks.check("no state of who was matched differs", report.mismatches, report.mismatches == 0);
    let failed = if complaints.is_empty() { "0".to_owned() } else { format!("{complaints:?}") };
    checks.check("nobody who searches fails", failed, complaints.is_empty());
}
