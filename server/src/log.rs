//! Logs: to standard error, for people or as JSON. A line of JSON has the instance's name; what concerns a player has
//! the `client`'s address, and once there is a seat `room`, `player` and `session`.

use std::{
    fmt,
    fs::File,
    io::{self, IsTerminal as _, Read as _},
    panic,
    path::{Path, PathBuf},
};

use thiserror::Error;
use tiltyard_shared::hash::StateHash;
use tracing::{Event, Level, Subscriber, enabled, info, warn};
use tracing_subscriber::{
    EnvFilter, Registry,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Json, Writer},
    },
    layer::SubscriberExt as _,
    registry::LookupSpan,
    reload,
    util::SubscriberInitExt as _,
};
use uuid::Uuid;

/// The maximum size of a file with a filter.
const FILE_BYTES: u64 = 64 * 1024;

/// Where the filter of what is logged comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// It is fixed.
    Fixed(String),
    /// The content of a file, which may change.
    File(PathBuf),
}

/// Why there is no filter.
#[derive(Debug, Error)]
pub(crate) enum FilterError {
    /// The file cannot be read.
    #[error("cannot read {file} (--log-from): {source}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Its content is no filter.
    #[error("no filter in {file} (--log-from): {why}")]
    Bad {
        /// The file.
        file: PathBuf,
        /// A description of what is wrong.
        why: String,
    },
}

impl Source {
    /// Reads the filter.
    ///
    /// # Errors
    ///
    /// [`FilterError`], for a file.
    fn read(&self) -> Result<String, FilterError> {
        match self {
            Self::Fixed(filter) => Ok(filter.clone()),
            Self::File(file) => {
                let text = read(file).map_err(|source| FilterError::Unreadable { file: file.clone(), source })?;
                let bad = |why| FilterError::Bad { file: file.clone(), why };
                match text.trim() {
                    "" => Err(bad("it is empty".to_owned())),
                    filter => parse_filter(filter).map_err(bad),
                }
            }
        }
    }
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(file)?.take(FILE_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// Checks a filter for `--log`: a level, or directives like `info,tiltyard_server=debug`.
///
/// # Errors
///
/// A description of what is wrong.
pub(crate) fn parse_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// The log of this process.
#[derive(Debug)]
pub(crate) struct Log {
    source: Source,
    filter: reload::Handle<EnvFilter, Registry>,
}

impl Log {
    /// Starts logging: as JSON if there is an instance to name in each line. Has no effect if the process already logs.
    ///
    /// # Errors
    ///
    /// [`FilterError`].
    pub(crate) fn install(source: Source, json: Option<String>) -> Result<Self, FilterError> {
        let (layer, filter) = reload::Layer::new(filter_of(&source.read()?));
        let registry = tracing_subscriber::registry().with(layer);
        let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
        let _ = match json {
            None => registry.with(lines.with_ansi(io::stderr().is_terminal())).try_init(),
            Some(instance) => {
                let named = Named { instance, json: tracing_subscriber::fmt::format().json() };
                registry.with(lines.json().event_format(named)).try_init()
            }
        };
        Ok(Self { source, filter })
    }

    /// Reads the filter again, and says so in one line. Returns whether the log is now as the source says: what cannot
    /// be read changes nothing.
    pub(crate) fn reload(&self) -> bool {
        if let Source::Fixed(_) = self.source {
            info!("SIGHUP: nothing is read again without --log-from; options change with a restart");
            return true;
        }
        match self.source.read() {
            Ok(filter) => {
                let say =
                    || info!(filter, "SIGHUP: --log-from was read again; all other options change with a restart");
                // Neither an old nor a new filter that hides the line shall hide it alone.
                let was_told = enabled!(Level::INFO);
                if was_told {
                    say();
                }
                let done = self.filter.reload(filter_of(&filter)).is_ok();
                if !was_told {
                    say();
                }
                done
            }
            Err(error) => {
                warn!(%error, "SIGHUP: what is logged stays as it was");
                false
            }
        }
    }
}

/// The filter for a text that was checked.
fn filter_of(text: &str) -> EnvFilter {
    // The bus reports the broker's state itself, in one line. A filter that names lapin shows lapin's messages too.
    EnvFilter::try_new(format!("lapin=off,{text}")).unwrap_or_else(|_| EnvFilter::new("info"))
}

/// Lines of JSON that name the instance.
struct Named {
    instance: String,
    json: Format<Json>,
}

impl<S, N> FormatEvent<S, N> for Named
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = String::new();
        self.json.format_event(ctx, Writer::new(&mut line), event)?;
        let rest = line.strip_prefix('{').ok_or(fmt::Error)?;
        write!(writer, "{{\"instance\":\"{}\",{rest}", self.instance)
    }
}

/// A session's name in the log: 32 bits of a hash. The session's id is a secret of 122 random bits, which nobody finds
/// from these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionName(u32);

impl SessionName {
    /// The name of a session.
    pub(crate) fn of(session: Uuid) -> Self {
        Self(StateHash::blob_content(session.as_bytes()))
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
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
