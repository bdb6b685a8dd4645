//! A fleet that grows and shrinks under play, seen by a real Prometheus: a fourth instance starts and hosts new rooms, the
//! first one is drained and ends by itself; nobody is thrown out; the sums of Prometheus are the bots' own counts.

use std::{thread, time::Duration};

use crate::{
    Form, balancer::Kind, bots::Bots, checks::Checks, instance::create_room, process::wait_for, prometheus::SCRAPE,
    stage::Stage,
};

/// A scrape, and the time that it and the question take on a busy machine.
const WITHIN_A_SCRAPE: Duration = Duration::from_secs(2 * SCRAPE.as_secs());

/// How many play at first, how many come once the first instance drains, for how long all play together; behind which
/// balancers.
#[derive(Clone, Copy, Debug)]
struct Size {
    first: usize,
    second: usize,
    together: Duration,
    behind: &'static [Kind],
}

/// Nobody plays so long: bots are told to end.
const SECONDS: u64 = 3600;

pub(crate) fn run(checks: &mut Checks, form: Form) -> anyhow::Result<()> {
    let size = match form {
        Form::Full | Form::Soak => {
            Size { first: 300, second: 200, together: Duration::from_secs(30), behind: &[Kind::HaProxy, Kind::Nginx] }
        }
        Form::Short => Size { first: 30, second: 20, together: Duration::from_secs(3), behind: &[Kind::HaProxy] },
    };
    for &kind in size.behind {
        println!("  {} bots, one more instance and one less, behind {}:", size.first + size.second, kind.name());
        grow_and_shrink(kind, size, checks)?;
    }
    Ok(())
}

fn grow_and_shrink(kind: Kind, size: Size, checks: &mut Checks) -> anyhow::Result<()> {
    let mut stage = Stage::start(kind)?;
    let first = stage.bots("first", size.first)?;
    stage.compare("three instances", size.first, checks)?;
    // Somebody keeps making rooms, as players do.
    stage.grow("tiltyard_rooms", |balancer| create_room(balancer.address), checks)?;
    stage.drain_first()?;
    let players = stage.fleet.instances[0].metric("tiltyard_players")?;
    let second = stage.bots("second", size.second)?;
    stage.compare("four, of which one drains", size.first + size.second, checks)?;
    thread::sleep(size.together);
    let after = stage.fleet.instances[0].metric("tiltyard_players")?;
    checks.check("nobody comes to an instance that drains", after - players, after <= players);
    first.stop()?.check("who played before", checks)?;
    stage.nothing_is_left(checks)?;
    stage.compare("three again", size.second, checks)?;
    second.stop()?.check("who came during the drain", checks)
}

impl Stage {
    /// Bots that come through the balancer, ten to a room.
    fn bots(&self, name: &str, count: usize) -> anyhow::Result<Bots> {
        let rooms = (count / 10).max(1);
        let args = ["--bots", &count.to_string(), "--rooms", &rooms.to_string()];
        Bots::start(name, &[self.balancer.url()], &args, SECONDS, self.fleet.folder())
    }

    /// Once all bots are in, Prometheus soon counts as many players as there are bots.
    fn compare(&self, when: &str, bots: usize, checks: &mut Checks) -> anyhow::Result<()> {
        println!("    {when}:");
        let wanted = bots as f64;
        wait_for(Duration::from_secs(30), "all bots to be in", || {
            Ok((self.fleet.sum("tiltyard_players")? == wanted).then_some(()))
        })?;
        let mut seen = 0.0;
        let same = wait_for(WITHIN_A_SCRAPE, "Prometheus", || {
            seen = self.prometheus.value("sum(tiltyard_players)")?;
            Ok((seen == wanted).then_some(()))
        });
        checks.check("Prometheus' players are the bots", format!("{seen} of {bots}"), same.is_ok());
        Ok(())
    }

    /// Once the first instance has ended, Prometheus soon shows nothing of it any more.
    fn nothing_is_left(&mut self, checks: &mut Checks) -> anyhow::Result<()> {
        let gone = self.first_ends(checks)?;
        self.prometheus.scrape(&self.fleet)?;
        let mut left = Vec::new();
        let none = wait_for(2 * WITHIN_A_SCRAPE, "Prometheus", || {
            left = self.prometheus.values(&format!("{{__name__=~'up|tiltyard_.*',instance='{}'}}", gone.name))?;
            Ok(left.is_empty().then_some(()))
        });
        checks.check("no stale series is left of who has ended", left.len(), none.is_ok());
        Ok(())
    }
}
