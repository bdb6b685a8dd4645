//! A broker of three nodes, one of which hangs and another dies, each the leader of the queue of tickets, under a fleet
//! whose players search and play.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;

use crate::{
    Form,
    broker::{Node, OwnBroker},
    checks::Checks,
    crowds,
    fleet::{Fleet, NAMES},
    instance::{InstanceSpec, create_room},
    process::wait_for,
};

/// The queue that matchmaking lives by.
const TICKETS: &str = "tiltyard.tickets.arena.world";
/// From the fault until every instance has a node that works and all lists are whole. Instances miss two heartbeats of 5 s;
/// the cluster gives a node up after at most 12.5 s by rabbitmq/cluster.conf, and until then declares nothing.
const BACK_WITHIN: Duration = Duration::from_secs(30);

/// Between two matches, when the first players of a crowd are few.
const A_MATCH_WITHIN: Duration = Duration::from_secs(60);

/// How many search, and for how long they arrive: matches are to begin for as long as it is looked.
fn size(form: Form) -> (usize, Duration) {
    match form {
        Form::Short => (120, Duration::from_secs(100)),
        Form::Full | Form::Soak => (240, Duration::from_secs(120)),
    }
}

pub(crate) fn run(checks: &mut Checks, form: Form) -> anyhow::Result<()> {
    let broker = OwnBroker::start_cluster()?;
    let fleet = Fleet::start(&InstanceSpec::several(&NAMES, None)?, broker.broker.clone(), &[])?;
    println!("  a node hangs:");
    let frozen = suffer(&fleet, &broker, form, "STOP", checks)?;
    frozen.signal("CONT")?;
    // As rabbitmq/README.md says: the node believes that it was never away.
    broker.ask(&frozen, &["stop_app"])?;
    broker.ask(&frozen, &["start_app"])?;
    let other = broker.nodes().iter().find(|node| **node != frozen).context("no other node")?;
    let whole = || Ok(broker.ask(other, &["await_online_nodes", "3", "--timeout", "60"]).ok());
    wait_for(Duration::from_secs(120), "the cluster to be whole again", whole)?;
    println!("  a node dies:");
    suffer(&fleet, &broker, form, "KILL", checks).map(drop)
}

/// The node that leads the queue of tickets gets a signal, under people who search and play. Returns that node.
fn suffer(fleet: &Fleet, broker: &OwnBroker, form: Form, signal: &str, checks: &mut Checks) -> anyhow::Result<Node> {
    let (searching, arrival) = size(form);
    let matches = || fleet.sum("tiltyard_matches_total");
    let until_more = |than: f64| wait_for(A_MATCH_WITHIN, "a match", || Ok((matches()? > than).then_some(())));
    let played = matches()?;
    let moved = fleet.sum("tiltyard_schedule_moved_ticks_total")?;
    let crowd = crowds::start(crowds::plan(form, fleet.urls(), searching, arrival))?;
    until_more(played)?;
    let queues = wait_for(Duration::from_secs(30), "the queues", || Queues::of(broker))?;
    let seen = format!("{:?}", queues.members);
    checks.check("every quorum queue has three members", seen, queues.members.iter().all(|members| *members == 3));
    queues.leader.signal(signal)?;
    // By then whoever was connected to it has noticed.
    thread::sleep(BACK_WITHIN);
    let up = fleet.sum("tiltyard_bus_up")?;
    let claim = "every instance has the broker 30 s after a node of it is gone";
    checks.check(claim, format!("{up} of {}", fleet.instances.len()), up == fleet.instances.len() as f64);
    let began = Instant::now();
    let more = until_more(matches()?);
    // What there is between two matches is to be listed, too.
    fleet.instances.iter().try_for_each(|instance| create_room(instance.players))?;
    let whole = fleet.until_whole();
    let seen = format!("{:.1} s later", began.elapsed().as_secs_f64());
    checks.check("matches begin while a node is gone", &seen, more.is_ok());
    checks.check("lists are whole while a node is gone", &seen, whole.is_ok());
    crowds::finish(crowd, checks);
    let moved = fleet.sum("tiltyard_schedule_moved_ticks_total")? - moved;
    checks.check("no schedule moves while the broker fails", format!("{moved} ticks"), moved == 0.0);
    Ok(queues.leader)
}

/// The quorum queues of a cluster.
struct Queues {
    /// How many members each has.
    members: Vec<usize>,
    /// The node that leads the queue of tickets.
    leader: Node,
}

impl Queues {
    /// As the first node that answers tells; none without a queue of tickets that has a leader.
    fn of(broker: &OwnBroker) -> anyhow::Result<Option<Self>> {
        let args = ["list_queues", "--no-table-headers", "-p", "tiltyard", "name", "type", "leader", "members"];
        let told = broker.nodes().iter().find_map(|node| broker.ask(node, &args).ok()).context("no node answers")?;
        let rows: Vec<Vec<_>> = told.lines().map(|line| line.split('\t').collect()).collect();
        let quorum =
            |row: &&Vec<&str>| row.get(1).is_some_and(|kind| *kind == "quorum" || *kind == "rabbit_quorum_queue");
        let members =
            rows.iter().filter(quorum).map(|row| row.get(3).map_or(0, |list| list.split(',').count())).collect();
        let leader = rows.iter().find(|row| row[0] == TICKETS).and_then(|row| row.get(2).copied());
        let leader = broker.nodes().iter().find(|node| leader == Some(node.name.as_str()));
        Ok(leader.map(|leader| Self { members, leader: leader.clone() }))
    }
}
