//! A broker that goes away, is cut off and lacks memory, under a fleet at play.
//!
//! Three instances with bots; meanwhile a crowd searches for matches, and somebody keeps asking every instance for a seat in
//! a room of the fleet, takes it by its pass, and shows the pass again. No schedule may move, no ticket may be lost, what
//! was answered must hold and hold once, the lists of rooms must be whole again 5 s after the broker is back, and nothing
//! may have been left behind in the end: beside what the first outages, cuts and crowds take once and for all.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    Form,
    bots::Bots,
    broker::OwnBroker,
    checks::Checks,
    crowds,
    fleet::{Fleet, NAMES, Taken},
    instance::{InstanceSpec, create_room},
    process::wait_for,
    seats::Seats,
};

/// How much of everything.
#[derive(Clone, Copy, Debug)]
struct Size {
    bots: usize,
    searching: usize,
    arrival: Duration,
    outages: u32,
    outage: Duration,
    cuts: u32,
    alarm: Duration,
}

fn size(form: Form) -> Size {
    let seconds = Duration::from_secs;
    let long = Size {
        bots: 60,
        searching: 200,
        arrival: seconds(100),
        outages: 1,
        outage: seconds(30),
        cuts: 20,
        alarm: seconds(5),
    };
    match form {
        Form::Soak => Size { bots: 100, searching: 900, arrival: seconds(800), outages: 20, ..long },
        Form::Full => long,
        Form::Short => Size {
            bots: 20,
            searching: 50,
            arrival: seconds(14),
            outage: seconds(10),
            cuts: 3,
            alarm: seconds(3),
            ..long
        },
    }
}

/// What comes before the first count, and is in none: a part of the same. In the long forms it is at their own rates, because
/// memory that is used again still grows until then.
fn warm_up(form: Form) -> Size {
    let (seconds, size) = (Duration::from_secs, size(form));
    match form {
        Form::Soak => Size { searching: 135, arrival: seconds(120), outages: 3, cuts: 3, ..size },
        Form::Full => Size { searching: 60, arrival: seconds(30), cuts: 5, ..size },
        Form::Short => Size { searching: 30, arrival: seconds(4), outage: seconds(1), alarm: seconds(1), ..size },
    }
}

/// From the last fault to the end of the count of what is left.
fn settle(form: Form) -> Duration {
    Duration::from_secs(if form == Form::Short { 15 } else { 25 })
}

/// After the broker is back.
const WHOLE_WITHIN: Duration = Duration::from_secs(5);

pub(crate) fn run(checks: &mut Checks, form: Form) -> anyhow::Result<()> {
    let size = size(form);
    println!("  three instances with {} bots each, under faults a little, then in earnest:", size.bots);
    let broker = OwnBroker::start()?;
    let fleet = Fleet::start(&InstanceSpec::several(&NAMES, None)?, broker.broker.clone(), &[])?;
    let bots = start_bots(&fleet, size)?;
    fleet.until_whole()?;
    suffer(&fleet, &broker, form, warm_up(form), checks)?;
    let (before, moved) = (fleet.taken_within(settle(form))?, fleet.sum("tiltyard_schedule_moved_ticks_total")?);
    suffer(&fleet, &broker, form, size, checks)?;
    let (after, moved) = (fleet.taken_within(settle(form))?, fleet.sum("tiltyard_schedule_moved_ticks_total")? - moved);
    checks.check("no schedule moves while the broker fails", format!("{moved} ticks"), moved == 0.0);
    compare(&before, &after, checks);
    for (name, bots) in bots {
        bots.stop()?.check(&name, checks)?;
    }
    Ok(())
}

/// All faults, under people who search and people who ask for seats.
fn suffer(fleet: &Fleet, broker: &OwnBroker, form: Form, size: Size, checks: &mut Checks) -> anyhow::Result<()> {
    let crowd = crowds::plan(form, fleet.urls(), size.searching, size.arrival);
    let (seats, crowd) = (Seats::start(fleet)?, crowds::start(crowd)?);
    outages(fleet, broker, size, checks)?;
    cuts(fleet, broker, size, checks)?;
    alarm(fleet, broker, size, checks)?;
    seats.finish()?.check(checks);
    crowds::finish(crowd, checks);
    Ok(())
}

fn start_bots(fleet: &Fleet, size: Size) -> anyhow::Result<Vec<(String, Bots)>> {
    let mut all = Vec::new();
    for instance in &fleet.instances {
        let name = format!("bots of {}", instance.name);
        let args = ["--bots", &size.bots.to_string(), "--rooms", "2", "--threads", "1"];
        all.push((name, Bots::start(&instance.name, &[instance.url()], &args, 3600, fleet.folder())?));
    }
    let wanted = (all.len() * size.bots) as f64;
    wait_for(Duration::from_secs(30), "all bots to be in", || {
        Ok((fleet.sum("tiltyard_players")? == wanted).then_some(()))
    })?;
    Ok(all)
}

