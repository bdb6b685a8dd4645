//! The deterministic simulations of the directory, of seats and of matchmaking, 1,000 seeds each: tests of the core by
//! themselves, told here beside what real processes show.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

use crate::{Form, checks::Checks};

pub(crate) fn run(checks: &mut Checks, _form: Form) -> anyhow::Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "--quiet", "--release", "-p", "tiltyard-core", "--no-fail-fast"]);
    command.args(["--test", "directory", "--test", "matchmaking", "--", "--format=pretty"]);
    let mut tests = command.stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let output = tests.stdout.take().context("no standard output")?;
    let mut told = 0;
    for line in BufReader::new(output).lines() {
        let line = line?;
        match line.strip_prefix("test ").and_then(|line| line.split_once(" ... ")) {
            Some((name, outcome)) => {
                let claim = name.rsplit("::").next().unwrap_or(name).replace('_', " ");
                checks.check(&claim, outcome, outcome == "ok");
                told += 1;
            }
            None => println!("    {line}"),
        }
    }
    let status = tests.wait()?;
    ensure!(status.success() && told > 0, "{told} simulations, {status}");
    Ok(())
}
