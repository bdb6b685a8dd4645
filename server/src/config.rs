//! The server's configuration: command line and environment, read once.

use std::{fmt, net::SocketAddr, num::NonZeroUsize, path::PathBuf, thread::available_parallelism, time::Duration};

use clap::{Parser, builder::BoolishValueParser};
use tiltyard_core::instance::{InstanceId, NameError, is_word};
use tiltyard_shared::world::Fault;
use url::Url;

use crate::log;

/// The default of `--drain-delay` in a fleet: two health checks that fail, a second apart, and what their outcome takes
/// to every balancer.
const DRAIN_DELAY: Duration = Duration::from_secs(5);

/// Hosts multiplayer game rooms: players connect by WebSocket to ws://ADDR/ws.
///
/// Without options it serves its games on this machine only. Every option can also be given by the environment variable
/// named beside it; the command line wins. Ctrl-C stops the server: players are told, then it exits with
/// status 0. SIGTERM does so once all rooms and searches for matches have ended, or after --drain-timeout, but not before
/// --drain-delay. SIGHUP reads --log-from again.
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

    /// RabbitMQ over which instances find one another, as in amqp://user:password@host:5672/vhost; of a cluster all hosts with
    /// commas between them; without it the server is alone
    #[arg(long, env = "AMQP_URL", hide_env_values = true, value_name = "URL", global = true)]
    pub amqp_url: Option<AmqpUrl>,

    /// Do not serve without the broker: exit with status 3 if it cannot be used at the start
    #[arg(long, env = "TILTYARD_BUS_REQUIRED", value_parser = BoolishValueParser::new())]
    pub bus_required: bool,

    /// This server's name among its instances: letters, digits, - and _, at most 48 [default: a random one]
    #[arg(long, env = "TILTYARD_INSTANCE", value_name = "NAME", value_parser = parse_instance)]
    pub instance: Option<InstanceId>,

    /// Where this server is, for players who want to play near by: one word, as in eu
    #[arg(long, env = "TILTYARD_REGION", value_name = "NAME", default_value = "local", value_parser = parse_region)]
    pub region: String,

    /// On SIGTERM the server is not ready any more and sends players elsewhere at once, but goes on answering for at least so
    /// long: balancers learn late [default: 5s with --amqp-url, else 0s]
    #[arg(long, env = "TILTYARD_DRAIN_DELAY", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub drain_delay: Option<Duration>,

    /// After that rooms may play on for so long before their players are sent elsewhere or told to go, as in 30s, 10m or 1h
    #[arg(long, env = "TILTYARD_DRAIN_TIMEOUT", value_name = "TIME", default_value = "10m", value_parser = humantime::parse_duration)]
    pub drain_timeout: Duration,

    /// A folder with pages of games, served under /web before what the server has built in: games/NAME/index.js
    #[arg(long, env = "TILTYARD_WEB", value_name = "FOLDER")]
    pub web: Option<PathBuf>,

    /// What is logged to standard error: error, warn, info, debug or trace, or one for each part as in
    /// "info,tiltyard_server=debug"
    #[arg(long, env = "TILTYARD_LOG", value_name = "FILTER", default_value = "info", value_parser = log::parse_filter)]
    pub log: String,

    /// A file with such a filter, used instead of --log, and read again on SIGHUP
    #[arg(long, env = "TILTYARD_LOG_FROM", value_name = "FILE")]
    pub log_from: Option<PathBuf>,

    /// Logs as one JSON object a line
    #[arg(long, env = "TILTYARD_LOG_JSON", value_parser = BoolishValueParser::new())]
    pub log_json: bool,

    /// What the rooms of a mode are made from beside what its game says, as in 'arena/teams={"match_seconds":60}'. May be
    /// given several times
    #[arg(long, env = "TILTYARD_MODE_CONFIG", value_name = "GAME/MODE=JSON", value_parser = parse_mode_config)]
    pub mode_config: Vec<ModeConfig>,

    /// Every room makes one deliberate fault (flip-lane, drop-departure or skip-delta), to prove that clients notice
    #[arg(long, env = "TILTYARD_TEST_FAULT", value_name = "FAULT", hide = true)]
    pub test_fault: Option<Fault>,

    /// Stops at once, as by Ctrl-C, when standard input ends: whoever holds its other end is gone
    #[arg(long, hide = true)]
    pub stop_with_stdin: bool,

    /// Times that are fixed for operators but not for tests.
    #[arg(skip)]
    pub timing: Timing,
}

/// The URL of a broker, or of several hosts of one. Its debug output has no password.
#[derive(Clone, PartialEq, Eq)]
pub struct AmqpUrl(String);

impl AmqpUrl {
    /// The whole URL, password included.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl From<String> for AmqpUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Debug for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AmqpUrl(..)")
    }
}

/// Timeouts and intervals of the server.
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
    /// How long a ticket made by REST lives without a request for its state. Default 10 s.
    pub ticket: Duration,
    /// The maximum time for the close handshake of a connection that we close. Default 2 s.
    pub close_handshake: Duration,
    /// The maximum time for the whole server to stop. Default 8 s.
    pub stop: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            hello: tiltyard_shared::protocol::limits::HELLO_TIMEOUT,
            ping: Duration::from_secs(2),
            missed_pings: 5,
            ticket: Duration::from_secs(10),
            close_handshake: Duration::from_secs(2),
            stop: Duration::from_secs(8),
        }
    }
}

