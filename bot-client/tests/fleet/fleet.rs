//! Several instances, and what is true of all of them together.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use anyhow::Context as _;

use crate::{
    http,
    instance::{Instance, Place},
    process::wait_for,
};

/// The instances that run.
pub(crate) struct Fleet(pub(crate) Vec<Instance>);

/// What an instance has taken of its machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// Resident memory, in KiB.
    pub(crate) memory: u64,
    /// Tasks beside those of rooms.
    pub(crate) tasks: u64,
    /// Threads of the system.
    pub(crate) threads: u64,
    /// Open files, sockets among them.
    pub(crate) files: u64,
}

impl Fleet {
    /// Starts them one after the other.
    pub(crate) fn start(places: &[Place], logs: &Path) -> anyhow::Result<Self> {
        places.iter().map(|place| Instance::start(place, logs)).collect::<Result<_, _>>().map(Self)
    }

    /// A metric, summed over all.
    pub(crate) fn sum(&self, metric: &str) -> anyhow::Result<f64> {
        self.0.iter().map(|instance| instance.metric(metric)).sum()
    }

    /// Whether all instances list the same rooms, each once: what an instance says of its own ones is the truth.
    pub(crate) fn is_whole(&self) -> anyhow::Result<bool> {
        let lists = self.0.iter().map(listed).collect::<Result<Vec<_>, _>>()?;
        Ok(lists.iter().all(|(total, ids)| *ids == lists[0].1 && *total == ids.len() && *total > 0))
    }

    /// Waits until the lists are whole.
    pub(crate) fn until_whole(&self) -> anyhow::Result<()> {
        let seen =
            wait_for(Duration::from_secs(20), "the lists of rooms to be whole", || Ok(self.is_whole()?.then_some(())));
        seen.with_context(|| format!("{:?}", self.0.iter().map(listed).collect::<Result<Vec<_>, _>>()))
    }

    /// What each has taken.
    pub(crate) fn taken(&self) -> anyhow::Result<Vec<Taken>> {
        self.0.iter().map(Taken::of).collect()
    }
}

impl Taken {
    fn of(instance: &Instance) -> anyhow::Result<Self> {
        let process = format!("/proc/{}", instance.process.id());
        let status = fs::read_to_string(format!("{process}/status"))?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).with_context(|| format!("no {name}"))
        };
        Ok(Self {
            memory: number("VmRSS:")?,
            tasks: instance.metric("tiltyard_tasks")? as u64,
            threads: number("Threads:")?,
            files: fs::read_dir(format!("{process}/fd"))?.count() as u64,
        })
    }
}

/// The rooms that an instance lists: how many there are, as it says, and the ids of its first page.
fn listed(instance: &Instance) -> anyhow::Result<(usize, BTreeSet<String>)> {
    let list = http::json(instance.players, "/api/rooms")?;
    let rooms = list["rooms"].as_array().context("no rooms")?;
    let ids = rooms.iter().filter_map(|room| room["room"].as_str()).map(str::to_owned).collect();
    Ok((list["total"].as_u64().context("no total")? as usize, ids))
}
