//! A broker that goes away, is cut off and lacks memory, under a fleet at play.
//!
//! Three instances with bots; meanwhile a crowd searches for matches, and somebody keeps asking every instance for a seat in
//! a room of the fleet, takes it by its pass, and shows the pass again. No schedule may move, no ticket may be lost, what
//! was answered must hold and hold once, the lists of rooms must be whole again 5 s after the broker is back, and nothing
//! may have been left behind in the end: beside what the first outages, cuts and crowds take once and for all.

use std::{
    env, thread,
    time::{Duration, Instant},
};

use crate::{
    bots::Bots,
    broker::Ctl,
    checks::Checks,
    deploy::NAMES,
    fleet::{Fleet, Taken},
    instance::{Instance, Place, create_room},
    process::{Folder, free_ports, wait_for},
    seats::Seats,
    tickets,
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
}

impl Size {
    /// What comes before the first count, and is in none: the beginning of the same, at the same rates.
    fn warm_up(self) -> Self {
        let outages = self.outages.min(WARM_UP);
        let searching = self.searching * outages as usize / self.outages as usize;
        let arrival = self.arrival * outages / self.outages;
        Self { searching, arrival, outages, cuts: self.cuts.min(WARM_UP), ..self }
    }
}

/// FLEET is `full`, `soak` or nothing.
fn size() -> Size {
    let seconds = Duration::from_secs;
    match env::var("FLEET").as_deref() {
        Ok("soak") => {
            Size { bots: 100, searching: 900, arrival: seconds(800), outages: 20, outage: seconds(30), cuts: 20 }
        }
        Ok("full") => {
            Size { bots: 60, searching: 200, arrival: seconds(100), outages: 1, outage: seconds(30), cuts: 20 }
        }
        _ => Size { bots: 20, searching: 60, arrival: seconds(30), outages: 1, outage: seconds(10), cuts: 5 },
    }
}

/// So many outages and cuts come before the first count, at most: until then memory that is used again still grows.
const WARM_UP: u32 = 3;
/// Between the last fault and the count of what is left.
const SETTLE: Duration = Duration::from_secs(10);

pub(crate) fn run(checks: &mut Checks) -> anyhow::Result<()> {
    let size = size();
    println!(
        "A broker that fails under three instances with {} bots each, first for a while, then in earnest:",
        size.bots
    );
    let (ctl, folder) = (Ctl::of_environment()?, Folder::new()?);
    let ports = free_ports(6)?;
    let place = |(name, ports): (&&str, &[u16])| Place {
        name: (*name).to_owned(),
        ports: [ports[0], ports[1]],
        balancer: None,
    };
    let places: Vec<_> = NAMES.iter().zip(ports.chunks(2)).map(place).collect();
    let fleet = Fleet::start(&places, folder.path())?;
    let bots = start_bots(&fleet, size, &folder)?;
    fleet.until_whole()?;
    suffer(&fleet, &ctl, size.warm_up(), checks)?;
    thread::sleep(SETTLE);
    let (before, moved) = (fleet.taken()?, fleet.sum("tiltyard_schedule_moved_ticks_total")?);
    suffer(&fleet, &ctl, size, checks)?;
    thread::sleep(SETTLE);
    let (after, moved) = (fleet.taken()?, fleet.sum("tiltyard_schedule_moved_ticks_total")? - moved);
    checks.check("ticks by which schedules were moved: 0", moved, moved == 0.0);
    compare(&before, &after, checks);
    for (name, bots) in bots {
        bots.stop()?.check(&name, checks)?;
    }
    Ok(())
}

/// All faults, under people who search and people who ask for seats.
fn suffer(fleet: &Fleet, ctl: &Ctl, size: Size, checks: &mut Checks) -> anyhow::Result<()> {
    let urls = fleet.0.iter().map(Instance::url).collect();
    let (seats, crowd) = (Seats::start(fleet)?, tickets::start(urls, size.searching, size.arrival)?);
    outages(fleet, ctl, size, checks)?;
    cuts(fleet, ctl, size, checks)?;
    alarm(fleet, ctl, checks)?;
    seats.finish()?.check(checks);
    tickets::check(&crowd.finish(), checks);
    Ok(())
}

fn start_bots(fleet: &Fleet, size: Size, folder: &Folder) -> anyhow::Result<Vec<(String, Bots)>> {
    let mut all = Vec::new();
    for instance in &fleet.0 {
        let name = format!("bots of {}", instance.name);
        let args = ["--bots", &size.bots.to_string(), "--rooms", "2", "--threads", "1"];
        all.push((name, Bots::start(&instance.name, &[instance.url()], &args, 3600, folder.path())?));
    }
    let wanted = (all.len() * size.bots) as f64;
    wait_for(Duration::from_secs(30), "all bots to be in", || {
        Ok((fleet.sum("tiltyard_players")? == wanted).then_some(()))
    })?;
    Ok(all)
}

