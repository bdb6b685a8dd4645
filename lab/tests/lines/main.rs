//! Players on the lines that people have: every profile of the lab with each of the three clients, on a release server.
//!
//! `make lines` runs all, `make lines PROFILE="good step-up-600" CLIENT="rust page"` only these; `SHORT=1` is the short form.
//! A name also means those that begin with it and a dash. Prints one table and every claim that does not hold, writes JSON
//! and pictures to `target/lines`; exit status 0 only if all held. With `--client` it is itself the Rust client.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::{
    env,
    net::Ipv4Addr,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    process::ExitCode,
    sync::mpsc::channel,
    thread,
    time::Instant,
};

use anyhow::{Context as _, anyhow, bail};
use tiltyard_lab::{claims, record};

mod bystander;
mod child;
mod client_rust;
mod deploy;
mod plan;
mod run;
mod table;

use child::{CAPACITY, Kind};
use plan::Wish;
use run::{Job, Row};

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
    let jobs = Wish::from_env().jobs()?;
    for kind in Kind::ALL.into_iter().filter(|kind| jobs.iter().any(|job| job.kind == *kind)) {
        kind.check()?;
    }
    let start = Instant::now();
    let (deploys, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.profile.name == "deploy");
    let mut rows = Vec::new();
    if !jobs.is_empty() {
        let server = run::server(Ipv4Addr::LOCALHOST)?;
        rows = run_side_by_side(&jobs, &server.url());
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

/// Runs as many at a time as the machine bears, the longest first; gives their rows in the order of the jobs.
fn run_side_by_side(jobs: &[Job], server: &str) -> Vec<Row> {
    let mut waiting: Vec<usize> = (0..jobs.len()).collect();
    waiting.sort_by_key(|&index| std::cmp::Reverse((jobs[index].kind.weight(), jobs[index].profile.length)));
    let mut rows: Vec<Option<Row>> = jobs.iter().map(|_| None).collect();
    let mut again = vec![false; jobs.len()];
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
                    let run = catch_unwind(AssertUnwindSafe(|| jobs[index].run(server)));
                    let row = run.unwrap_or_else(|_| Err(anyhow!("it panicked")));
                    let row = row.unwrap_or_else(|error| Row::failed(&jobs[index], &error));
                    // The receiver lives as long as this scope.
                    tell.send((index, row)).ok();
                });
                continue;
            }
            let Ok((index, row)) = done.recv() else { return };
            load -= jobs[index].kind.weight();
            let held = row.verdicts.iter().all(|one| one.holds);
            println!("{} {} {}", if held { "ok  " } else { "FAIL" }, row.profile, row.client);
            // A browser that draws without a graphics card stalls now and then, whatever the line: what is the line's fault, or
            // the page's, is seen in the second run as well.
            if !held && jobs[index].kind == Kind::Page && !std::mem::replace(&mut again[index], true) {
                for verdict in row.verdicts.iter().filter(|one| !one.holds) {
                    println!("     {}: {}; once more", verdict.claim, verdict.seen);
                }
                waiting.insert(0, index);
                continue;
            }
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