/// The broker stops for a while; meanwhile the world goes on without it, and rooms are made that nobody else can know.
fn outages(fleet: &Fleet, broker: &OwnBroker, size: Size, checks: &mut Checks) -> anyhow::Result<()> {
    let mut slowest = Duration::ZERO;
    for _ in 0..size.outages {
        broker.run(&["stop_app"])?;
        wait_for(Duration::from_secs(20), "all to miss the broker", || Ok(is_up(fleet, 0.0)?.then_some(())))?;
        // Those of the beginning have ended by the end, those of the end are there: nobody else has heard of either.
        create_rooms(fleet)?;
        thread::sleep(size.outage);
        create_rooms(fleet)?;
        broker.run(&["start_app"])?;
        slowest = slowest.max(recovery(fleet)?);
    }
    let seen = format!("{:.1} s after {} of {} s", slowest.as_secs_f64(), size.outages, size.outage.as_secs());
    checks.check("lists are whole 5 s after an outage of the broker", seen, slowest < WHOLE_WITHIN);
    Ok(())
}

/// Every connection to the broker is closed by its operator, again and again.
fn cuts(fleet: &Fleet, broker: &OwnBroker, size: Size, checks: &mut Checks) -> anyhow::Result<()> {
    let lost = || fleet.sum("tiltyard_bus_connections_total{outcome=\"lost\"}");
    let (before, mut slowest) = (lost()?, Duration::ZERO);
    for number in 1..=size.cuts {
        broker.run(&["close_all_connections", "--global", "cut by the test"])?;
        let wanted = before + f64::from(number) * fleet.instances.len() as f64;
        wait_for(Duration::from_secs(10), "the connections to be lost", || Ok((lost()? >= wanted).then_some(())))?;
        slowest = slowest.max(recovery(fleet)?);
    }
    let seen = format!("{:.1} s after each of {}", slowest.as_secs_f64(), size.cuts);
    checks.check("lists are whole 5 s after a cut from the broker", seen, slowest < WHOLE_WITHIN);
    Ok(())
}

/// A broker that lacks memory reads nothing until it has some again.
fn alarm(fleet: &Fleet, broker: &OwnBroker, size: Size, checks: &mut Checks) -> anyhow::Result<()> {
    broker.run(&["set_vm_memory_high_watermark", "absolute", "1MB"])?;
    let noticed = wait_for(Duration::from_secs(20), "all to be blocked", || Ok(is_up(fleet, 0.0)?.then_some(())));
    thread::sleep(size.alarm);
    broker.run(&["set_vm_memory_high_watermark", "0.4"])?;
    noticed?;
    let slowest = recovery(fleet)?;
    let seen = format!("{:.1} s", slowest.as_secs_f64());
    checks.check("lists are whole 5 s after a memory alarm of the broker", seen, slowest < WHOLE_WITHIN);
    Ok(())
}

fn create_rooms(fleet: &Fleet) -> anyhow::Result<()> {
    fleet.instances.iter().try_for_each(|instance| create_room(instance.players))
}

/// How long it takes until every instance has its broker again and all lists are whole.
fn recovery(fleet: &Fleet) -> anyhow::Result<Duration> {
    let began = Instant::now();
    wait_for(Duration::from_secs(20), "all to have the broker again", || Ok(is_up(fleet, 1.0)?.then_some(())))?;
    fleet.until_whole()?;
    Ok(began.elapsed())
}

fn is_up(fleet: &Fleet, wanted: f64) -> anyhow::Result<bool> {
    let states =
        fleet.instances.iter().map(|instance| instance.metric("tiltyard_bus_up")).collect::<Result<Vec<_>, _>>()?;
    Ok(states.iter().all(|state| *state == wanted))
}

/// Nothing may have grown by more than a twentieth, or by what is noise of anything so small.
fn compare(before: &[Taken], after: &[Taken], checks: &mut Checks) {
    type Of = fn(&Taken) -> u64;
    let kinds: [(&str, Of, u64); 4] = [
        ("resident KiB", |taken| taken.memory, 1024),
        ("tasks", |taken| taken.tasks, 1),
        ("threads", |taken| taken.threads, 1),
        ("open files", |taken| taken.files, 1),
    ];
    for (name, of, noise) in kinds {
        let all = |taken: &[Taken]| taken.iter().map(of).collect::<Vec<_>>();
        let (before, after) = (all(before), all(after));
        let held = before.iter().zip(&after).all(|(before, after)| *after <= before + noise.max(before / 20));
        let claim = format!("{name}: at most 5 % or {noise} more after faults");
        checks.check(&claim, format!("{before:?} to {after:?}"), held);
    }
}
