//! `bench`: runs scenes, prints their tables, keeps their results, says at the end what held.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use clap::Parser;
use serde_json::{Value, json};
use tiltyard_bench::{
    claim::{self, Claim},
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
    /// Steady seconds of each run; scenes that are not about CPU alone take half
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
    let scenes = chosen(&options.scene)?;
    machine::pin_self()?;
    let terms = Terms {
        steady: Duration::from_secs_f64(options.seconds),
        rounds: options.rounds.max(1),
        players: options.players,
        ours_only: options.ours_only,
        results: Results::open(&options.results).context("the folder for results")?,
    };
    let (start, mut claims, mut failed) = (Instant::now(), Vec::new(), Vec::new());
    for (place, scene) in scenes.iter().enumerate() {
        let minutes = start.elapsed().as_secs() / 60;
        say(&format!(
            "\n## {} ({} of {}, after {minutes} min)\n\n{}\n",
            scene.name,
            place + 1,
            scenes.len(),
            scene.about
        ));
        match play(scene, &terms) {
            Ok(of_scene) => claims.extend(of_scene),
            // The others are worth having.
            Err(error) => {
                say(&format!("FAILED: {error:#}"));
                failed.push(scene.name);
            }
        }
    }
    let held = claims.iter().filter(|claim| claim.holds()).count();
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    say(&format!(
        "\n{held} of {} claims hold, after {minutes:.1} min; all is in {}",
        claims.len(),
        options.results.display()
    ));
    claims.retain(|claim| !claim.holds());
    if !claims.is_empty() {
        say(&format!("\nWhat does not hold:\n\n{}", claim::table(&claims)));
    }
    ensure!(failed.is_empty(), "scenes that failed: {}", failed.join(", "));
    Ok(())
}

/// Measures one scene, prints and keeps what came out.
fn play(scene: &Scene, terms: &Terms) -> anyhow::Result<Vec<Claim>> {
    let before = machine::describe();
    say(&format!("{}\n", machine::sentence(&before)));
    let outcome = (scene.run)(terms)?;
    let after = machine::describe();
    if !outcome.claims.is_empty() {
        say(&format!("\n{}", claim::table(&outcome.claims)));
    }
    let load_average = |machine: &Value| machine["load_average"].clone();
    let kept = json!({
        "scene": scene.name, "about": scene.about, "seconds": terms.steady.as_secs_f64(), "rounds": terms.rounds,
        "machine": before, "load_average_after": load_average(&after),
        "claims": outcome.claims, "measured": outcome.measured,
    });
    terms.results.keep(scene.name, &kept)?;
    Ok(outcome.claims)
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<Scene>> {
    if names.is_empty() {
        return Ok(SCENES.to_vec());
    }
    let find = |name: &String| match SCENES.iter().find(|scene| scene.name == name) {
        Some(scene) => Ok(*scene),
        None => {
            bail!("no scene {name}; there are {}", SCENES.iter().map(|scene| scene.name).collect::<Vec<_>>().join(", "))
        }
    };
    names.iter().map(find).collect()
}
