//! A fleet that grows and shrinks under a crowd that searches for matches, through a balancer: the fourth instance hosts
//! matches soon after it has come, the first ends by itself once it drains, every ticket comes to one match, and Prometheus
//! counts what the crowd counts.

use std::{
    env,
    time::{Duration, Instant},
};

use tiltyard_bot::crowd::Report;

use crate::{
    balancer::{Balancer, Kind},
    bots::Bots,
    checks::Checks,
    deploy::{NAMES, places},
    fleet::Fleet,
    instance::Instance,
    process::{Folder, free_ports, wait_for},
    prometheus::{Prometheus, SCRAPE},
    tickets,
};

/// A new instance hosts matches after so long at most.
const HOSTS_WITHIN: Duration = Duration::from_secs(10);

/// How many search and over which time they come; behind which balancers.
#[derive(Clone, Copy, Debug)]
struct Size {
    bots: usize,
    arrival: Duration,
    behind: &'static [Kind],
}

pub(crate) fn run(checks: &mut Checks) -> anyhow::Result<()> {
    let seconds = Duration::from_secs;
    let size = match env::var("FLEET").as_deref() {
        Ok("full" | "soak") => Size { bots: 500, arrival: seconds(40), behind: &[Kind::HaProxy, Kind::Nginx] },
        _ => Size { bots: 120, arrival: seconds(12), behind: &[Kind::HaProxy] },
    };
    for &kind in size.behind {
        println!("{} who search, one more instance and one less, behind {}:", size.bots, kind.name());
        under_search(kind, size, checks)?;
    }
    Ok(())
}

fn under_search(kind: Kind, size: Size, checks: &mut Checks) -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let port = free_ports(1)?[0];
    let places = places(&[NAMES[0], NAMES[1], NAMES[2], "four"], port)?;
    let mut fleet = Fleet::start(&places[..3], folder.path())?;
    let balancer = Balancer::start(kind, port, &places, folder.path())?;
    let prometheus = Prometheus::start(folder.path())?;
    prometheus.scrape(&fleet)?;
    // Somebody plays on the first one until all has been counted: what it counts in its last moment nobody can scrape.
    let kept = Bots::start("kept", &[balancer.url_of(NAMES[0])], &["--bots", "1"], 3600, folder.path())?;
    let crowd = tickets::start(vec![balancer.url()], size.bots, size.arrival)?;
    fleet.0.push(Instance::start(&places[3], folder.path())?);
    new_one_hosts(&fleet, checks)?;
    prometheus.scrape(&fleet)?;
    fleet.0[0].process.signal("TERM")?;
    let report = crowd.finish();
    tickets::check(&report, checks);
    let lost = format!("{} seats, {} searches", report.thrown_out, report.homes_lost);
    checks.check("thrown out of a match, or of a search: 0", lost, report.thrown_out + report.homes_lost == 0);
    compare(&prometheus, &report, checks)?;
    kept.stop()?.check("who has stayed where it drains", checks)?;
    let mut gone = fleet.0.remove(0);
    let status = gone.process.end(Duration::from_secs(60))?;
    checks.check("the drained instance has ended by itself, status 0", status, status.success());
    Ok(())
}

/// While people search, matches are on the new one soon.
fn new_one_hosts(fleet: &Fleet, checks: &mut Checks) -> anyhow::Result<()> {
    let Some(new) = fleet.0.last() else { return Ok(()) };
    let began = Instant::now();
    let hosts = wait_for(HOSTS_WITHIN, "a match on the new instance", || {
        Ok((new.metric("tiltyard_matches_total")? > 0.0).then_some(()))
    });
    let seen = format!("{:.1} s", began.elapsed().as_secs_f64());
    checks.check("the new instance hosts a match within 10 s", seen, hosts.is_ok());
    Ok(())
}

/// What Prometheus has of all instances, the one that drains included, is what the crowd has counted.
fn compare(prometheus: &Prometheus, report: &Report, checks: &mut Checks) -> anyhow::Result<()> {
    let series = ["tiltyard_tickets_total{outcome='matched'}", "tiltyard_matches_total"];
    let wanted = [report.tickets as f64, report.matches as f64];
    let mut seen = Vec::new();
    let same = wait_for(2 * SCRAPE, "Prometheus", || {
        let sum = |of: &&str| prometheus.value(&format!("sum({of})"));
        seen = series.iter().map(sum).collect::<Result<_, _>>()?;
        Ok((seen == wanted).then_some(()))
    });
    let told = format!("{seen:?} of {wanted:?}");
    checks.check("Prometheus' tickets matched and matches are the crowd's", told, same.is_ok());
    Ok(())
}
