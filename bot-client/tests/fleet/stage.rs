//! Three instances behind a balancer, seen by a Prometheus; a fourth comes, and the first one is drained and ends by itself.
//! The balancer learns of both from the DNS.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tiltyard_testing::http;

use crate::{
    balancer::{Balancer, Kind},
    broker::Broker,
    checks::Checks,
    fleet::{Fleet, NAMES},
    instance::{Instance, InstanceSpec},
    names::Names,
    process::{Port, wait_for},
    prometheus::Prometheus,
};

/// A new instance hosts something after so long at most.
const HOSTS_WITHIN: Duration = Duration::from_secs(10);

/// What stands.
pub(crate) struct Stage {
    pub(crate) balancer: Balancer,
    pub(crate) prometheus: Prometheus,
    pub(crate) fleet: Fleet,
    names: Names,
    fourth: InstanceSpec,
}

impl Stage {
    /// Starts everything but the fourth instance.
    pub(crate) fn start(kind: Kind) -> anyhow::Result<Self> {
        let port = Port::new()?;
        let mut specs = InstanceSpec::several(&[NAMES[0], NAMES[1], NAMES[2], "four"], Some(port.number()?))?;
        let fleet = Fleet::start(&specs[..3], Broker::of_environment()?, &[])?;
        let mut names = Names::start(fleet.folder())?;
        specs[..3].iter().try_for_each(|spec| names.add(spec))?;
        let balancer = Balancer::start(kind, &port, &names, specs[0].ports, fleet.folder())?;
        balancer.until_found("")?;
        let prometheus = Prometheus::start(fleet.folder())?;
        prometheus.scrape(&fleet)?;
        let fourth = specs.pop().context("no fourth instance")?;
        Ok(Self { balancer, prometheus, fleet, names, fourth })
    }

    /// The fourth instance starts; people do what they do until there is something on it, by this metric.
    pub(crate) fn grow(
        &mut self,
        metric: &str,
        mut people: impl FnMut(&Balancer) -> anyhow::Result<()>,
        checks: &mut Checks,
    ) -> anyhow::Result<()> {
        let new = self.fleet.grow(&self.fourth)?;
        self.names.add(&self.fourth)?;
        let began = Instant::now();
        let hosts = wait_for(HOSTS_WITHIN, "something on the new instance", || {
            people(&self.balancer)?;
            Ok((new.metric(metric)? > 0.0).then_some(()))
        });
        let seen = format!("{:.1} s", began.elapsed().as_secs_f64());
        checks.check("a new instance hosts rooms and matches within 10 s", seen, hosts.is_ok());
        self.prometheus.scrape(&self.fleet)
    }

    /// The first instance is told to stop; returns once the balancer can know.
    pub(crate) fn drain_first(&self) -> anyhow::Result<()> {
        let first = &self.fleet.instances[0];
        first.process.signal("TERM")?;
        wait_for(Duration::from_secs(5), "the first instance to drain", || {
            let (status, _) = http::ask(first.ops, "GET", "/readyz", "")?;
            Ok((status == 503).then_some(()))
        })
    }

    /// What was there has ended, so the first instance ends, too.
    pub(crate) fn first_ends(&mut self, checks: &mut Checks) -> anyhow::Result<Instance> {
        let mut gone = self.fleet.instances.remove(0);
        let status = gone.process.end(Duration::from_secs(60))?;
        checks.check("a drained instance ends by itself, status 0", status, status.success());
        self.names.remove(&gone.name)?;
        Ok(gone)
    }
}
