//! Logs, to standard error, so that what a command prints stays clean; and metrics, for whoever scrapes them.

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder};
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

/// Why metrics cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// Everybody could read them.
    #[error(
        "{0} is not a loopback address: without authentication only this machine may read metrics; use 127.0.0.1 or [::1]"
    )]
    NotLoopback(SocketAddr),
    /// The address is taken, or not of this machine.
    #[error("cannot serve metrics on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: BuildError,
    },
}

/// Serves what this process measures, of all its services, as Prometheus text at `/metrics`, until the process ends. Needs
/// a tokio runtime.
///
/// # Errors
/// An address that is not loopback, or cannot be listened on.
pub fn start_metrics(address: SocketAddr) -> Result<(), MetricsError> {
    if !address.ip().is_loopback() {
        return Err(MetricsError::NotLoopback(address));
    }
    let started = PrometheusBuilder::new().with_http_listener(address).install();
    started.map_err(|source| MetricsError::Listen { address, source })
}
