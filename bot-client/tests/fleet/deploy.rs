//! The fleet of deploy/ without containers: its three instances from its environment files, its balancers from theirs, and
//! bots that play through both.

use std::time::Duration;
use tiltyard_testing::http;

use crate::{
    Form,
    balancer::{Balancer, Kind},
    bots::Bots,
    broker::Broker,
    checks::Checks,
    fleet::{Fleet, NAMES},
    instance::InstanceSpec,
    process::{Port, wait_for},
};

/// Bots of each of the four addresses.
const BOTS: usize = 10;

pub(crate) fn run(checks: &mut Checks, form: Form) -> anyhow::Result<()> {
    for kind in [Kind::HaProxy, Kind::Nginx] {
        println!("  behind {}:", kind.name());
        // How long bots play through each.
        through(kind, if form == Form::Short { 2 } else { 10 }, checks)?;
    }
    Ok(())
}

fn through(kind: Kind, seconds: u64, checks: &mut Checks) -> anyhow::Result<()> {
    let port = Port::new()?;
    let specs = InstanceSpec::several(&NAMES, Some(port.number()?))?;
    let mut fleet = Fleet::start(&specs, Broker::of_environment()?, &[])?;
    let balancer = Balancer::start(kind, &port, &specs, fleet.folder())?;
    let page = http::get(balancer.address, "/")?;
    checks.check("the page comes from any instance", kind.name(), page.contains("<html"));
    let name = kind.name();
    let play = |name: &str, url: String, rooms: usize| {
        let args = ["--bots", &BOTS.to_string(), "--rooms", &rooms.to_string()];
        Bots::start(name, &[url], &args, seconds, fleet.folder())
    };
    let by_path: Vec<_> =
        NAMES.iter().map(|instance| play(&format!("{name}-{instance}"), balancer.url_of(instance), 2)).collect();
    let anywhere = play(&format!("{name}-any"), balancer.url(), BOTS)?;
    let (mut players, mut connected) = (Vec::new(), 0);
    wait_for(Duration::from_secs(20), "all bots to be in", || {
        players = fleet.instances.iter().map(|one| one.metric("tiltyard_players")).collect::<Result<Vec<_>, _>>()?;
        connected = players.iter().sum::<f64>() as usize;
        Ok((connected == 4 * BOTS).then_some(()))
    })?;
    let spread = players.iter().all(|players| *players >= BOTS as f64);
    checks.check("players are where their path says", format!("{players:?}"), spread);
    for (instance, bots) in NAMES.iter().zip(by_path) {
        bots?.finish()?.check(&format!("/i/{instance}/ws"), checks)?;
    }
    anywhere.finish()?.check("/ws", checks)?;
    stop_one(&mut fleet, &balancer, checks)
}

/// An instance that is not there is nobody's problem but its own players'.
fn stop_one(fleet: &mut Fleet, balancer: &Balancer, checks: &mut Checks) -> anyhow::Result<()> {
    let mut first = fleet.instances.remove(0);
    first.process.signal("TERM")?;
    let status = first.process.end(Duration::from_secs(20))?;
    checks.check("an empty instance that is told to stop ends, status 0", status, status.success());
    let answered = (0..30).filter(|_| http::get(balancer.address, "/api/rooms").is_ok()).count();
    checks.check("when one instance is gone, others answer", format!("{answered} of 30"), answered == 30);
    Ok(())
}
