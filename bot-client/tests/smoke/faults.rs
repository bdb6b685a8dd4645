//! Faults on purpose: a server that breaks one rule of replication is found out by the swarm, each time.

use std::process::Command;

use crate::{checks::Checks, load::BOTS, server};

/// The environment variable by which a server is told to misbehave.
const FAULT: &str = "TILTYARD_TEST_FAULT";

pub(crate) fn run(checks: &mut Checks) -> anyhow::Result<()> {
    println!("deliberate faults of the server:");
    for fault in [None, Some("flip-lane"), Some("drop-departure"), Some("skip-delta")] {
        let env: Vec<_> = fault.map(|fault| (FAULT, fault)).into_iter().collect();
        let server = server::start(&env)?;
        let output = Command::new(BOTS)
            .args(["--url", &server.url(), "--bots", "30", "--ramp", "500ms", "--duration", "6s", "--verify"])
            .output()?;
        let table = String::from_utf8_lossy(&output.stdout);
        let seen: Vec<_> =
            table.lines().filter(|line| line.starts_with("mismatches") || line.starts_with("errors")).collect();
        let seen = seen.join(", ").split_whitespace().collect::<Vec<_>>().join(" ");
        let claim = fault.map_or("no fault: status 0".to_owned(), |fault| format!("{fault}: status 1"));
        let wanted = i32::from(fault.is_some());
        checks.check(&claim, format!("{}; {seen}", output.status), output.status.code() == Some(wanted));
    }
    Ok(())
}
