//! Matchmaking over three instances while processes are killed, stopped and let go on: what must hold whatever happens is in
//! `crowds`, what only one of these parts shows is here.

use std::{thread, time::Duration};

use anyhow::Context as _;
use tiltyard_bot::crowd::{Crowd, Plan, report::What};

use crate::{
    Form,
    checks::Checks,
    crowds,
    fleet::Fleet,
    instance::{Instance, mode_config},
    process::wait_for,
};

/// A crowd of one of these parts: how many, over how many seconds.
struct Size {
    bots: usize,
    arrival: u64,
}

impl Size {
    fn start(&self, form: Form, fleet: &Fleet) -> anyhow::Result<Crowd> {
        crowds::start(crowds::plan(form, fleet.urls(), self.bots, Duration::from_secs(self.arrival)))
    }
}

/// A fleet, a crowd that searches, and the active matchmaker.
struct Searching {
    fleet: Fleet,
    crowd: Crowd,
    /// The index of the instance whose pool has the tickets.
    active: usize,
    /// So many waited.
    tickets: f64,
}

impl Searching {
    /// Returns once many tickets wait. In the full form 1,000 do: 1,350 come to 300 seats.
    fn start(form: Form, arrival: u64) -> anyhow::Result<Self> {
        let (fleet, crowd, tickets) = if form == Form::Short {
            let fleet = Fleet::new(&[])?;
            let crowd = Size { bots: 120, arrival }.start(form, &fleet)?;
            (fleet, crowd, 20.0)
        } else {
            let fleet = Fleet::new(&[("TILTYARD_MAX_PLAYERS", "100")])?;
            let plan = crowds::plan(form, fleet.urls(), 1_350, Duration::from_secs(5));
            let plan = Plan { party_max: 1, limit: Duration::from_secs(240), ..plan };
            (fleet, crowds::start(plan)?, 1_000.0)
        };
        wait_for(Duration::from_secs(30), "tickets", || Ok(fleet.active(tickets).map(drop)))?;
        let active = fleet.active(tickets / 2.0).context("nobody is the matchmaker")?;
        Ok(Self { fleet, crowd, active, tickets })
    }
}

/// A tenth of the single players never take the seats that they are told to take: the others play all the same.
pub(crate) fn no_shows(checks: &mut Checks, form: Form) -> anyhow::Result<()> {
    let (bots, arrival) = if form == Form::Short { (60, 5) } else { (300, 30) };
    let crowd = |no_shows| -> anyhow::Result<_> {
        let fleet = Fleet::new(&[])?;
        let plan = crowds::plan(form, fleet.urls(), bots, Duration::from_secs(arrival));
        let crowd = crowds::start(Plan { party_max: 2, no_shows, play: false, ..plan })?;
        Ok((fleet, crowd))
    };
    let (fleet, without) = crowd(0)?;
    let without = crowds::finish(without, checks);
    drop(fleet);
    let (_fleet, with) = crowd(10)?;
    let with = crowds::finish(with, checks);
    let met = format!("{}, of them the same again {}", with.no_shows_met, with.met_again);
    checks.check("nobody meets the same no-show twice", met, with.no_shows_met > 0 && with.met_again == 0);
    let longest = without.waiting.max.max(with.waiting_undisturbed.max);
    let seen = format!("{:.1} s, others {longest:.1} s", with.waiting_less_no_shows);
    let holds = with.waiting_less_no_shows <= longest + 1.0;
    checks.check("a no-show costs those who meet it 10 s at most", seen, holds);
    let (disturbed, p99) = (with.waiting_undisturbed.p99, without.waiting.p99);
    // In short the crowd is over with the first reservation that a no-show has let run out.
    if form != Form::Short {
        checks.check("who does not come is told so", with.no_shows_told, with.no_shows_told > 0);
        let seen = format!("p99 {disturbed:.1} s, without them {p99:.1} s");
        checks.check("no-shows cost the others nothing", seen, disturbed <= 1.5 * p99);
    }
    Ok(())
}

