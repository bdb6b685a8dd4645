//! The games that bring no bot of their own, played by what their schema says an input is: two in a room, and the next game
//! where one has ended.

use std::{env, fs, path::PathBuf, process::Child, process::Command};

use anyhow::Context as _;
use serde_json::Value;

use crate::{
    checks::Checks,
    load::{BOTS, number},
    server,
};

pub(crate) fn run(checks: &mut Checks) -> anyhow::Result<()> {
    println!("20 bots in 10 rooms of each other game, by chance:");
    let server = server::start(&[])?;
    let [connect4, pong] = ["connect4", "pong"].map(|game| start(&server.url(), game));
    check(checks, "connect4", connect4?)?;
    let finished = number(&check(checks, "pong", pong?)?, "games_finished")?;
    checks.check("pong: each bot played a game to its end, and began another", finished, finished >= 20.0);
    checks.check("the server stops when told, with status 0", "", server::stop(server)?);
    Ok(())
}

fn start(url: &str, game: &str) -> anyhow::Result<(Child, PathBuf)> {
    let path = env::temp_dir().join(format!("tiltyard-smoke-{game}-{}.json", std::process::id()));
    let bots = Command::new(BOTS)
        .args(["--url", url, "--game", game, "--bots", "20", "--rooms", "10", "--ramp", "1s", "--duration", "30s"])
        .args(["--verify", "--json"])
        .arg(&path)
        .spawn()?;
    Ok((bots, path))
}

fn check(checks: &mut Checks, game: &str, (mut bots, path): (Child, PathBuf)) -> anyhow::Result<Value> {
    let status = bots.wait()?;
    let report: Value = serde_json::from_str(&fs::read_to_string(&path).context("the bots wrote no results")?)?;
    fs::remove_file(&path).ok();
    checks.check(&format!("{game}: the bots' exit status is 0"), status, status.success());
    for (key, wanted) in [("connected", 20.0), ("mismatches", 0.0), ("errors", 0.0)] {
        let seen = number(&report, key)?;
        checks.check(&format!("{game}: {key}: {wanted}"), seen, seen == wanted);
    }
    let frames = number(&report, "frames")?;
    checks.check(&format!("{game}: at least 1,000 frames"), frames, frames >= 1_000.0);
    Ok(report)
}
