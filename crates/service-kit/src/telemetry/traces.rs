//! Traces: which work is for the sake of which call, through all services (W3C Trace Context), sent by OTLP where an endpoint
//! is set.
//!
//! Every call has a trace id, also where traces are sent nowhere: it is in the logs, it travels with the calls that a call
//! makes, and it is stored with what a call changes.

use std::time::Duration;

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Status as SpanStatus, TraceContextExt as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The header of W3C Trace Context that names a trace and a place in it.
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// How long what was traced last may take to be sent at the end.
const FLUSH_LIMIT: Duration = Duration::from_secs(3);

/// Why traces cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// Another protocol is asked for.
    #[error("{variable} is {value:?}; this program sends traces by grpc only")]
    Protocol {
        /// Where it is asked for.
        variable: &'static str,
        /// What is.
        value: String,
    },
    /// The endpoint, or what else `OTEL_EXPORTER_OTLP_*` say, is not usable.
    #[error("OTEL_EXPORTER_OTLP_*: {0}")]
    Exporter(#[from] ExporterBuildError),
}

/// What traces, and sends the last of it when it is told to stop.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// As the variables `OTEL_*` of the environment say; without an endpoint nothing is sent. Needs a tokio runtime.
    pub(super) fn start(service_name: &str) -> Result<Self, TracesError> {
        let builder = SdkTracerProvider::builder();
        let provider = if is_sending() {
            require_grpc()?;
            let exporter = SpanExporter::builder().with_tonic().build()?;
            builder.with_batch_exporter(exporter).with_resource(resource(service_name)).build()
        } else {
            // Ids only; whether it is recorded elsewhere is for whoever began the trace to say.
            builder.with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff))).build()
        };
        Ok(Self { provider })
    }

    pub(super) fn tracer(&self) -> SdkTracer {
        self.provider.tracer("managed-credit")
    }

    /// Sends what was traced last.
    pub async fn stop(self) {
        let stopping = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(FLUSH_LIMIT));
        if let Ok(Err(error)) = stopping.await {
            tracing::warn!(%error, "what was traced last was not sent");
        }
    }
}

fn stated(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

fn is_sending() -> bool {
    let is_off = stated("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || stated("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
    let endpoints = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
    !is_off && endpoints.into_iter().any(|variable| stated(variable).is_some())
}

fn require_grpc() -> Result<(), TracesError> {
    for variable in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
        match stated(variable) {
            Some(value) if value != "grpc" => return Err(TracesError::Protocol { variable, value }),
            Some(_) => return Ok(()),
            None => {}
        }
    }
    Ok(())
}

/// What traces are of: the environment says it, or the services of the process do.
fn resource(service_name: &str) -> Resource {
    let builder = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let is_named = stated("OTEL_SERVICE_NAME").is_some()
        || stated("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|attributes| attributes.contains("service.name="));
    if is_named { builder.build() } else { builder.with_service_name(service_name.to_owned()).build() }
}

/// Where work belongs in a trace, as W3C Trace Context writes it; empty where it belongs to none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceParent(String);

impl TraceParent {
    /// Of what is done now.
    #[must_use]
    pub fn current() -> Self {
        let mut headers = HeaderMap::new();
        add_trace_headers(&mut headers);
        let text = headers.get(TRACE_PARENT).and_then(|value| value.to_str().ok());
        Self(text.unwrap_or_default().to_owned())
    }

    /// What a message of ours says; what is none belongs to no trace.
    #[must_use]
    pub fn stated(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As W3C Trace Context writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Puts a span behind it, into its trace; answers the id of that trace, or nothing where there is none.
    pub fn adopt(&self, span: &Span) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(TRACE_PARENT, HeaderValue::try_from(self.0.as_str()).ok()?);
        adopt(span, &headers)
    }
}

/// Puts a new span into the trace that a call's headers name, or into a new one; answers the id of the trace, where spans are
/// traced.
pub(crate) fn adopt(span: &Span, headers: &HeaderMap) -> Option<String> {
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
    // Refused where nothing traces: then there is no id either.
    let _ = span.set_parent(parent);
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_valid().then(|| context.trace_id().to_string())
}

/// Adds the headers by which another service puts its work into the trace of what is done now.
pub(crate) fn add_trace_headers(headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut HeaderInjector(headers));
}

/// Notes that a span's work failed, by a fault of ours.
pub(crate) fn note_failure(span: &Span, code: &'static str) {
    span.set_status(SpanStatus::error(code));
}
