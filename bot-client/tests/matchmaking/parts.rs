//! The parts: what happens to a fleet, and what must hold whatever happens.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use tiltyard_bot::crowd::{Crowd, Entry, Plan, Report, report::What};

use crate::{checks::Checks, fleet::Fleet};

/// Matches are short, so that many are played.
const MATCH_SECONDS: u32 = 6;

fn plan(fleet: &Fleet, bots: usize, arrival: u64) -> Plan {
    Plan {
        urls: fleet.urls(),
        mode: "teams".to_owned(),
        bots,
        party_max: 3,
        arrival: Duration::from_secs(arrival),
        limit: Duration::from_secs(arrival + 100),
        play: true,
        followers: true,
        threads: 2,
        seed: 1,
    }
}

/// A fleet, a crowd that searches, and the place of the active matchmaker, once so many tickets wait in its pool. In the full
/// form 1,000 do: 1,300 come to 300 seats.
fn searching(full: bool, arrival: u64) -> anyhow::Result<(Fleet, Crowd, usize, f64)> {
    let (fleet, crowd, many) = if full {
        let fleet = Fleet::start_with(3, MATCH_SECONDS, &["--max-players", "100"])?;
        let plan = Plan { party_max: 1, limit: Duration::from_secs(240), ..plan(&fleet, 1_350, 5) };
        (fleet, Crowd::start(plan)?, 1_000.0)
    } else {
        let fleet = Fleet::start(3, MATCH_SECONDS)?;
        let crowd = Crowd::start(plan(&fleet, 120, arrival))?;
        (fleet, crowd, 20.0)
    };
    wait_until("tickets", Duration::from_secs(30), || fleet.active(many).is_some())?;
    let active = fleet.active(many / 2.0).context("nobody is the matchmaker")?;
    Ok((fleet, crowd, active, many))
}

/// What holds after every part.
fn check(checks: &mut Checks, report: &Report) {
    print_waiting(report);
    checks.check("nobody is in two matches", report.twice, report.twice == 0);
    let lost = format!("{} of {} without a match", report.unmatched, report.came);
    checks.check("nobody is lost", lost, report.unmatched == 0 && report.matched == report.came);
    checks.check("every match is within its windows", report.outside_windows, report.outside_windows == 0);
    checks.check("every party is in one team", report.torn_parties, report.torn_parties == 0);
    checks.check("no waiting time is lost", report.time_lost, report.time_lost == 0);
    checks.check("no state differs", report.mismatches, report.mismatches == 0);
    for complaint in &report.complaints {
        checks.check("no bot fails", complaint, false);
    }
}

fn print_waiting(report: &Report) {
    report.to_string().lines().for_each(|line| println!("    {line}"));
}

fn wait_until(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) -> anyhow::Result<Duration> {
    let start = Instant::now();
    while !is_so() {
        ensure!(start.elapsed() < limit, "{what}: not within {} s", limit.as_secs());
        thread::sleep(Duration::from_millis(20));
    }
    Ok(start.elapsed())
}

/// Bots with ratings in parties arrive, then singles follow until nobody waits.
pub(crate) fn crowd(checks: &mut Checks, full: bool) -> anyhow::Result<()> {
    let fleet = Fleet::start(3, if full { 20 } else { MATCH_SECONDS })?;
    let (bots, arrival) = if full { (600, 60) } else { (90, 10) };
    let crowd = Crowd::start(plan(&fleet, bots, arrival))?;
    let report = crowd.finish();
    check(checks, &report);
    let homes: Vec<f64> = fleet.0.iter().map(|one| one.metric("tiltyard_matches_total").unwrap_or(0.0)).collect();
    checks.check("every instance hosts matches", format!("{homes:?}"), homes.iter().all(|matches| *matches > 0.0));
    Ok(())
}

/// kill -9 of the matchmaker that is active while tickets wait.
pub(crate) fn matchmaker(checks: &mut Checks, full: bool) -> anyhow::Result<()> {
    let (mut fleet, crowd, active, many) = searching(full, 4)?;
    let killed = fleet.0.remove(active);
    killed.signal("KILL")?;
    let took = wait_until("another matchmaker", Duration::from_secs(20), || fleet.active(many / 2.0).is_some())?;
    checks.check("another matchmaker goes on in under 5 s", format!("{:.1} s", took.as_secs_f64()), took.as_secs() < 5);
    check(checks, &crowd.finish());
    Ok(())
}

/// The active matchmaker is stopped for a while and goes on: there are two of them then.
pub(crate) fn paused(checks: &mut Checks, full: bool) -> anyhow::Result<()> {
    let (fleet, crowd, active, _) = searching(full, 12)?;
    fleet.0[active].signal("STOP")?;
    thread::sleep(Duration::from_secs(if full { 20 } else { 12 }));
    fleet.0[active].signal("CONT")?;
    check(checks, &crowd.finish());
    Ok(())
}

/// kill -9 of an instance that has just been chosen for a match: it is a home, too.
pub(crate) fn host(checks: &mut Checks, full: bool) -> anyhow::Result<()> {
    let mut fleet = Fleet::start(3, MATCH_SECONDS)?;
    let crowd = Crowd::start(plan(&fleet, if full { 300 } else { 90 }, if full { 20 } else { 8 }))?;
    // The first that bots are told to join, or have just entered, is the victim.
    let chosen = |journal: &[Entry]| journal.iter().any(|entry| matches!(entry.what, What::Told { .. }));
    wait_until("a match", Duration::from_secs(30), || chosen(&crowd.journal()))?;
    let opened = |fleet: &Fleet| fleet.0.iter().position(|one| one.metric("tiltyard_rooms").unwrap_or(0.0) > 0.0);
    let mut victim = None;
    wait_until("a room", Duration::from_secs(10), || {
        victim = opened(&fleet);
        victim.is_some()
    })?;
    let killed = fleet.0.remove(victim.context("no room")?);
    killed.signal("KILL")?;
    let report = crowd.finish();
    let seen = format!("{} homes and {} seats lost", report.homes_lost, report.thrown_out);
    checks.check("its death was noticed", seen, report.homes_lost + report.thrown_out > 0);
    check(checks, &report);
    Ok(())
}

/// kill -9 of an instance on which a match is on: its players are told nothing and can go nowhere, so they search anew.
pub(crate) fn running(checks: &mut Checks, full: bool) -> anyhow::Result<()> {
    let mut fleet = Fleet::start(3, 20)?;
    let crowd = Crowd::start(plan(&fleet, if full { 300 } else { 90 }, if full { 20 } else { 8 }))?;
    let plays =
        |fleet: &Fleet| fleet.0.iter().position(|one| one.metric("tiltyard_matches_total").unwrap_or(0.0) > 0.0);
    let mut victim = None;
    wait_until("a match", Duration::from_secs(40), || {
        victim = plays(&fleet);
        victim.is_some()
    })?;
    let killed = fleet.0.remove(victim.context("no match")?);
    killed.signal("KILL")?;
    let report = crowd.finish();
    let seen = format!("{} players lost a match that was on", report.interrupted);
    checks.check("a match that was on is lost", seen, report.interrupted >= 8);
    check(checks, &report);
    Ok(())
}