impl Default for Config {
    /// The configuration without any options.
    fn default() -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            listen: local(8080),
            ops_listen: local(9464),
            shards: None,
            max_rooms: 4096,
            max_players: 20_000,
            public_url: None,
            amqp_url: None,
            bus_required: false,
            instance: None,
            region: "local".to_owned(),
            drain_delay: None,
            drain_timeout: Duration::from_secs(600),
            web: None,
            log: "info".to_owned(),
            log_from: None,
            log_json: false,
            mode_config: Vec::new(),
            test_fault: None,
            stop_with_stdin: false,
            timing: Timing::default(),
        }
    }
}

impl Config {
    /// The number of shards: the configured one, otherwise one for each core.
    pub(crate) fn shard_count(&self) -> usize {
        self.shards.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get)
    }

    /// The minimum time between the beginning of a drain and the end: the configured one. Otherwise whoever is in a
    /// fleet stays for [`DRAIN_DELAY`], while whoever is alone has nowhere to send anybody and need not be waited for.
    pub(crate) fn drain_delay(&self) -> Duration {
        let fleet = if self.amqp_url.is_some() { DRAIN_DELAY } else { Duration::ZERO };
        self.drain_delay.unwrap_or(fleet)
    }

    /// Where the filter of what is logged comes from.
    pub(crate) fn log_source(&self) -> log::Source {
        self.log_from.clone().map_or_else(|| log::Source::Fixed(self.log.clone()), log::Source::File)
    }
}

/// An operator's changes to the config of a mode's rooms.
#[derive(Clone, Debug, PartialEq)]
pub struct ModeConfig {
    /// The game.
    pub game: String,
    /// The mode.
    pub mode: String,
    /// Fields of the game's config, as JSON.
    pub config: serde_json::Value,
}

fn parse_mode_config(text: &str) -> Result<ModeConfig, String> {
    let parts = text.split_once('=').and_then(|(name, json)| Some((name.split_once('/')?, json)));
    let ((game, mode), json) = parts.ok_or("not like GAME/MODE=JSON")?;
    let config = serde_json::from_str(json).map_err(|error| error.to_string())?;
    Ok(ModeConfig { game: game.to_owned(), mode: mode.to_owned(), config })
}

/// Accepts `ws://` or `wss://` with a host, and optionally a path in front of `/ws`.
fn parse_public_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("not like wss://play.example: {error}"))?;
    if ["ws", "wss"].contains(&url.scheme()) && url.query().is_none() && url.fragment().is_none() {
        Ok(text.to_owned())
    } else {
        Err("not like wss://play.example".to_owned())
    }
}

pub(crate) fn parse_instance(text: &str) -> Result<InstanceId, String> {
    InstanceId::new(text).map_err(|NameError| "not one word of at most 48 letters, digits, - and _".to_owned())
}

fn parse_region(text: &str) -> Result<String, String> {
    if is_word(text) {
        Ok(text.to_owned())
    } else {
        Err("not one word of at most 48 letters, digits, - and _".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Config, clap::Error> {
        Config::try_parse_from(std::iter::once(&"tiltyard").chain(args))
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
            (&["--instance", "a.b"], "invalid value 'a.b' for '--instance <NAME>'"),
            (&["--drain-timeout", "10"], "invalid value '10' for '--drain-timeout <TIME>'"),
            (&["--drain-delay", "soon"], "invalid value 'soon' for '--drain-delay <TIME>'"),
            (&["--max-roms", "3"], "unexpected argument '--max-roms'"),
        ] {
            let text = parse(args).unwrap_err().to_string();
            assert!(text.lines().next().unwrap().contains(told), "{text}");
        }
    }

    #[test]
    fn who_is_in_a_fleet_does_not_leave_before_balancers_know() {
        let delay = |args: &[&str]| parse(args).unwrap().drain_delay();
        let broker = ["--amqp-url", "amqp://host"];
        assert_eq!((delay(&[]), delay(&broker)), (Duration::ZERO, DRAIN_DELAY));
        let set = ["--drain-delay", "20s"];
        assert_eq!(delay(&set), delay(&[&set[..], &broker].concat()));
        assert_eq!((delay(&set), delay(&["--drain-delay", "0s"])), (Duration::from_secs(20), Duration::ZERO));
    }

    #[test]
    fn durations_have_a_unit_and_passwords_are_not_shown() {
        for (text, ms) in [("0s", 0), ("500ms", 500), ("30s", 30_000), ("10m", 600_000), ("1h", 3_600_000)] {
            assert_eq!(humantime::parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        assert!(parse(&["--drain-timeout", "-1s"]).is_err() && parse(&["--drain-timeout", "1e99h"]).is_err());
        let config = parse(&["--amqp-url", "amqp://ann:secret@host"]).unwrap();
        assert_eq!(config.amqp_url.as_ref().unwrap().text(), "amqp://ann:secret@host");
        assert!(!format!("{config:?}").contains("secret"));
    }
}
