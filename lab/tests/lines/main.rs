//! Players on the lines that people have: every profile of the lab with each of the three clients, on a release server.
//!
//! `make lines` runs all, `make lines PROFILE="good step-up-600" CLIENT="rust page"` only these; `SHORT=1` is the short form.
//! A name also means those that begin with it and a dash. Prints one table and every claim that does not hold, writes JSON
//! and pictures to `target/lines`; exit status 0 only if all held. With `--client` it is itself the Rust client.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::{
    env,
    path::PathBuf,
    process::ExitCode,
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use tiltyard_lab::{Profile, Tunnel};

#[path = "../../../bot-client/tests/smoke/binary.rs"]
mod binary;
#[path = "../../../bot-client/tests/smoke/metrics.rs"]
mod metrics;
#[path = "../../../bot-client/tests/smoke/server.rs"]
mod server;

mod bystander;
mod child;
mod claims;
mod client_rust;
mod deploy;
mod record;
mod run;
mod table;

use child::Kind;
use run::{Job, Row};
use server::Server;

/// Runs at a time, by [`Kind::weight`].
const CAPACITY: usize = 12;

/// The profiles of the short form, and how long a game on one lasts at most.
const SHORT: [&str; 7] = ["good", "wifi", "3g", "jitter-150", "step-up-600", "train", "half-open"];
const SHORT_LENGTH: Duration = Duration::from_secs(40);

/// The profiles that are also played over real packets.
const TUNNELS: [&str; 3] = ["4g", "3g", "lossy"];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let done = match args.iter().position(|arg| arg == "--client") {
        Some(at) => be_client(&args[at + 1..]).map(|()| true),
        None => run_all(),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("FAIL {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn be_client(args: &[String]) -> anyhow::Result<()> {
    let [url, room, clients] = args else { bail!("--client URL ROOM PLAYERS") };
    client_rust::play(url, room.parse()?, clients.parse()?)
}

fn run_all() -> anyhow::Result<bool> {
    let short = env::var_os("SHORT").is_some_and(|short| !short.is_empty());
    let jobs = jobs(short)?;
    for kind in Kind::ALL.into_iter().filter(|kind| jobs.iter().any(|job| job.kind == *kind)) {
        kind.check()?;
    }
    let start = Instant::now();
    let (deploys, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.profile.name == "deploy");
    let mut rows = Vec::new();
    if !jobs.is_empty() {
        let server = Server::start(&[])?;
        rows = run_side_by_side(&jobs, &server.url);
        ensure!(server.stop()?, "the server does not stop as it should");
    }
    for job in deploys {
        // It takes the whole machine.
        rows.push(deploy::run(2_000).unwrap_or_else(|error| Row::failed(&job, &error)));
    }
    table::print(&rows);
    table::write(&rows, &folder()?)?;
    println!("{:.0} s", start.elapsed().as_secs_f64());
    Ok(rows.iter().flat_map(|row| &row.verdicts).all(|verdict| verdict.holds))
}

/// What was asked for by `PROFILE` and `CLIENT`; all, if nothing was.
fn jobs(short: bool) -> anyhow::Result<Vec<Job>> {
    let words =
        |name: &str| env::var(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let (profiles, clients) = (words("PROFILE"), words("CLIENT"));
    let is_meant = |profile: &Profile| {
        let name = profile.name.as_str();
        if profiles.is_empty() && short {
            return SHORT.contains(&name);
        }
        let begins = |wanted: &String| {
            name.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        profiles.is_empty()
            || profiles.iter().any(|wanted| name == wanted || wanted.starts_with("step") && begins(wanted))
    };
    let kinds: Vec<_> = Kind::ALL
        .into_iter()
        .filter(|kind| clients.is_empty() || clients.iter().any(|wanted| wanted == kind.name()))
        .collect();
    let tunnels = match Tunnel::open(&Profile::all()[0], 1) {
        Ok(_) => true,
        Err(error) => {
            println!("SKIPPED: lines with real packets: {error}");
            false
        }
    };
    let mut jobs = Vec::new();
    for profile in Profile::all().into_iter().filter(is_meant) {
        let profile = if short { shortened(profile) } else { profile };
        for &kind in &kinds {
            let applies = match profile.name.as_str() {
                "hidden" => kind == Kind::Page,
                "deploy" => kind == Kind::Rust,
                _ => !short || kind != Kind::Page || ["good", "step-up-600"].contains(&profile.name.as_str()),
            };
            if applies {
                jobs.push(Job { profile: profile.clone(), kind, seed: jobs.len() as u64 + 1, tunnel: false });
            }
            if applies && !short && tunnels && TUNNELS.contains(&profile.name.as_str()) {
                jobs.push(Job { profile: profile.clone(), kind, seed: jobs.len() as u64 + 1, tunnel: true });
            }
        }
    }
    ensure!(!jobs.is_empty(), "no profile and client of these names");
    Ok(jobs)
}

fn shortened(profile: Profile) -> Profile {
    let length = profile.length.min(SHORT_LENGTH);
    let steps = profile.steps.iter().filter(|step| step.at < length).copied().collect();
    Profile { length, steps, ..profile }
}

/// Runs as many at a time as the machine bears, the longest first; gives their rows in the order of the jobs.
fn run_side_by_side(jobs: &[Job], server: &str) -> Vec<Row> {
    let mut waiting: Vec<usize> = (0..jobs.len()).collect();
    waiting.sort_by_key(|&index| std::cmp::Reverse((jobs[index].kind.weight(), jobs[index].profile.length)));
    let mut rows: Vec<Option<Row>> = jobs.iter().map(|_| None).collect();
    let (tell, done) = channel();
    let mut load = 0;
    thread::scope(|scope| {
        while rows.iter().any(Option::is_none) {
            let fits = |&index: &usize| load + jobs[index].kind.weight() <= CAPACITY;
            if let Some(next) = waiting.iter().position(fits) {
                let index = waiting.remove(next);
                load += jobs[index].kind.weight();
                let tell = tell.clone();
                scope.spawn(move || {
                    let row = jobs[index].run(server).unwrap_or_else(|error| Row::failed(&jobs[index], &error));
                    // The receiver lives as long as this scope.
                    tell.send((index, row)).ok();
                });
                continue;
            }
            let Ok((index, row)) = done.recv() else { return };
            load -= jobs[index].kind.weight();
            let mark = if row.verdicts.iter().all(|one| one.holds) { "ok  " } else { "FAIL" };
            println!("{mark} {} {}", row.profile, row.client);
            rows[index] = Some(row);
        }
    });
    rows.into_iter().flatten().collect()
}

/// Where the results go: beside the build.
fn folder() -> anyhow::Result<PathBuf> {
    let this = env::current_exe()?;
    let target = this.ancestors().nth(3).context("this binary stands in no build")?;
    Ok(target.join("lines"))
}
