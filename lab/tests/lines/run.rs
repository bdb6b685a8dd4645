//! One run: a profile and a kind of client, with a room of its own.

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde::Serialize;
use tiltyard_bot::swarm::{Plan, Swarm};
use tiltyard_lab::{Profile, Proxy, Tunnel, profile::Direction, tunnel::SERVER};
use tiltyard_shared::protocol::codec;
use tiltyard_testing::{Server, binary};
use uuid::Uuid;

use crate::{
    bystander::{Bystander, Notes, open_field, wall},
    child::{Child, Kind},
    claims::{Figures, Seen, Verdict},
    record::Record,
};

/// A client is ready, and in, by then.
const PATIENCE: Duration = Duration::from_secs(70);

/// From the first frames to the beginning of the steps.
const SETTLE: Duration = Duration::from_secs(4);

/// A release server at this address; killed when dropped, for players whose line is dead would be waited for.
pub(crate) fn server(address: Ipv4Addr) -> anyhow::Result<Server> {
    let mut command = Command::new(binary("tiltyard")?);
    command.args(["--listen", &format!("{address}:0"), "--log", "warn"]);
    Ok(Server::start(command)?)
}

/// What is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) profile: Profile,
    pub(crate) kind: Kind,
    pub(crate) seed: u64,
    /// Whether real packets are lost in a tunnel, instead of a proxy doing as if.
    pub(crate) tunnel: bool,
}

/// What came of it: a row of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) profile: String,
    pub(crate) client: &'static str,
    /// Of the player that had it worst.
    pub(crate) figures: Figures,
    pub(crate) verdicts: Vec<Verdict>,
    /// The figures over time, of the first player.
    pub(crate) course: Vec<Point>,
}

/// A second of a run.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Point {
    /// Seconds after the steps began to count.
    pub(crate) at: f64,
    pub(crate) frames: usize,
    pub(crate) bytes: u32,
    /// Percent.
    pub(crate) underruns: Option<f64>,
    /// The picture's, ms.
    pub(crate) age: Option<f64>,
}

impl Job {
    /// What stands in the table.
    pub(crate) fn name(&self) -> String {
        if self.tunnel { format!("{}-tun", self.profile.name) } else { self.profile.name.clone() }
    }

    /// Others that play in the room: enough to see; as many as a line of 8 kB/s must carry.
    fn crowd(&self) -> usize {
        if self.profile.name == "capped" { 60 } else { 5 }
    }

    /// Plays it, on this server unless it needs one of its own, and judges.
    pub(crate) fn run(&self, server: &str) -> anyhow::Result<Row> {
        if self.tunnel { self.run_in_tunnel() } else { self.run_on(server, &Rim::Proxy(server)) }
    }

    fn run_in_tunnel(&self) -> anyhow::Result<Row> {
        let tunnel = Tunnel::open(&self.open(), self.seed).context("no tunnel on this machine")?;
        let run = || {
            tunnel.enter_server()?;
            let server = server(SERVER)?;
            self.run_on(&server.url(), &Rim::Tunnel(&tunnel, &server.url()))
        };
        thread::scope(|scope| scope.spawn(run).join()).map_err(|_| anyhow::anyhow!("the run panicked"))?
    }

    /// A page is loaded before its line is bad: what is looked at is the game.
    fn open(&self) -> Profile {
        Profile { down: Direction::OPEN, up: Direction::OPEN, steps: Vec::new(), ..self.profile.clone() }
    }

