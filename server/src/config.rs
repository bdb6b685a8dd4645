//! The server's configuration: command line and environment, read once.

use std::{
    ffi::OsString, net::SocketAddr, num::NonZeroUsize, path::PathBuf, thread::available_parallelism, time::Duration,
};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand as _, builder::BoolishValueParser};
use tiltyard_shared::world::Fault;

use crate::{ops::log, tools::Tool};

/// Hosts multiplayer game rooms: players connect by WebSocket to ws://ADDR/ws.
///
/// Without options it serves its games on this machine only. Every option can also be given by the environment variable
/// named beside it; the command line wins. Ctrl-C or SIGTERM stops the server: players are told, then it exits with
/// status 0.
#[derive(Clone, Debug, Parser)]
#[command(name = "tiltyard", version)]
#[non_exhaustive]
pub struct Config {
    /// Where players connect: IP address and port; port 0 takes a free one; 0.0.0.0 is every IPv4 address of this machine
    #[arg(long, env = "TILTYARD_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Where operators look: /metrics for Prometheus, /healthz, /readyz. Not for the public
    #[arg(long, env = "TILTYARD_OPS_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:9464")]
    pub ops_listen: SocketAddr,

    /// Threads that run rooms [default: one for each core]
    #[arg(long, env = "TILTYARD_SHARDS", value_name = "COUNT")]
    pub shards: Option<NonZeroUsize>,

    /// Most rooms at a time; whoever would need one more is refused
    #[arg(long, env = "TILTYARD_MAX_ROOMS", value_name = "COUNT", default_value_t = 4096)]
    pub max_rooms: u32,

    /// Most players at a time, over all rooms; further ones are refused
    #[arg(long, env = "TILTYARD_MAX_PLAYERS", value_name = "COUNT", default_value_t = 20_000)]
    pub max_players: u32,

    /// Where players from outside find this server, if that is not where their requests say: as in wss://play.example
    #[arg(long, env = "TILTYARD_PUBLIC_URL", value_name = "URL", value_parser = parse_public_url)]
    pub public_url: Option<String>,

    /// A folder with pages of games, served under /web before what the server has built in: games/NAME/index.js
    #[arg(long, env = "TILTYARD_WEB", value_name = "FOLDER")]
    pub web: Option<PathBuf>,

    /// What is logged to standard error: error, warn, info, debug or trace, or one for each part as in
    /// "info,tiltyard_server=debug"
    #[arg(long, env = "TILTYARD_LOG", value_name = "FILTER", default_value = "info", value_parser = log::parse_filter)]
    pub log: String,

    /// Logs as one JSON object a line
    #[arg(long, env = "TILTYARD_LOG_JSON", value_parser = BoolishValueParser::new())]
    pub log_json: bool,

    /// Every room makes one deliberate fault (flip-lane, drop-departure or skip-delta), to prove that clients notice
    #[arg(long, env = "TILTYARD_TEST_FAULT", value_name = "FAULT", hide = true)]
    pub test_fault: Option<Fault>,

    /// Times that are fixed for operators but not for tests.
    #[arg(skip)]
    pub timing: Timing,
}

/// How long the server waits for what.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Timing {
    /// From the accepted connection to a hello, from there to a wish, and from a refusal to the next. Default
    /// [`HELLO_TIMEOUT`](tiltyard_shared::protocol::limits::HELLO_TIMEOUT).
    pub hello: Duration,
    /// From one ping to the next. Default 2 s.
    pub ping: Duration,
    /// Pings in a row without an answer until a connection counts as gone: each waits for [`Self::ping`]. Default 5, so
    /// that a dead peer is found 10 s after the first ping that it does not answer.
    pub missed_pings: u32,
    /// How long a connection that we close has to take the last words. Default 2 s.
    pub farewell: Duration,
    /// How long the whole server may take to stop. Default 8 s.
    pub stop: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            hello: tiltyard_shared::protocol::limits::HELLO_TIMEOUT,
            ping: Duration::from_secs(2),
            missed_pings: 5,
            farewell: Duration::from_secs(2),
            stop: Duration::from_secs(8),
        }
    }
}

impl Default for Config {
    /// What holds without any option.
    fn default() -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            listen: local(8080),
            ops_listen: local(9464),
            shards: None,
            max_rooms: 4096,
            max_players: 20_000,
            public_url: None,
            web: None,
            log: "info".to_owned(),
            log_json: false,
            test_fault: None,
            timing: Timing::default(),
        }
    }
}

impl Config {
    /// The configuration of a command line and this process's environment, and what to do instead of serving. `games` are
    /// named in the help.
    ///
    /// # Errors
    ///
    /// A mistake, or a wish for help or version: clap's error knows which.
    pub(crate) fn parse(
        args: impl IntoIterator<Item = OsString>,
        games: &[&str],
    ) -> Result<(Self, Option<Tool>), clap::Error> {
        let command = Self::command().after_help(format!("Games of this server: {}", games.join(", ")));
        let tools = Tool::augment_subcommands(clap::Command::new("tools"));
        let matches = command.subcommands(tools.get_subcommands().cloned()).try_get_matches_from(args)?;
        let tool = matches.subcommand_name().map(|_| Tool::from_arg_matches(&matches)).transpose()?;
        Ok((Self::from_arg_matches(&matches)?, tool))
    }

    /// The number of shards: as given, otherwise one for each core.
    pub(crate) fn shard_count(&self) -> usize {
        self.shards.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get)
    }
}

/// `ws://` or `wss://` and a host; a path in front of `/ws` if need be.
fn parse_public_url(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("wss://").or_else(|| text.strip_prefix("ws://")).unwrap_or_default();
    let plain = !host.is_empty() && !host.starts_with('/') && host.chars().all(|char| char.is_ascii_graphic());
    if plain && !host.contains(['?', '#']) {
        Ok(text.to_owned())
    } else {
        Err("not like wss://play.example".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Config, clap::Error> {
        Config::parse(std::iter::once(&"tiltyard").chain(args).map(OsString::from), &["arena"])
            .map(|(config, _)| config)
    }

    #[test]
    fn the_defaults_are_those_of_the_command_line() {
        let (mut parsed, default) = (parse(&[]).unwrap(), Config::default());
        parsed.timing = default.timing;
        assert_eq!(format!("{parsed:?}"), format!("{default:?}"));
    }

    #[test]
    fn mistakes_are_told_in_the_first_line() {
        for (args, told) in [
            (&["--listen", "nowhere"][..], "invalid value 'nowhere' for '--listen <ADDR>'"),
            (&["--shards", "0"], "invalid value '0' for '--shards <COUNT>'"),
            (&["--log", "info,x=loud"], "invalid value 'info,x=loud' for '--log <FILTER>'"),
            (&["--max-roms", "3"], "unexpected argument '--max-roms'"),
        ] {
            let text = parse(args).unwrap_err().to_string();
            assert!(text.lines().next().unwrap().contains(told), "{text}");
        }
    }
}