/// Bots with ratings in parties arrive, then singles follow until nobody waits.
pub(crate) fn crowd(checks: &mut Checks, form: Form) -> anyhow::Result<()> {
    let (size, options) = match form {
        Form::Short => (Size { bots: 90, arrival: 6 }, None),
        Form::Full | Form::Soak => (Size { bots: 600, arrival: 60 }, Some(mode_config(20))),
    };
    let options: Vec<_> = options.iter().map(|config| ("TILTYARD_MODE_CONFIG", config.as_str())).collect();
    let fleet = Fleet::new(&options)?;
    crowds::finish(size.start(form, &fleet)?, checks);
    let hosted = |one: &Instance| one.metric("tiltyard_matches_total");
    let hosted = fleet.instances.iter().map(hosted).collect::<Result<Vec<_>, _>>()?;
    checks.check("every instance hosts matches", format!("{hosted:?}"), hosted.iter().all(|matches| *matches > 0.0));
    Ok(())
}

/// kill -9 of the matchmaker that is active while tickets wait.
pub(crate) fn matchmaker(checks: &mut Checks, form: Form) -> anyhow::Result<()> {
    let Searching { mut fleet, crowd, active, tickets } = Searching::start(form, 4)?;
    let began = crowd.elapsed();
    fleet.kill(active)?;
    wait_for(Duration::from_secs(20), "another matchmaker", || Ok(fleet.active(tickets / 2.0).map(drop)))?;
    let took = crowd.elapsed() - began;
    let seen = format!("{:.1} s", took.as_secs_f64());
    checks.check("another matchmaker goes on within 5 s", seen, took < Duration::from_secs(5));
    crowds::finish(crowd, checks);
    Ok(())
}

/// The active matchmaker is stopped for a while and goes on: there are two of them then.
pub(crate) fn paused(checks: &mut Checks, form: Form) -> anyhow::Result<()> {
    let Searching { fleet, crowd, active, .. } = Searching::start(form, 12)?;
    let process = &fleet.instances[active].process;
    process.signal("STOP")?;
    thread::sleep(Duration::from_secs(if form == Form::Short { 12 } else { 20 }));
    process.signal("CONT")?;
    crowds::finish(crowd, checks);
    Ok(())
}

/// The crowd of the two parts in which a host dies.
fn under_hosts(form: Form) -> Size {
    match form {
        Form::Short => Size { bots: 90, arrival: 5 },
        Form::Full | Form::Soak => Size { bots: 300, arrival: 20 },
    }
}

/// kill -9 of an instance that has just been chosen for a match: it is a home, too.
pub(crate) fn host(checks: &mut Checks, form: Form) -> anyhow::Result<()> {
    let mut fleet = Fleet::new(&[])?;
    let crowd = under_hosts(form).start(form, &fleet)?;
    // The first that bots are told to join, or have just entered, is the victim.
    wait_for(Duration::from_secs(30), "a match", || {
        let is_told = crowd.journal().iter().any(|entry| matches!(entry.what, What::Told { .. }));
        Ok(is_told.then_some(()))
    })?;
    let victim = wait_for(Duration::from_secs(10), "a room", || fleet.first_with("tiltyard_rooms"))?;
    fleet.kill(victim)?;
    let report = crowds::finish(crowd, checks);
    let seen = format!("{} homes and {} seats lost", report.homes_lost, report.seats_lost());
    checks.check("the death of a host that was chosen is noticed", seen, report.homes_lost + report.seats_lost() > 0);
    Ok(())
}

/// kill -9 of an instance on which a match is on: its players are told nothing and can go nowhere, so they search anew.
pub(crate) fn running(checks: &mut Checks, form: Form) -> anyhow::Result<()> {
    let seconds = if form == Form::Short { 7 } else { 20 };
    let mut fleet = Fleet::new(&[("TILTYARD_MODE_CONFIG", &mode_config(seconds))])?;
    let crowd = under_hosts(form).start(form, &fleet)?;
    let victim = wait_for(Duration::from_secs(40), "a match", || fleet.first_with("tiltyard_matches_total"))?;
    fleet.kill(victim)?;
    let report = crowds::finish(crowd, checks);
    let seen = format!("{} players lost theirs", report.interrupted);
    checks.check("a match that was on ends with its host: 8 players or more", seen, report.interrupted >= 8);
    Ok(())
}
