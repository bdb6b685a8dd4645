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
    time::{sleep, timeout},
};
use tracing::{info, warn};

use crate::{
    cli,
    config::Config,
    files,
    fleet::random_id,
    games::Games,
    log::{self, Log},
    metrics,
    server::{Server, StartError},
};

/// Exit status for a mistake on the command line or in the broker's URL.
const USAGE: u8 = 2;

/// Exit status for a broker that is required and cannot be used.
const NO_BUS: u8 = 3;

/// The whole `main` of a server: reads command line and environment, serves the games until SIGTERM or SIGINT, tells
/// the players, and returns the exit status: 0 after a signal, 1 if the server could not run, 2 for a mistake on the
/// command line, in `--log-from` or in the broker's URL, 3 if `--bus-required` is set and the broker cannot be used.
///
/// Once it serves, it prints the lines `listening <addr>` and `ops <addr>` to standard output; logs go to standard
/// error. [`main!`](crate::main) generates the function around it.
pub fn run(games: Games) -> ExitCode {
    let (mut config, tool) = match cli::parse(std::env::args_os(), &games.names()) {
        Ok(parsed) => parsed,
        Err(error) => return explain(&error),
    };
    if let Some(tool) = tool {
        return finish(cli::run(&tool, &config, &games));
    }
    // Each line of a log names the instance.
    let name = config.instance.get_or_insert_with(random_id).to_string();
    let log = match Log::install(config.log_source(), config.log_json.then_some(name)) {
        Ok(log) => log,
        Err(error) => {
            complain(&error.to_string());
            return ExitCode::from(USAGE);
        }
    };
    log::log_panics();
    files::raise_limit();
    finish(serve(&config, games, log))
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

fn serve(config: &Config, games: Games, log: Log) -> anyhow::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    runtime.block_on(async {
        let mut signals = Signals::new(log).context("cannot wait for signals")?;
        if config.stop_with_stdin {
            interrupt_after_stdin()?;
        }
        let names = games.names().join(", ");
        let server = Server::start(config, games).await?;
        let (listen, ops) = (server.listen_addr(), server.ops_addr());
        announce(&format!("listening {listen}\nops {ops}\n"))?;
        info!(%listen, %ops, shards = config.shard_count(), games = names, version = env!("CARGO_PKG_VERSION"), "serving");
        drain(&server, config, &mut signals).await;
        info!("players are told; a further signal ends the process at once");
        tokio::select! {
            () = server.stop() => Ok(()),
            name = signals.either() => anyhow::bail!("{name} while stopping"),
        }
    })
}

/// The signals that end the process, sooner or later.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches them from now on. SIGHUP is caught too, and only reads the log's filter again.
    fn new(log: Log) -> io::Result<Self> {
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                metrics::reload(log.reload());
            }
        });
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next one, and returns its name.
    async fn either(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
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

/// Serves until it is time to stop: at once on SIGINT; after SIGTERM or an operator's command over the bus, when the
/// server has drained, or a second signal comes.
async fn drain(server: &Server, config: &Config, signals: &mut Signals) {
    tokio::select! {
        _ = signals.interrupt.recv() => return info!("SIGINT"),
        _ = signals.terminate.recv() => server.drain(),
        () = server.draining() => {}
    }
    let (drain_delay, drain_timeout) = (config.drain_delay(), config.drain_timeout);
    info!(?drain_delay, ?drain_timeout, "draining: no new rooms and players; a second signal stops at once");
    tokio::select! {
        () = empty(server, drain_delay, drain_timeout) => {}
        signal = signals.either() => info!(signal, "signal while draining"),
    }
}

/// Stays for `delay`, because balancers learn late that this server takes nobody; then waits until all rooms and
/// searches have ended. When that takes longer than `patience`, players are sent to other instances.
async fn empty(server: &Server, delay: Duration, patience: Duration) {
    sleep(delay).await;
    match timeout(patience, server.emptied()).await {
        Ok(()) => info!("drained"),
        Err(_) => {
            info!("the time to drain is over");
            server.send_players_on().await;
        }
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
