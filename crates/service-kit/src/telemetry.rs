//! Logs: to standard error, so that what a command prints stays clean.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Human,
    /// A JSON object a line.
    Json,
}

/// Starts logging; `filter` as in `RUST_LOG`, for example `info,sqlx=warn`. Only the first call of a process counts.
///
/// # Errors
/// A filter that is none.
pub fn start_telemetry(filter: &str, format: LogFormat) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::builder().parse(filter)?;
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    // A second start, in a process that hosts several services, finds logging there already.
    let _ = match format {
        LogFormat::Human => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    Ok(())
}
