//! Logs: to standard error, for people or as JSON.

use std::{
    io::{self, IsTerminal as _},
    panic,
};

use tracing_subscriber::{EnvFilter, fmt, util::SubscriberInitExt as _};

/// Checks a filter for `--log`: a level, or directives like `info,tiltyard_server=debug`.
///
/// # Errors
///
/// A description of what is wrong.
pub(crate) fn parse_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Starts logging. Has no effect if the process already logs.
pub(crate) fn install(filter: &str, json: bool) {
    // The bus reports the broker's state itself, in one line. A filter that names lapin shows lapin's messages too.
    let filter = EnvFilter::try_new(format!("lapin=off,{filter}")).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let _ = if json { builder.json().finish().try_init() } else { builder.finish().try_init() };
}

/// Turns panics into one line of the log each, instead of the default text on standard error.
pub(crate) fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload();
        let text =
            payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let message = text.unwrap_or("(no message)");
        tracing::error!(place, message, "panic");
    }));
}
