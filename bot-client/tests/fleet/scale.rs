//! A fleet that grows and shrinks under play, seen by a real Prometheus: a fourth instance starts and hosts new rooms, the
//! first one is drained and ends by itself; nobody is thrown out; the sums of Prometheus are the bots' own counts.

use std::{
    env,
    time::{Duration, Instant},
};

use crate::{
    balancer::{Balancer, Kind},
    bots::Bots,
    checks::Checks,
    deploy::{NAMES, places},
    fleet::Fleet,
    http,
    instance::{Instance, create_room},
    process::{Folder, free_ports, wait_for},
    prometheus::{Prometheus, SCRAPE},
};

/// A scrape, and the time that it and the question take on a busy machine.
const WITHIN_A_SCRAPE: Duration = Duration::from_secs(2 * SCRAPE.as_secs());
/// A new instance hosts rooms after so long at most.
const HOSTS_WITHIN: Duration = Duration::from_secs(10);

/// How many play at first and for how many seconds, and how many come once the first instance drains; behind which balancers.
#[derive(Clone, Copy, Debug)]
struct Size {
    first: usize,
    seconds: u64,
    second: usize,
    behind: &'static [Kind],
}

/// Those who come second play longer by this: until the first instance has ended, and then some.
const LONGER: u64 = 20;

pub(crate) fn run(checks: &mut Checks) -> anyhow::Result<()> {
    let size = match env::var("FLEET").as_deref() {
        Ok("full" | "soak") => Size { first: 300, seconds: 40, second: 200, behind: &[Kind::HaProxy, Kind::Nginx] },
        _ => Size { first: 30, seconds: 16, second: 20, behind: &[Kind::HaProxy] },
    };
    for &kind in size.behind {
        println!("{} bots, one more instance and one less, behind {}:", size.first + size.second, kind.name());
        grow_and_shrink(kind, size, checks)?;
    }
    Ok(())
}

/// What stands at the beginning.
struct Stage {
    folder: Folder,
    fleet: Fleet,
    balancer: Balancer,
    prometheus: Prometheus,
}

fn grow_and_shrink(kind: Kind, size: Size, checks: &mut Checks) -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let port = free_ports(1)?[0];
    let places = places(&[NAMES[0], NAMES[1], NAMES[2], "four"], port)?;
    let fleet = Fleet::start(&places[..3], folder.path())?;
    let balancer = Balancer::start(kind, port, &places, folder.path())?;
    let prometheus = Prometheus::start(folder.path())?;
    prometheus.scrape(&fleet)?;
    let mut stage = Stage { folder, fleet, balancer, prometheus };
    let first = stage.bots("first", size.first, size.seconds)?;
    stage.compare("three instances", size.first, checks)?;
    stage.fleet.0.push(Instance::start(&places[3], stage.folder.path())?);
    stage.prometheus.scrape(&stage.fleet)?;
    stage.new_one_hosts(checks)?;
    stage.fleet.0[0].process.signal("TERM")?;
    stage.wait_until_draining()?;
    let players = stage.fleet.0[0].metric("tiltyard_players")?;
    let second = stage.bots("second", size.second, size.seconds + LONGER)?;
    stage.compare("four, of which one drains", size.first + size.second, checks)?;
    let after = stage.fleet.0[0].metric("tiltyard_players")?;
    checks.check("players who came to the one that drains: 0", after - players, after <= players);
    first.finish()?.check("those who played before", checks)?;
    stage.first_one_ends(checks)?;
    stage.compare("three again", size.second, checks)?;
    second.finish()?.check("those who came during the drain", checks)
}

impl Stage {
    /// Bots that come through the balancer, ten to a room.
    fn bots(&self, name: &str, count: usize, seconds: u64) -> anyhow::Result<Bots> {
        let rooms = (count / 10).max(1);
        let args = ["--bots", &count.to_string(), "--rooms", &rooms.to_string()];
        Bots::start(name, &[self.balancer.url()], &args, seconds, self.folder.path())
    }

    /// Once all bots are in, Prometheus soon counts as many players as there are bots.
    fn compare(&self, when: &str, bots: usize, checks: &mut Checks) -> anyhow::Result<()> {
        let wanted = bots as f64;
        wait_for(Duration::from_secs(30), "all bots to be in", || {
            Ok((self.fleet.sum("tiltyard_players")? == wanted).then_some(()))
        })?;
        let mut seen = 0.0;
        let same = wait_for(WITHIN_A_SCRAPE, "Prometheus", || {
            seen = self.prometheus.value("sum(tiltyard_players)")?;
            Ok((seen == wanted).then_some(()))
        });
        checks.check(&format!("{when}: Prometheus' players are the bots"), format!("{seen} of {bots}"), same.is_ok());
        Ok(())
    }

    /// Somebody keeps making rooms, as players do; soon one is on the new instance.
    fn new_one_hosts(&self, checks: &mut Checks) -> anyhow::Result<()> {
        let Some(new) = self.fleet.0.last() else { return Ok(()) };
        let began = Instant::now();
        let hosts = wait_for(HOSTS_WITHIN, "a room on the new instance", || {
            create_room(self.balancer.address)?;
            Ok((new.metric("tiltyard_rooms")? > 0.0).then_some(()))
        });
        let seen = format!("{:.1} s", began.elapsed().as_secs_f64());
        checks.check("the new instance hosts a new room within 10 s", seen, hosts.is_ok());
        Ok(())
    }

    /// Until the balancer can know, too.
    fn wait_until_draining(&self) -> anyhow::Result<()> {
        wait_for(Duration::from_secs(5), "the first instance to drain", || {
            let (status, _) = http::ask(self.fleet.0[0].ops, "GET", "/readyz", "")?;
            Ok((status == 503).then_some(()))
        })
    }

    /// Its rooms have ended by themselves, so it ends too, and Prometheus shows nothing of it any more.
    fn first_one_ends(&mut self, checks: &mut Checks) -> anyhow::Result<()> {
        let mut gone = self.fleet.0.remove(0);
        let status = gone.process.end(Duration::from_secs(60))?;
        checks.check("the drained instance has ended by itself, status 0", status, status.success());
        self.prometheus.scrape(&self.fleet)?;
        let mut left = Vec::new();
        let none = wait_for(2 * WITHIN_A_SCRAPE, "Prometheus", || {
            left = self.prometheus.values(&format!("{{__name__=~'up|tiltyard_.*',instance='{}'}}", gone.name))?;
            Ok(left.is_empty().then_some(()))
        });
        checks.check("stale series of it: 0", left.len(), none.is_ok());
        Ok(())
    }
}