/// The broker stops for a while; meanwhile the world goes on without it, and rooms are made that nobody else can know.
fn outages(fleet: &Fleet, ctl: &Ctl, size: Size, checks: &mut Checks) -> anyhow::Result<()> {
    let mut slowest = Duration::ZERO;
    for _ in 0..size.outages {
        ctl.run(&["stop_app"])?;
        wait_for(Duration::from_secs(20), "all to miss the broker", || Ok(is_up(fleet, 0.0)?.then_some(())))?;
        // Those of the beginning have ended by the end, those of the end are there: nobody else has heard of either.
        create_rooms(fleet)?;
        thread::sleep(size.outage);
        create_rooms(fleet)?;
        ctl.run(&["start_app"])?;
        slowest = slowest.max(recovery(fleet)?);
    }
    let claim = format!("lists whole after {} outages of {} s: within 5 s", size.outages, size.outage.as_secs());
    checks.check(&claim, format!("{:.1} s", slowest.as_secs_f64()), slowest < Duration::from_secs(5));
    Ok(())
}

/// Every connection to the broker is closed by its operator, again and again.
fn cuts(fleet: &Fleet, ctl: &Ctl, size: Size, checks: &mut Checks) -> anyhow::Result<()> {
    let lost = || fleet.sum("tiltyard_bus_connections_total{outcome=\"lost\"}");
    let (before, mut slowest) = (lost()?, Duration::ZERO);
    for number in 1..=size.cuts {
        ctl.run(&["close_all_connections", "--global", "cut by the test"])?;
        let wanted = before + f64::from(number) * fleet.0.len() as f64;
        wait_for(Duration::from_secs(10), "the connections to be lost", || Ok((lost()? >= wanted).then_some(())))?;
        slowest = slowest.max(recovery(fleet)?);
    }
    let claim = format!("lists whole after each of {} cuts: within 5 s", size.cuts);
    checks.check(&claim, format!("{:.1} s", slowest.as_secs_f64()), slowest < Duration::from_secs(5));
    Ok(())
}

/// A broker that lacks memory reads nothing until it has some again.
fn alarm(fleet: &Fleet, ctl: &Ctl, checks: &mut Checks) -> anyhow::Result<()> {
    ctl.run(&["set_vm_memory_high_watermark", "absolute", "1MB"])?;
    let noticed = wait_for(Duration::from_secs(20), "all to be blocked", || Ok(is_up(fleet, 0.0)?.then_some(())));
    thread::sleep(Duration::from_secs(5));
    ctl.run(&["set_vm_memory_high_watermark", "0.4"])?;
    noticed?;
    let slowest = recovery(fleet)?;
    let seen = format!("{:.1} s", slowest.as_secs_f64());
    checks.check("lists whole after a memory alarm: within 5 s", seen, slowest < Duration::from_secs(5));
    Ok(())
}

fn create_rooms(fleet: &Fleet) -> anyhow::Result<()> {
    fleet.0.iter().try_for_each(|instance| create_room(instance.players))
}

/// How long it takes until every instance has its broker again and all lists are whole.
fn recovery(fleet: &Fleet) -> anyhow::Result<Duration> {
    let began = Instant::now();
    wait_for(Duration::from_secs(20), "all to have the broker again", || Ok(is_up(fleet, 1.0)?.then_some(())))?;
    fleet.until_whole()?;
    Ok(began.elapsed())
}

fn is_up(fleet: &Fleet, wanted: f64) -> anyhow::Result<bool> {
    let states = fleet.0.iter().map(|instance| instance.metric("tiltyard_bus_up")).collect::<Result<Vec<_>, _>>()?;
    Ok(states.iter().all(|state| *state == wanted))
}

/// Nothing may have grown by more than a twentieth.
fn compare(before: &[Taken], after: &[Taken], checks: &mut Checks) {
    type Of = fn(&Taken) -> u64;
    let kinds: [(&str, Of); 4] = [
        ("resident KiB", |taken| taken.memory),
        ("tasks", |taken| taken.tasks),
        ("threads", |taken| taken.threads),
        ("open files", |taken| taken.files),
    ];
    for (name, of) in kinds {
        let all = |taken: &[Taken]| taken.iter().map(of).collect::<Vec<_>>();
        let (before, after) = (all(before), all(after));
        let held = before.iter().zip(&after).all(|(before, after)| *after <= before + before / 20);
        checks.check(&format!("{name}: at most 5 % more"), format!("{before:?} to {after:?}"), held);
    }
}
