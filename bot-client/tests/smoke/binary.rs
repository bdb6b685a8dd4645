//! Where the release binaries of the workspace are.

use std::{env, path::PathBuf};

use anyhow::{Context as _, ensure};

/// The server: `TILTYARD_BIN`, or the binary beside this one's folder.
pub(crate) fn tiltyard() -> anyhow::Result<PathBuf> {
    if let Some(path) = env::var_os("TILTYARD_BIN") {
        return Ok(path.into());
    }
    let this = env::current_exe()?;
    let folder = this.parent().and_then(|deps| deps.parent()).context("this binary stands in no folder")?;
    let path = folder.join("tiltyard");
    ensure!(path.exists(), "{} is missing: `make build` makes it", path.display());
    Ok(path)
}
