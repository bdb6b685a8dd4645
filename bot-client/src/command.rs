//! The load swarm's command line: flags in, a table and an exit status out. The work is done by [`swarm`](mod@crate::swarm)
//! and [`crowd`].

use std::{
    io::{IsTerminal as _, Write as _, stderr, stdout},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::Parser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    crowd::{self, Crowd},
    player::Players,
    swarm::{Plan, Progress, Report, Swarm},
};

/// Plays a game with many bots at once, and measures.
///
/// What they send is what the game's own bot decides, or random where it has none. Where a game ends, they begin the next.
///
/// Exit status: 0 if all went well, 1 if any state differed or anything else went wrong, 2 for bad flags.
#[derive(Debug, Parser)]
#[command(name = "tiltyard-bot", version)]
struct Args {
    /// The server; given several times, bots that search for matches are spread over them
    #[arg(long, default_value = "ws://127.0.0.1:8080/ws")]
    url: Vec<String>,
    /// What to play: any game of the server
    #[arg(long, default_value = "arena", value_name = "NAME")]
    game: String,
    /// Search for matches of this mode of the arena, and play what is found. Bots arrive over --ramp and play until their match is over;
    /// who has none after --ramp and --duration counts as lost
    #[arg(long, value_name = "MODE", conflicts_with_all = ["game", "rooms", "room_sizes"])]
    matchmake: Option<String>,
    /// With --matchmake: parties of 1 to so many
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    party_max: u8,
    /// With --matchmake: single players follow until nobody waits
    #[arg(long)]
    followers: bool,
    /// With --matchmake: so many percent of the bots never take a seat, and search again after the penalty
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100), value_name = "PERCENT")]
    no_shows: u8,
    /// How many bots
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    bots: u32,
    /// How many rooms; bot i goes to room i modulo this
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rooms: u32,
    /// How many bots in each room, instead of --bots and --rooms: 300,50,50
    #[arg(long, value_delimiter = ',', conflicts_with_all = ["bots", "rooms"])]
    room_sizes: Vec<u32>,
    /// The bots enter one after the other over this time (seconds, or with a unit: 500ms, 2s, 1m)
    #[arg(long, default_value = "2s", value_parser = parse_duration)]
    ramp: Duration,
    /// They play for so long after that
    #[arg(long, default_value = "30s", value_parser = parse_duration)]
    duration: Duration,
    /// Inputs a second of each bot
    #[arg(long, default_value_t = 20.0, value_parser = parse_rate)]
    rate: f64,
    /// Ask for a hash with every frame and compare
    #[arg(long)]
    verify: bool,
    /// Write the results to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Threads that the bots run on
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
    /// The seed of all that the bots do
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Args {
    fn plan(&self, players: &Players) -> Plan {
        let sizes: Vec<usize> = self.room_sizes.iter().map(|size| *size as usize).collect();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Plan {
            url: self.url.first().cloned().unwrap_or_default(),
            game: self.game.clone(),
            players: players.clone(),
            rooms: match sizes.is_empty() {
                true => Plan::spread(self.bots as usize, self.rooms as usize),
                false => Plan::sized(&sizes),
            },
            config: None,
            ramp: self.ramp,
            duration: self.duration,
            rate: self.rate,
            verify: self.verify,
            threads: usize::from(self.threads).min(cores),
            seed: self.seed,
        }
    }

    fn crowd(&self, mode: &str) -> crowd::Plan {
        crowd::Plan {
            urls: self.url.clone(),
            mode: mode.to_owned(),
            bots: self.bots as usize,
            party_max: self.party_max,
            no_shows: self.no_shows,
            arrival: self.ramp,
            limit: self.ramp + self.duration,
            play: true,
            followers: usize::from(self.followers),
            threads: usize::from(self.threads),
            seed: self.seed,
        }
    }
}

/// Runs the command with the flags of this process. [`Players`] has the games that bring bots of their own.
pub fn run(players: &Players) -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) if error.use_stderr() => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or("error: bad flags");
            writeln!(stderr(), "{line}").ok();
            return ExitCode::from(2);
        }
        Err(help) => {
            write!(stdout(), "{help}").ok();
            return ExitCode::SUCCESS;
        }
    };
    let outcome = match &args.matchmake {
        Some(mode) => run_crowd(&args, mode).map(|report| report.is_clean()),
        None => run_swarm(&args, players).map(|report| report.is_clean()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            writeln!(stderr(), "error: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

fn run_swarm(args: &Args, players: &Players) -> anyhow::Result<Report> {
    let plan = args.plan(players);
    raise_open_files(plan.rooms.len())?;
    let swarm = Swarm::start(plan.clone())?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(watch(&swarm, &plan));
    let report = swarm.finish();
    write!(stdout(), "{report}").ok();
    write_json(args, &report)?;
    Ok(report)
}

/// As [`run_swarm`], with bots that search for their rooms.
fn run_crowd(args: &Args, mode: &str) -> anyhow::Result<crowd::Report> {
    raise_open_files(2 * args.bots as usize)?;
    let crowd = Crowd::start(args.crowd(mode))?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut told = Instant::now();
        while !crowd.is_finished() {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
                _ = tokio::signal::ctrl_c() => crowd.stop(),
            }
            if told.elapsed() >= Duration::from_secs(5) {
                let (waiting, playing) = crowd.progress();
                let seconds = crowd.elapsed().as_secs();
                writeln!(stderr(), "{seconds} s: {waiting} to come or waiting, {playing} playing").ok();
                told = Instant::now();
            }
        }
    });
    let report = crowd.finish();
    write!(stdout(), "{report}").ok();
    write_json(args, &report)?;
    Ok(report)
}

