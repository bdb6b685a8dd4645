//! What a server's binary can do beside serving: for authors of games show a game's schema and begin a new project, for
//! operators ask a server how it is, run a fleet on this machine, listen to what instances tell one another.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::Context as _;
use clap::Subcommand;
use tiltyard_shared::schema::Schema;

use crate::{
    config::{AmqpUrl, Config},
    games::Games,
};

mod cluster;
mod health;
mod project;
mod tap;
mod types;

/// A sub-command.
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
}

/// Does what a sub-command says.
///
/// # Errors
///
/// Why it cannot be done.
pub(crate) fn run(tool: &Tool, config: &Config, games: &Games) -> anyhow::Result<()> {
    let amqp_url = config.amqp_url.as_ref().map(AmqpUrl::text);
    match tool {
        Tool::Schema { game, types } => {
            let names = || format!("there is no game {game:?} here; there are: {}", games.names().join(", "));
            let json = &games.find(game).with_context(names)?.schema().json;
            if *types {
                let schema: Schema = serde_json::from_str(json).context("the schema is not readable")?;
                print(&types::declarations(&schema))
            } else {
                print(&format!("{json}\n"))
            }
        }
        Tool::New { folder, path } => print(&project::create(folder, path.as_deref())?),
        Tool::Health { ready } => print(&health::ask(config.ops_listen, if *ready { "/readyz" } else { "/healthz" })?),
        Tool::Cluster(cluster) => cluster.run(amqp_url),
        Tool::Tap { pattern } => tap::run(amqp_url.context("AMQP_URL is not set")?, pattern),
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).context("cannot write to standard output")
}
