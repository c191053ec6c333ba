//! Logs: one line each, JSON or plain, and never a personal value.

use std::error::Error;
use std::io::IsTerminal;
use std::iter;

use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Plain,
    /// For machines: one JSON object a line.
    Json,
}

/// The log filter is none.
#[derive(Debug, thiserror::Error)]
#[error("log.filter: expected a filter such as info,mostik=debug")]
pub struct InvalidFilter;

/// An error with everything that caused it, in one line.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let causes = iter::successors(Some(error), |error: &&dyn Error| Error::source(*error));
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Whether a log filter can be used.
#[must_use]
pub fn is_filter(filter: &str) -> bool {
    EnvFilter::try_new(filter).is_ok()
}

/// Starts logging to standard error. Later calls change nothing.
///
/// # Errors
/// [`InvalidFilter`].
pub fn init(filter: &str, format: LogFormat) -> Result<(), InvalidFilter> {
    let filter = EnvFilter::try_new(filter).map_err(|_| InvalidFilter)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // Where the log is a file on a full disk, what cannot be written there must not stop what is done: to say so on
        // standard error would panic.
        .log_internal_errors(false)
        .with_span_events(FmtSpan::NONE);
    let started = match format {
        LogFormat::Plain => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // A second start in one process (tests) keeps the first one's settings.
    drop(started);
    Ok(())
}
