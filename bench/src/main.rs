//! `bench`: runs scenes, prints their tables, keeps their results.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use clap::Parser;
use serde_json::json;
use tiltyard_bench::{
    machine,
    report::{Results, say},
    scenes::{SCENES, Scene, Terms},
};

/// Measures what a player costs, through the real server and real sockets, beside the floor and a peer. Needs two cores: the
/// server has the first for itself, the load the second.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Options {
    /// Which scenes, separated by commas; all if none is named
    #[arg(long, value_delimiter = ',')]
    scene: Vec<String>,
    /// Steady seconds of each run
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Rounds: each makes every run once, in turn
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Numbers of players instead of a scene's own
    #[arg(long, value_delimiter = ',')]
    players: Vec<usize>,
    /// Without floor and peers: for profilers
    #[arg(long)]
    ours_only: bool,
    /// Where results go
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    machine::pin_self()?;
    let terms = Terms {
        steady: Duration::from_secs_f64(options.seconds),
        rounds: options.rounds,
        players: options.players,
        ours_only: options.ours_only,
        results: Results::open(&options.results).context("the folder for results")?,
    };
    for (name, scene) in chosen(&options.scene)? {
        let machine = machine::describe();
        say(&format!("\n## {name}\n\n{machine}\n"));
        let measured = scene(&terms)?;
        let kept =
            json!({ "machine": machine, "seconds": options.seconds, "rounds": options.rounds, "measured": measured });
        terms.results.keep(name, &kept)?;
    }
    Ok(())
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<Scene>> {
    if names.is_empty() {
        return Ok(SCENES.to_vec());
    }
    let find = |name: &String| match SCENES.iter().find(|(known, _)| known == name) {
        Some(scene) => Ok(*scene),
        None => {
            bail!("no scene {name}; there are {}", SCENES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "))
        }
    };
    names.iter().map(find).collect()
}
