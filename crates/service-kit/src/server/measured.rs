//! How many calls there are, how long they take, and how they end: of each RPC, by the names of OpenTelemetry.

use std::time::Duration;

use http_body_util::BodyExt as _;
use metrics::{Unit, describe_histogram, histogram};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::{Code, Status};
use tracing::Span;

use super::around::{Inner, Step};
use crate::caller::deadline;
use crate::security::is_rpc;
use crate::telemetry::note_failure;

/// The duration of calls, in seconds, until the end of their answer. OpenTelemetry calls it `rpc.server.call.duration`.
const DURATION: &str = "rpc_server_call_duration_seconds";

/// What stands for the RPC where a call names none: what callers make up must not become names of series.
const OTHER: &str = "_OTHER";

/// What is served of other people's contracts.
const FOREIGN: [&str; 5] = [
    "grpc.health.v1.Health/Check",
    "grpc.health.v1.Health/List",
    "grpc.health.v1.Health/Watch",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// Tells what the metric means, to whoever scrapes it.
pub(super) fn describe() {
    describe_histogram!(DURATION, Unit::Seconds, "Duration of calls until the end of their answer, by RPC and status");
}

/// The RPC that a call of this path is of.
pub(super) fn rpc_of(path: &str) -> &str {
    let name = path.strip_prefix('/').unwrap_or(path);
    if is_rpc(name) || FOREIGN.contains(&name) { name } else { OTHER }
}

/// Measures every call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured;

impl Step for Measured {
    async fn take<S: Inner>(self, call: Request<Body>, mut inner: S) -> Result<Response<Body>, S::Error> {
        let mut call_under_way = CallUnderWay::begin(rpc_of(call.uri().path()), deadline(call.headers()));
        let answer = inner.call(call).await?;
        call_under_way.see(answer.headers());
        Ok(answer.map(|body| {
            Body::new(body.map_frame(move |frame| {
                if let Some(trailers) = frame.trailers_ref() {
                    call_under_way.see(trailers);
                }
                frame
            }))
        }))
    }
}

/// A call that is measured when it ends, in whatever way.
struct CallUnderWay {
    rpc: String,
    start: Instant,
    /// How long its caller waits.
    deadline: Option<Duration>,
    /// How it ended; a caller that leaves before the end has cancelled it.
    end: Code,
    span: Span,
}

impl CallUnderWay {
    fn begin(rpc: &str, deadline: Option<Duration>) -> Self {
        Self { rpc: rpc.to_owned(), start: Instant::now(), deadline, end: Code::Cancelled, span: Span::current() }
    }

    fn see(&mut self, headers: &HeaderMap) {
        if let Some(status) = Status::from_header_map(headers) {
            self.end = status.code();
        }
    }
}

impl Drop for CallUnderWay {
    fn drop(&mut self) {
        // Nobody is told of these two: the call just goes away.
        if std::thread::panicking() {
            self.end = Code::Internal;
        } else if self.end == Code::Cancelled && self.deadline.is_some_and(|deadline| self.start.elapsed() >= deadline)
        {
            self.end = Code::DeadlineExceeded;
        }
        let code = status_name(self.end);
        self.span.record("rpc.response.status_code", code);
        if is_failure(self.end) {
            note_failure(&self.span, code);
        }
        let labels = [
            ("rpc_system_name", "grpc".to_owned()),
            ("rpc_method", std::mem::take(&mut self.rpc)),
            ("rpc_response_status_code", code.to_owned()),
        ];
        histogram!(DURATION, &labels).record(self.start.elapsed());
    }
}

/// Whether the server failed, rather than that it refused.
const fn is_failure(code: Code) -> bool {
    use Code::{DataLoss, DeadlineExceeded, Internal, Unavailable, Unimplemented, Unknown};
    matches!(code, DataLoss | DeadlineExceeded | Internal | Unavailable | Unimplemented | Unknown)
}

/// A status code as the contracts of gRPC spell it.
pub const fn status_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_that_goes_away_has_missed_its_deadline_panicked_or_been_cancelled() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let deadline = Some(Duration::from_secs(2));
        for (seconds, deadline) in [(1, None), (3, None), (1, deadline), (2, deadline), (3, deadline)] {
            let call = CallUnderWay::begin("_OTHER", deadline);
            tokio::time::advance(Duration::from_secs(seconds)).await;
            metrics::with_local_recorder(&recorder, || drop(call));
        }
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let call = CallUnderWay::begin("_OTHER", deadline);
            metrics::with_local_recorder(&recorder, || {
                let _under_way = call;
                panic!("a fault of ours");
            });
        }));
        assert!(panicked.is_err());
        let measured = recorder.handle().render();
        for (code, count) in [("CANCELLED", 3), ("DEADLINE_EXCEEDED", 2), ("INTERNAL", 1)] {
            let of_code = format!("rpc_response_status_code=\"{code}\"}} {count}");
            assert!(measured.lines().any(|line| line.contains("_count{") && line.ends_with(&of_code)), "{measured}");
        }
    }
}
