//! `tiltyard-lab`: a bad line between any client and any server.
#![expect(clippy::print_stdout, reason = "its output is what drivers read")]

use std::{
    io::{self, BufRead as _},
    net::SocketAddr,
    thread,
};

use anyhow::Context as _;
use clap::Parser;
use tiltyard_lab::{Profile, Proxy};

/// Stands as a bad line between clients and a server.
///
/// Says `listening ADDR` when it does. Takes commands from standard input, one a line, and answers each with `ok` or with
/// what is wrong: `begin` (the steps of the profile count from now on), `profile NAME`, `cut`, `silence [down|up|both]`,
/// `hang`, `resume`, `delay DOWN_MS UP_MS`.
#[derive(Debug, Parser)]
#[command(name = "tiltyard-lab", version)]
struct Options {
    /// What line it is: see --list
    #[arg(long, value_name = "NAME", default_value = "good", value_parser = profile)]
    profile: Profile,

    /// The same seed makes the same line
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Where clients connect; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Where the server is
    #[arg(long, value_name = "ADDR", required_unless_present = "list")]
    target: Option<SocketAddr>,

    /// The steps of the profile count from the start on, without a command
    #[arg(long)]
    begin: bool,

    /// Ends when standard input does: whoever holds its other end is gone
    #[arg(long)]
    stop_with_stdin: bool,

    /// Names all profiles, with their numbers
    #[arg(long)]
    list: bool,
}

fn profile(name: &str) -> Result<Profile, String> {
    Profile::named(name).ok_or_else(|| format!("there is no profile {name}; --list names them"))
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let Some(target) = options.target.filter(|_| !options.list) else {
        list();
        return Ok(());
    };
    let proxy = Proxy::start_at(options.listen, &options.profile, options.seed, target)
        .with_context(|| format!("cannot listen at {}", options.listen))?;
    println!("listening {}", proxy.address());
    if options.begin {
        proxy.begin();
    }
    for line in io::stdin().lock().lines() {
        match command(&proxy, line?.trim()) {
            Ok(()) => println!("ok"),
            Err(fault) => println!("{fault}"),
        }
    }
    if options.stop_with_stdin {
        return Ok(());
    }
    loop {
        thread::park();
    }
}

fn command(proxy: &Proxy, line: &str) -> Result<(), String> {
    match line.split_once(' ') {
        Some(("profile", name)) => proxy.set(&profile(name.trim())?),
        None if line == "begin" => proxy.begin(),
        _ => proxy.change(line.parse().map_err(|fault: tiltyard_lab::profile::ParseChangeError| fault.to_string())?),
    }
    Ok(())
}

fn list() {
    println!("{:<20} {:>22} {:>22} {:>7} {:>9} steps", "profile", "down ms, B/s", "up ms, B/s", "loss %", "queue ms");
    for Profile { name, down, up, steps, .. } in Profile::all() {
        let way = |way: tiltyard_lab::profile::Direction| {
            let (least, usual) = (way.delay.as_millis(), way.delay + way.spread.mean() + way.sway.mean());
            let rate = way.rate.map_or("any".to_owned(), |rate| rate.to_string());
            format!("{least}+{} {rate}", usual.as_millis().saturating_sub(least))
        };
        let (loss, queue, steps) = (down.loss * 100.0, down.queue.as_millis(), steps.len());
        println!("{name:<20} {:>22} {:>22} {loss:>7.1} {queue:>9} {steps}", way(down), way(up));
    }
}
