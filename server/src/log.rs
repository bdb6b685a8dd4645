//! Logs: to standard error, for people or as JSON.

use std::{
    io::{self, IsTerminal as _},
    panic,
};

use tracing_subscriber::{EnvFilter, fmt, util::SubscriberInitExt as _};

/// A filter as of `--log`: a level, or directives like `info,tiltyard_server=debug`.
///
/// # Errors
///
/// What is wrong with it, in words.
pub(crate) fn parse_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Starts logging. Without effect if the process logs already.
pub(crate) fn install(filter: &str, json: bool) {
    // What the bus has to say of the broker it says itself, in one line. Who wants lapin's words names it.
    let filter = EnvFilter::try_new(format!("lapin=off,{filter}")).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let _ = if json { builder.json().finish().try_init() } else { builder.finish().try_init() };
}

/// From now on a panic is one line of the log instead of the default text on standard error.
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
