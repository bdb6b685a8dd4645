//! The fleet of deploy/ without containers: its three instances from its environment files, its balancers from theirs, and
//! bots that play through both.

use std::time::Duration;

use crate::{
    balancer::{Balancer, Kind},
    bots::Bots,
    checks::Checks,
    http,
    instance::{Instance, Place},
    process::{Folder, free_ports, wait_for},
};

/// deploy/'s instances.
pub(crate) const NAMES: [&str; 3] = ["one", "two", "three"];
/// How long bots play through each balancer.
const SECONDS: u64 = 6;

pub(crate) fn run(checks: &mut Checks) -> anyhow::Result<()> {
    for kind in [Kind::HaProxy, Kind::Nginx] {
        println!("The fleet of deploy/ behind {}:", kind.name());
        through(kind, checks)?;
    }
    Ok(())
}

/// Where instances of these names stand behind a balancer on this port.
pub(crate) fn places(names: &[&str], balancer: u16) -> anyhow::Result<Vec<Place>> {
    let ports = free_ports(2 * names.len())?;
    let place = |(name, ports): (&&str, &[u16])| Place {
        name: (*name).to_owned(),
        ports: [ports[0], ports[1]],
        balancer: Some(balancer),
    };
    Ok(names.iter().zip(ports.chunks(2)).map(place).collect())
}

fn through(kind: Kind, checks: &mut Checks) -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let port = free_ports(1)?[0];
    let places = places(&NAMES, port)?;
    let mut fleet = Vec::new();
    for place in &places {
        fleet.push(Instance::start(place, folder.path())?);
    }
    let balancer = Balancer::start(kind, port, &places, folder.path())?;
    let page = http::get(balancer.address, "/")?;
    checks.check("the page comes from any instance", "", page.contains("<html"));
    let name = kind.name();
    let by_path: Vec<_> = NAMES
        .iter()
        .map(|instance| start(&format!("{name}-{instance}"), balancer.url_of(instance), 2, &folder))
        .collect();
    let anywhere = start(&format!("{name}-any"), balancer.url(), BOTS, &folder)?;
    let (mut players, mut connected) = (Vec::new(), 0);
    wait_for(Duration::from_secs(20), "all bots to be in", || {
        players = fleet.iter().map(|one| one.metric("tiltyard_players")).collect::<Result<Vec<_>, _>>()?;
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

/// Bots of each of the four addresses.
const BOTS: usize = 10;

fn start(name: &str, url: String, rooms: usize, folder: &Folder) -> anyhow::Result<Bots> {
    let args = ["--bots", &BOTS.to_string(), "--rooms", &rooms.to_string()];
    Bots::start(name, &[url], &args, SECONDS, folder.path())
}

/// An instance that is not there is nobody's problem but its own players'.
fn stop_one(fleet: &mut Vec<Instance>, balancer: &Balancer, checks: &mut Checks) -> anyhow::Result<()> {
    let mut first = fleet.remove(0);
    first.process.signal("TERM")?;
    let status = first.process.end(Duration::from_secs(20))?;
    checks.check("an empty instance that is told to stop ends with status 0", status, status.success());
    let answered = (0..30).filter(|_| http::get(balancer.address, "/api/rooms").is_ok()).count();
    checks.check("then others answer: 30 of 30 requests", answered, answered == 30);
    Ok(())
}
