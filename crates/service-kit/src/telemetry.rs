//! Logs, to standard error, so that what a command prints stays clean; traces; and metrics, for whoever scrapes them.

mod format;
mod traces;

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use format::ForPeople;
pub use traces::{TraceParent, Traces, TracesError};
pub(crate) use traces::{add_trace_headers, adopt, note_failure};

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Human,
    /// A JSON object a line.
    Json,
}

/// Why nothing can be logged or traced.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// What is to be logged is said in a way that has no meaning.
    #[error(transparent)]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Traces cannot be sent.
    #[error(transparent)]
    Traces(#[from] TracesError),
}

/// The parts of the program whose work is traced: others' is not ours to explain.
const TRACED: [&str; 5] =
    ["access_management", "activity_tracking", "credit_calculation", "managed_credit", "service_kit"];

/// Starts logging, `filter` as in `RUST_LOG`, for example `info,sqlx=warn`; and tracing, in the name of a service, as the
/// variables `OTEL_*` of the environment say. Only the first call of a process counts. Needs a tokio runtime.
///
/// # Errors
/// A filter that is none, or traces that cannot be sent.
pub fn start_telemetry(filter: &str, format: LogFormat, service_name: &str) -> Result<Traces, TelemetryError> {
    let filter = EnvFilter::builder().parse(filter)?;
    let traces = Traces::start(service_name)?;
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let lines = match format {
        LogFormat::Human => lines.fmt_fields(ForPeople).with_filter(filter).boxed(),
        LogFormat::Json => lines.json().with_filter(filter).boxed(),
    };
    let ours = Targets::new().with_targets(TRACED.map(|name| (name, LevelFilter::INFO)));
    let tracing = tracing_opentelemetry::layer().with_tracer(traces.tracer()).with_filter(ours);
    // A second start, in a process that hosts several services, finds logging there already.
    let _ = tracing_subscriber::registry().with(lines).with(tracing).try_init();
    Ok(traces)
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
