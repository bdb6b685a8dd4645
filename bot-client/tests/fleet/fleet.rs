//! Several instances, and what is true of all of them together.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tiltyard_testing::http;

use crate::{
    broker::Broker,
    instance::{Instance, InstanceSpec},
    process::{Folder, wait_for},
};

/// deploy/'s instances.
pub(crate) const NAMES: [&str; 3] = ["one", "two", "three"];

/// The instances that run.
pub(crate) struct Fleet {
    pub(crate) instances: Vec<Instance>,
    broker: Broker,
    folder: Folder,
}

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
    /// Starts deploy/'s three instances without a balancer, with these variables beside the others.
    pub(crate) fn new(options: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::start(&InstanceSpec::several(&NAMES, None)?, Broker::of_environment()?, options)
    }

    /// Starts instances and waits until they take players and know each other.
    pub(crate) fn start(specs: &[InstanceSpec], broker: Broker, options: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder = Folder::new()?;
        let start = |spec| Instance::start(spec, &broker, options, folder.path());
        let mut instances = specs.iter().map(start).collect::<anyhow::Result<Vec<_>>>()?;
        instances.iter_mut().try_for_each(Instance::until_ready)?;
        wait_for(Duration::from_secs(30), "the instances to find each other", || {
            let known = instances.iter().map(|one| one.metric("tiltyard_instances")).collect::<Result<Vec<_>, _>>()?;
            Ok(known.iter().all(|known| *known >= instances.len() as f64).then_some(()))
        })?;
        Ok(Self { instances, broker, folder })
    }

    /// One more.
    pub(crate) fn grow(&mut self, spec: &InstanceSpec) -> anyhow::Result<&Instance> {
        let mut new = Instance::start(spec, &self.broker, &[], self.folder.path())?;
        new.until_ready()?;
        self.instances.push(new);
        self.instances.last().context("no instance")
    }

    /// One less: it is the caller's now.
    pub(crate) fn remove(&mut self, name: &str) -> anyhow::Result<Instance> {
        let index = self.instances.iter().position(|one| one.name == name).with_context(|| format!("no {name}"))?;
        Ok(self.instances.remove(index))
    }

    /// Where logs and results go.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where players connect to each.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.instances.iter().map(Instance::url).collect()
    }

    /// Processor time of all so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        self.instances.iter().map(Instance::cpu).sum()
    }

    /// The index of the first instance of which a metric is not 0.
    pub(crate) fn first_with(&self, metric: &str) -> anyhow::Result<Option<usize>> {
        let values = self.instances.iter().map(|one| one.metric(metric)).collect::<Result<Vec<_>, _>>()?;
        Ok(values.iter().position(|value| *value > 0.0))
    }

    /// kill -9 of the instance at this index.
    pub(crate) fn kill(&mut self, index: usize) -> anyhow::Result<()> {
        self.instances.remove(index).process.signal("KILL")
    }

    /// The index of the instance whose matchmaker has at least so many tickets.
    pub(crate) fn active(&self, tickets: f64) -> Option<usize> {
        self.instances.iter().position(|instance| instance.tickets() >= tickets)
    }

    /// A metric, summed over all.
    pub(crate) fn sum(&self, metric: &str) -> anyhow::Result<f64> {
        self.instances.iter().map(|instance| instance.metric(metric)).sum()
    }

    /// Whether all instances list the same rooms, each once: what an instance says of its own ones is the truth.
    pub(crate) fn is_whole(&self) -> anyhow::Result<bool> {
        let lists = self.instances.iter().map(listed).collect::<Result<Vec<_>, _>>()?;
        Ok(lists.iter().all(|(total, ids)| *ids == lists[0].1 && *total == ids.len() && *total > 0))
    }

    /// Waits until the lists are whole.
    pub(crate) fn until_whole(&self) -> anyhow::Result<()> {
        let seen =
            wait_for(Duration::from_secs(20), "the lists of rooms to be whole", || Ok(self.is_whole()?.then_some(())));
        seen.with_context(|| format!("{:?}", self.instances.iter().map(listed).collect::<Result<Vec<_>, _>>()))
    }

    /// What each has taken at least at some moment of this time. Memory swings: samples are collected and given back in
    /// turns, free pages some seconds later. What has been left behind is there at all times.
    pub(crate) fn taken_within(&self, time: Duration) -> anyhow::Result<Vec<Taken>> {
        let end = Instant::now() + time;
        let mut least = self.taken()?;
        while Instant::now() < end {
            thread::sleep(Duration::from_secs(1));
            for (least, taken) in least.iter_mut().zip(self.taken()?) {
                *least = least.least(&taken);
            }
        }
        Ok(least)
    }

    fn taken(&self) -> anyhow::Result<Vec<Taken>> {
        self.instances.iter().map(Taken::of).collect()
    }
}

impl Taken {
    /// Of each the lesser.
    fn least(&self, other: &Self) -> Self {
        Self {
            memory: self.memory.min(other.memory),
            tasks: self.tasks.min(other.tasks),
            threads: self.threads.min(other.threads),
            files: self.files.min(other.files),
        }
    }

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
