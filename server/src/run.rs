//! The process around a server: command line, logs, limits, signals, exit status.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    thread,
    time::Duration,
};

use anyhow::Context as _;
use clap::error::ErrorKind;
use rustix::process::{Signal as Kind, getpid, kill_process};
use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    time::sleep,
};
use tracing::{info, warn};

use crate::{
    cli,
    config::Config,
    files,
    games::Games,
    log,
    server::{Server, StartError},
};

/// Exit status for a mistake on the command line or in the broker's URL.
const USAGE: u8 = 2;

/// Exit status for a broker that is required and cannot be used.
const NO_BUS: u8 = 3;

/// The whole `main` of a server: reads command line and environment, serves the games until SIGTERM or SIGINT, tells
/// the players, and returns the exit status: 0 after a signal, 1 if the server could not run, 2 for a mistake on the
/// command line or in the broker's URL, 3 if `--bus-required` is set and the broker cannot be used.
///
/// Once it serves, it prints the lines `listening <addr>` and `ops <addr>` to standard output; logs go to standard
/// error. [`main!`](crate::main) generates the function around it.
pub fn run(games: Games) -> ExitCode {
    let (config, tool) = match cli::parse(std::env::args_os(), &games.names()) {
        Ok(parsed) => parsed,
        Err(error) => return explain(&error),
    };
    if let Some(tool) = tool {
        return finish(cli::run(&tool, &config, &games));
    }
    log::install(&config.log, config.log_json);
    log::log_panics();
    files::raise_limit();
    finish(serve(&config, games))
}

fn finish(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            match error.downcast_ref::<StartError>() {
                Some(StartError::Url(_)) => ExitCode::from(USAGE),
                Some(StartError::Bus(_)) => ExitCode::from(NO_BUS),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn serve(config: &Config, games: Games) -> anyhow::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    runtime.block_on(async {
        let mut signals = [SignalKind::terminate(), SignalKind::interrupt()].map(signal).into_iter();
        let (Some(Ok(mut terminate)), Some(Ok(mut interrupt))) = (signals.next(), signals.next()) else {
            anyhow::bail!("cannot wait for signals");
        };
        if config.stop_with_stdin {
            interrupt_after_stdin()?;
        }
        let names = games.names().join(", ");
        let server = Server::start(config, games).await?;
        let (listen, ops) = (server.listen_addr(), server.ops_addr());
        announce(&format!("listening {listen}\nops {ops}\n"))?;
        info!(%listen, %ops, shards = config.shard_count(), games = names, version = env!("CARGO_PKG_VERSION"), "serving");
        drain(&server, config.drain_timeout, &mut terminate, &mut interrupt).await;
        info!("players are told; a further signal ends the process at once");
        tokio::select! {
            () = server.stop() => Ok(()),
            name = either(&mut terminate, &mut interrupt) => anyhow::bail!("{name} while stopping"),
        }
    })
}

/// Treats the end of standard input like Ctrl-C.
fn interrupt_after_stdin() -> anyhow::Result<()> {
    let wait = || {
        let _error_is_an_end = io::copy(&mut io::stdin().lock(), &mut io::sink());
        if let Err(error) = kill_process(getpid(), Kind::INT) {
            warn!(%error, "cannot stop, though standard input has ended");
        }
    };
    thread::Builder::new().name("stdin".to_owned()).spawn(wait).context("cannot wait for standard input")?;
    Ok(())
}

/// Serves until it is time to stop: at once on SIGINT; after SIGTERM or an operator's command over the bus, when all
/// rooms and searches have ended, the time is over, or a second signal comes.
async fn drain(server: &Server, patience: Duration, terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => return info!("SIGINT"),
        _ = terminate.recv() => server.drain(),
        () = server.draining() => {}
    }
    info!(drain_timeout = ?patience, "draining: no new rooms and players; a second signal stops at once");
    tokio::select! {
        () = server.emptied() => info!("drained"),
        () = sleep(patience) => info!("the time to drain is over"),
        name = either(terminate, interrupt) => info!(signal = name, "signal while draining"),
    }
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// Prints help or version, or one line about a mistake with status 2.
fn explain(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            ExitCode::SUCCESS
        }
        _ => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or("bad command line");
            complain(&format!("{} (see --help)", line.strip_prefix("error: ").unwrap_or(line)));
            ExitCode::from(USAGE)
        }
    }
}

/// Prints one line about an error for whoever started the process, also without logs.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "error: {line}");
}

/// Prints the addresses for whoever started the process.
fn announce(lines: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush()).context("cannot write to standard output")
}