fn write_json(args: &Args, report: &impl serde::Serialize) -> anyhow::Result<()> {
    let Some(path) = &args.json else { return Ok(()) };
    let json = serde_json::to_string_pretty(report)?;
    std::fs::write(path, json + "\n").with_context(|| format!("cannot write {}", path.display()))
}

/// Raises the limit of open files: one for each bot, and some for the rest.
fn raise_open_files(bots: usize) -> anyhow::Result<()> {
    let wanted = bots as u64 + 64;
    let limit = rlimit::increase_nofile_limit(wanted).context("cannot raise the limit of open files")?;
    anyhow::ensure!(
        limit >= wanted,
        "{bots} bots need {wanted} open files, the hard limit is {limit}: raise it with `ulimit -Hn {wanted}` as root"
    );
    Ok(())
}

/// Shows the progress until all bots have left; Ctrl-C ends the play early.
async fn watch(swarm: &Swarm, plan: &Plan) {
    let bots = plan.rooms.len();
    let start = Instant::now();
    let terminal = stderr().is_terminal();
    let bar = ProgressBar::with_draw_target(
        Some((plan.ramp + plan.duration).as_millis() as u64),
        if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
    );
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {msg}") {
        bar.set_style(style);
    }
    let period = Duration::from_millis(if terminal { 200 } else { 5000 });
    let mut printed = (start, Progress::default());
    while !swarm.is_finished() {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
            _ = tokio::signal::ctrl_c() => swarm.stop(),
        }
        if printed.0.elapsed() >= period {
            let progress = swarm.progress();
            let line = describe(start.elapsed(), progress, bots, printed);
            bar.set_position(start.elapsed().as_millis() as u64);
            bar.set_message(line.clone());
            if !terminal {
                writeln!(stderr(), "{line}").ok();
            }
            printed = (Instant::now(), progress);
        }
    }
    bar.finish_and_clear();
}

fn describe(elapsed: Duration, now: Progress, bots: usize, (at, before): (Instant, Progress)) -> String {
    let rate = |now: u64, before: u64| (now - before) as f64 / at.elapsed().as_secs_f64();
    format!(
        "{:.0} s: {} of {bots} in, {:.0} frames/s, {:.1} kB/s, {} mismatches, {} errors",
        elapsed.as_secs_f64(),
        now.connected,
        rate(now.frames, before.frames),
        rate(now.bytes, before.bytes) / 1000.0,
        now.mismatches,
        now.errors,
    )
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=100.0).contains(&rate) { Ok(rate) } else { Err("not from 0 to 100".to_owned()) }
}

/// Parses plain seconds, or `500ms`, `2s`, `1m 30s`; at most a week.
fn parse_duration(text: &str) -> Result<Duration, String> {
    const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    let duration = match text.parse() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?,
        Err(_) => humantime::parse_duration(text).map_err(|error| error.to_string())?,
    };
    if duration <= WEEK { Ok(duration) } else { Err("more than a week".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_or_have_a_unit() {
        for (text, millis) in [("2", 2000), ("2s", 2000), ("500ms", 500), ("1.5", 1500), ("1m", 60_000), ("0", 0)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-1", "8d", "1e99", "NaN", "two"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_flags_of_the_manual_are_understood() {
        let line =
            "tiltyard-bot --url ws://127.0.0.1:8080/ws --bots 100 --rooms 2 --ramp 2s --duration 30 --rate 20 --verify";
        let players = Players::of_shipped_games();
        let plan = Args::try_parse_from(line.split(' ')).unwrap().plan(&players);
        assert_eq!((plan.rooms.len(), plan.rooms[1], plan.verify), (100, 1, true));
        let plan = Args::try_parse_from(["tiltyard-bot", "--room-sizes", "3,1"]).unwrap().plan(&players);
        assert_eq!(plan.rooms, [0, 1, 0, 0]);
        assert!(Args::try_parse_from(["tiltyard-bot", "--rate", "fast"]).is_err());
    }
}
