//! The release server of a part.

use std::{io::ErrorKind, process::Command, time::Duration};

use tiltyard_testing::{Server, binary};

/// Starts it with these additions to its environment.
pub(crate) fn start(env: &[(&str, &str)]) -> anyhow::Result<Server> {
    let mut command = Command::new(binary("tiltyard")?);
    command.args(["--log", "warn"]).envs(env.iter().copied());
    Ok(Server::start(command)?)
}

/// Tells it to stop; true if it does so in time and with status 0.
pub(crate) fn stop(server: Server) -> anyhow::Result<bool> {
    server.signal("TERM")?;
    match server.end(Duration::from_secs(15)) {
        Ok((status, _)) => Ok(status.success()),
        Err(error) if error.kind() == ErrorKind::TimedOut => Ok(false),
        Err(error) => Err(error.into()),
    }
}