    fn run_on(&self, server: &str, rim: &Rim<'_>) -> anyhow::Result<Row> {
        let swarm = Swarm::start(Plan {
            url: server.to_owned(),
            rooms: vec![0; self.crowd()],
            config: Some(codec::encode(&open_field())),
            ramp: Duration::from_millis(500),
            duration: Duration::from_secs(3600),
            rate: 5.0,
            seed: self.seed,
            ..Plan::default()
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let room = runtime.block_on(swarm.room(0)).context("the room could not be made")?;
        let bystander = Bystander::enter(server, room)?;
        let played = self.play(rim, room);
        let notes = bystander.leave();
        swarm.stop();
        swarm.finish();
        let (times, records) = played?;
        Ok(self.judge(times, &records, &notes?))
    }

    fn play(&self, rim: &Rim<'_>, room: Uuid) -> anyhow::Result<(Times, Vec<Record>)> {
        let proxy;
        let (control, mut child) = match rim {
            Rim::Proxy(server) => {
                let target: SocketAddr = server.trim_start_matches("ws://").trim_end_matches("/ws").parse()?;
                proxy = Proxy::start(&self.open(), self.seed, target)?;
                let url = format!("ws://{}/ws", proxy.address());
                (proxy.control(), Child::start(self.kind, &[], &url, room)?)
            }
            Rim::Tunnel(tunnel, url) => (tunnel.control(), Child::start(self.kind, &tunnel.players_run(), url, room)?),
        };
        child.wait("ready", 1, PATIENCE)?;
        control.set(&self.profile);
        child.tell("enter")?;
        child.wait("in", self.kind.players(), PATIENCE)?;
        thread::sleep(SETTLE);
        control.begin();
        let began = wall();
        let woken = self.wait_for_the_end(&mut child)?;
        let ended = wall();
        Ok((Times { began, ended, woken }, child.finish()?))
    }

    /// Lets the time of the profile pass, with what happens to the player's machine in it.
    fn wait_for_the_end(&self, child: &mut Child) -> anyhow::Result<Option<f64>> {
        let start = Instant::now();
        let sleep_until = |share: f64| {
            let due = self.profile.length.mul_f64(share);
            thread::sleep(due.saturating_sub(start.elapsed()));
        };
        let mut woken = None;
        match self.profile.name.as_str() {
            "sleep" => {
                sleep_until(0.2);
                child.signal("-STOP")?;
                sleep_until(0.7);
                child.signal("-CONT")?;
                woken = Some(wall());
            }
            "hidden" => {
                sleep_until(0.2);
                child.tell("hide")?;
                sleep_until(0.7);
                child.tell("show")?;
                woken = Some(wall());
            }
            _ => {}
        }
        sleep_until(1.0);
        Ok(woken)
    }

    fn judge(&self, times: Times, records: &[Record], notes: &Notes) -> Row {
        let Times { began, ended, woken } = times;
        let seen = |record| Seen {
            profile: &self.profile,
            record,
            began,
            ended,
            woken,
            ticks: &notes.ticks,
            witnessed: &notes.events,
        };
        let judged = records.iter().map(|record| {
            let seen = seen(record);
            let figures = seen.figures();
            (seen.judge(&figures), figures)
        });
        let broken = |(verdicts, _): &(Vec<Verdict>, Figures)| verdicts.iter().filter(|one| !one.holds).count();
        let (verdicts, figures) = judged.max_by_key(broken).unwrap_or_default();
        let course = records.first().map(|record| course(record, notes, began, ended)).unwrap_or_default();
        Row { profile: self.name(), client: self.kind.name(), figures, verdicts, course }
    }
}

impl Row {
    /// The row of a run that did not come to its end.
    pub(crate) fn failed(job: &Job, error: &anyhow::Error) -> Self {
        let claim = "the run comes to its end".to_owned();
        Self {
            profile: job.name(),
            client: job.kind.name(),
            figures: Figures { over: Some(format!("{error:#}")), ..Figures::default() },
            verdicts: vec![Verdict { claim, seen: format!("{error:#}"), holds: false }],
            course: Vec::new(),
        }
    }
}

/// What brings bytes from the client to the server.
enum Rim<'a> {
    /// A proxy to this server, still to be started.
    Proxy(&'a str),
    /// A tunnel, at whose end the server has this URL.
    Tunnel(&'a Tunnel, &'a str),
}

#[derive(Clone, Copy)]
struct Times {
    began: f64,
    ended: f64,
    woken: Option<f64>,
}

fn course(record: &Record, notes: &Notes, began: f64, ended: f64) -> Vec<Point> {
    let seconds = ((ended - began) / 1000.0) as u32;
    let point = |second: u32| {
        let from = began + f64::from(second) * 1000.0;
        let span = [(from, from + 1000.0)];
        let frames = || record.frames.iter().filter(|frame| (span[0].0..span[0].1).contains(&frame.0));
        Point {
            at: f64::from(second),
            frames: frames().count(),
            bytes: frames().map(|frame| frame.2).sum(),
            underruns: record.drawn(&span).share(),
            age: record.age(&span, &notes.ticks),
        }
    };
    (0..seconds).map(point).collect()
}
