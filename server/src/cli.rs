//! The command line: the options of [`Config`], and the subcommands that do something other than serving.

use std::{ffi::OsString, path::PathBuf};

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _, Subcommand};
use tiltyard_core::instance::InstanceId;
use tiltyard_shared::schema::Schema;
use tokio::runtime;

use crate::{
    config::{AmqpUrl, Config, parse_instance},
    games::{GameHost, Games},
    tools::{cluster, fleet, health, print, project, tap, types},
};

// A sub-command. (In a doc comment clap would take this for the description of the whole program.)
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Tool {
    /// Prints what clients must know of a game, as JSON or as types for pages
    Schema {
        /// The game's name
        game: String,
        /// Prints TypeScript declarations of its entities, inputs, events and config, which JSDoc can import as well
        #[arg(long)]
        types: bool,
    },
    /// Learns codings that save bytes from rooms of players who do anything at random
    ///
    /// Prints a file for #[replicate(codings = "…")] on the entity, as in `tiltyard learn mine > src/codings.txt`: what each
    /// coding saves, then the codings, the same every time. Where one saves less than a fiftieth, or fewer than 500 values
    /// were told, none is used. Players who do what yours do teach better: write some, and use tiltyard_shared::learn as
    /// the arena's example `learn` does.
    Learn {
        /// The game's name
        game: String,
        /// How many rooms, each by chance of its own
        #[arg(long, default_value_t = 8)]
        rooms: u64,
        /// How many players in each, or as many as it holds
        #[arg(long, default_value_t = 50)]
        players: u32,
        /// How many ticks of each
        #[arg(long, default_value_t = 1_200)]
        ticks: u32,
    },
    /// Begins a project for a game of your own, which can be played at once: pong, to be changed at will
    New {
        /// Where: a folder that does not exist yet; its name is the game's
        folder: PathBuf,
        /// Takes Tiltyard's libraries from this clone instead of its repository
        #[arg(long, value_name = "CLONE")]
        path: Option<PathBuf>,
    },
    /// Asks the server of this machine how it is, by its --ops-listen: status 0 if well, as for a container's health check
    Health {
        /// Whether it takes players, instead of whether it runs
        #[arg(long)]
        ready: bool,
    },
    /// Runs a fleet on this machine until Ctrl-C, over AMQP_URL or a private RabbitMQ of its own
    Cluster(cluster::Cluster),
    /// Prints what instances tell one another over AMQP_URL as it happens, one JSON object a line
    Tap {
        /// Only events whose keys fit: words with dots between them, * for any word, # for any number, as in room.opened.#
        #[arg(default_value = "#")]
        pattern: String,
    },
    /// Lists the instances of the fleet at AMQP_URL, with their load
    Instances {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Lists the rooms of the fleet at AMQP_URL, private ones too
    Rooms {
        /// Only those of this instance
        #[arg(long, value_name = "NAME", value_parser = parse_instance)]
        of: Option<InstanceId>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Asks an instance of the fleet at AMQP_URL to take no new rooms and players, and to stop when its rooms and searches
    /// have ended
    Drain {
        /// Its name, as `instances` lists it
        #[arg(value_name = "NAME", value_parser = parse_instance)]
        instance: InstanceId,
    },
}

/// Parses a command line and this process's environment into the configuration and an optional subcommand. `games` are
/// named in the help.
///
/// # Errors
///
/// An invalid option, or a request for help or version: clap's error knows which.
pub(crate) fn parse(
    args: impl IntoIterator<Item = OsString>,
    games: &[&str],
) -> Result<(Config, Option<Tool>), clap::Error> {
    let command = Config::command().after_help(format!("Games of this server: {}", games.join(", ")));
    let tools = Tool::augment_subcommands(clap::Command::new("tools"));
    let matches = command.subcommands(tools.get_subcommands().cloned()).try_get_matches_from(args)?;
    let tool = matches.subcommand_name().map(|_| Tool::from_arg_matches(&matches)).transpose()?;
    Ok((Config::from_arg_matches(&matches)?, tool))
}

/// Runs a subcommand.
///
/// # Errors
///
/// Why it failed.
pub(crate) fn run(tool: &Tool, config: &Config, games: &Games) -> anyhow::Result<()> {
    let url = config.amqp_url.as_ref();
    match tool {
        Tool::Schema { game, types } => {
            let json = &find(games, game)?.schema().json;
            if *types {
                let schema: Schema = serde_json::from_str(json).context("the schema is not readable")?;
                print(&types::declarations(&schema))
            } else {
                print(&format!("{json}\n"))
            }
        }
        Tool::Learn { game, rooms, players, ticks } => print(&find(games, game)?.learn(*rooms, *players, *ticks)),
        Tool::New { folder, path } => print(&project::create(folder, path.as_deref())?),
        Tool::Health { ready } => print(&health::ask(config.ops_listen, if *ready { "/readyz" } else { "/healthz" })?),
        Tool::Cluster(cluster) => cluster.run(url.map(AmqpUrl::text)),
        Tool::Tap { pattern } => wait(tap::listen(url, pattern)),
        Tool::Instances { json } => print(&wait(fleet::instances(url, *json))?),
        Tool::Rooms { of, json } => print(&wait(fleet::rooms(url, *of, *json))?),
        Tool::Drain { instance } => print(&wait(fleet::drain(url, *instance))?),
    }
}

fn find<'a>(games: &'a Games, name: &str) -> anyhow::Result<&'a dyn GameHost> {
    let names = || format!("there is no game {name:?} here; there are: {}", games.names().join(", "));
    games.find(name).map(AsRef::as_ref).with_context(names)
}

/// Runs work that needs a broker. Its connections are closed when the runtime ends.
fn wait<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?.block_on(work)
}
