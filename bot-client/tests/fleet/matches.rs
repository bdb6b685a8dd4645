//! A fleet that grows and shrinks under a crowd that searches for matches, through a balancer: the fourth instance hosts
//! matches soon after it has come, the first ends by itself once it drains, every ticket comes to one match, and Prometheus
//! counts what the crowd counts.

use std::time::Duration;

use tiltyard_bot::crowd::Report;

use crate::{
    Form,
    balancer::Kind,
    bots::Bots,
    checks::Checks,
    crowds,
    fleet::NAMES,
    process::wait_for,
    prometheus::{Prometheus, SCRAPE},
    stage::Stage,
};

/// How many search and over which time they come; behind which balancers.
#[derive(Clone, Copy, Debug)]
struct Size {
    bots: usize,
    arrival: Duration,
    behind: &'static [Kind],
}

pub(crate) fn run(checks: &mut Checks, form: Form) -> anyhow::Result<()> {
    let seconds = Duration::from_secs;
    let size = match form {
        Form::Full | Form::Soak => Size { bots: 500, arrival: seconds(40), behind: &[Kind::HaProxy, Kind::Nginx] },
        Form::Short => Size { bots: 100, arrival: seconds(8), behind: &[Kind::HaProxy] },
    };
    for &kind in size.behind {
        println!("  {} who search, one more instance and one less, behind {}:", size.bots, kind.name());
        under_search(kind, form, size, checks)?;
    }
    Ok(())
}

fn under_search(kind: Kind, form: Form, size: Size, checks: &mut Checks) -> anyhow::Result<()> {
    let mut stage = Stage::start(kind)?;
    // Somebody plays on the first one until all has been counted: what it counts in its last moment nobody can scrape.
    let there = stage.balancer.url_of(NAMES[0]);
    let kept = Bots::start("kept", &[there], &["--bots", "1"], 3600, stage.fleet.folder())?;
    let crowd = crowds::start(crowds::plan(form, vec![stage.balancer.url()], size.bots, size.arrival))?;
    stage.grow("tiltyard_matches_total", |_| Ok(()), checks)?;
    stage.drain_first()?;
    let report = crowds::finish(crowd, checks);
    let lost = format!("{} seats, {} searches", report.seats_lost(), report.homes_lost);
    checks.check("nobody is thrown out of a match or a search", lost, report.seats_lost() + report.homes_lost == 0);
    compare(&stage.prometheus, &report, checks)?;
    kept.stop()?.check("who has stayed where it drains", checks)?;
    stage.first_ends(checks)?;
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
