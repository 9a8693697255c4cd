//! Logs, to standard error, so that what a command prints stays clean; and metrics, for whoever scrapes them.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
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

/// Why nothing can be measured.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be kept: {0}")]
pub struct MetricsError(#[from] BuildError);

/// The bounds of durations, in seconds: those that OpenTelemetry advises for calls.
const DURATION_BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// How often what was measured is put together, so that it does not grow where nobody scrapes.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Keeps what this process measures from now on, of all its services, for whoever scrapes it. Needs a tokio runtime.
///
/// # Errors
/// Something in this process keeps metrics already.
pub(crate) fn start_metrics() -> Result<PrometheusHandle, MetricsError> {
    let durations = Matcher::Suffix("_duration_seconds".to_owned());
    let handle = PrometheusBuilder::new().set_buckets_for_metric(durations, &DURATION_BOUNDS)?.install_recorder()?;
    metrics_process::Collector::default().describe();
    let of_upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP_INTERVAL).await;
            of_upkeep.run_upkeep();
        }
    });
    Ok(handle)
}
