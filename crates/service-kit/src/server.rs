//! The server: every service gets the same health, reflection, limits, logging and shutdown.

mod around;
mod measured;
mod web;
mod whole_call;

use std::any::Any;
use std::net::SocketAddr;
use std::time::Duration;

use contracts::wire::error::ErrorReason;
use contracts::{FILE_DESCRIPTOR_SET, Failure};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt as _;
use measured::{Measured, rpc_of};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::{Code, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::SERVICE_NAME as HEALTH_NAME;
use tonic_web::GrpcWebLayer;
use tower::ServiceBuilder;
use tower_http::ServiceBuilderExt as _;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::MakeRequestUuid;
use tower_http::trace::TraceLayer;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use whole_call::WholeCalls;

pub(crate) use around::{Around, Inner, Step};
pub use measured::status_name;
pub use web::{WebOrigin, WebOriginError};

use crate::incoming::Listener;
use crate::operators::Operators;
use crate::security::{Protocols, Security};
use crate::telemetry::adopt;

/// How long calls that are under way may take to end at shutdown, and after them as long again what goes on beside.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// The longest answer that one service reads from another: more than the default, because a thousand rows, or all the
/// periods of a pair, may be more than that allows for.
pub const MAXIMUM_ANSWER_BYTES: usize = 64 * 1_024 * 1_024;

/// What a service takes at a time; what is more is refused at once, never queued.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// The most bytes of a request's message.
    pub maximum_message_bytes: usize,
    /// The most calls under way, streams included, of all connections.
    pub maximum_calls: usize,
    /// The most bytes of the messages of all calls under way.
    pub maximum_bytes_under_way: usize,
    /// The most calls of one connection under way, streams included; its client keeps the others back.
    pub maximum_calls_per_connection: u32,
    /// After how long a connection is asked to be made anew: then its certificate is looked at again, and replicas that have
    /// come since get their share. What is under way on it goes on to its end.
    pub connection_age: Duration,
    /// Whether it tells the contracts to whoever may call (gRPC reflection).
    pub tells_contracts: bool,
    /// The pages in browsers that may call, by gRPC-Web; without any it is not spoken, and HTTP/1.1 neither.
    pub web_origins: Vec<WebOrigin>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            maximum_message_bytes: 4 * 1_024 * 1_024,
            maximum_calls: 512,
            maximum_bytes_under_way: 128 * 1_024 * 1_024,
            maximum_calls_per_connection: 256,
            connection_age: Duration::from_secs(30 * 60),
            tells_contracts: true,
            web_origins: Vec::new(),
        }
    }
}

/// How often a silent connection is asked whether somebody is there, and how long for an answer is waited.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// The most bytes of a question about health or contracts, which may be asked beside all other limits: a name.
pub(crate) const MAXIMUM_QUESTION_BYTES: usize = 4 * 1_024;

/// The longest id of a call that is taken over from its caller.
const REQUEST_ID_LENGTH: usize = 64;

/// For the services: the server has read every message before they see it, within the limit of its settings.
pub const LIMITED_BY_THE_SERVER: usize = usize::MAX;

/// A service that is ready to be served.
pub struct Service {
    /// What it is called in logs.
    pub name: &'static str,
    /// The gRPC services that it offers, by their full names, for health checks.
    pub grpc_names: Vec<&'static str>,
    /// Its RPCs.
    pub routes: Routes,
    /// What it does beside answering; ends by itself at shutdown.
    pub background: TaskTracker,
    /// Measures it, for ever: for operators, where there are any.
    pub measuring: BoxFuture<'static, ()>,
}

/// Why a server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Everybody could call it.
    #[error(
        "{address} is not a loopback address, and other machines may call only with {missing}; use 127.0.0.1 or [::1]"
    )]
    NotLoopback {
        /// Where.
        address: SocketAddr,
        /// What it would need.
        missing: &'static str,
    },
    /// The address is taken, or not of this machine.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The contracts' descriptors cannot be offered.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The server failed.
    #[error("server: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Serves until `shutdown`, then lets calls under way end within 10 seconds; `operators`, who know by
/// [`Operators::take_calls`] that it takes calls, are told when it takes no more.
///
/// # Errors
/// The server cannot start, or fails.
pub async fn serve(
    listener: Listener,
    service: Service,
    settings: ServerSettings,
    security: &Security,
    operators: &Operators,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let Service { name, grpc_names, routes, background, measuring } = service;
    let (own_health, health) = tonic_health::server::health_reporter();
    let tell_callers = async |status: ServingStatus| {
        for grpc_name in &grpc_names {
            own_health.set_service_status(*grpc_name, status).await;
        }
    };
    tell_callers(ServingStatus::Serving).await;
    if operators.are_there {
        background.spawn(shutdown.clone().run_until_cancelled_owned(measuring));
    }
    measured::describe();
    // The descriptors of all contracts are known, so that types of other files resolve; only what is served is listed.
    let reflection = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name(HEALTH_NAME);
        grpc_names.iter().fold(builder, |builder, grpc_name| builder.with_service_name(*grpc_name))
    };
    let is_web = !settings.web_origins.is_empty();
    let protocols = if is_web { Protocols::Http2AndHttp1 } else { Protocols::Http2 };
    let layers = ServiceBuilder::new()
        .option_layer(is_web.then(|| web::cross_origin(&settings.web_origins)))
        .option_layer(is_web.then(|| Around(web::ListedOrigins::new(&settings.web_origins))))
        .option_layer(is_web.then(GrpcWebLayer::new))
        .map_response(|answer: Response<_>| answer.map(Body::new))
        .map_request(without_strange_id)
        .set_x_request_id(MakeRequestUuid)
        // Refusals are answers, not failures; what is a fault logs itself, inside this span.
        .layer(TraceLayer::new_for_grpc().make_span_with(span_of_call).on_failure(()))
        .propagate_x_request_id()
        .layer(Around(Measured))
        .map_response(|answer: Response<_>| with_reason(answer.map(Body::new)))
        .layer(CatchPanicLayer::custom(answer_of_panic))
        .layer(Around(security.proof()))
        .layer(Around(WholeCalls::new(&settings)));
    let (mut v1, mut v1alpha) = (None, None);
    if settings.tells_contracts {
        v1 = Some(reflection().build_v1()?.max_decoding_message_size(MAXIMUM_QUESTION_BYTES));
        v1alpha = Some(reflection().build_v1alpha()?.max_decoding_message_size(MAXIMUM_QUESTION_BYTES));
    }
    let server = Server::builder()
        .accept_http1(is_web)
        .max_concurrent_streams(settings.maximum_calls_per_connection)
        .max_connection_age(settings.connection_age)
        .http2_keepalive_interval(Some(KEEP_ALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
        .layer(layers)
        .add_routes(routes)
        .add_service(health.max_decoding_message_size(MAXIMUM_QUESTION_BYTES))
        .add_optional_service(v1)
        .add_optional_service(v1alpha)
        .serve_with_incoming_shutdown(listener.connections(security, protocols), shutdown.clone().cancelled_owned());

    tokio::pin!(server);
    tokio::select! {
        // First of all: a server without connections ends as soon as it is told to.
        biased;
        () = shutdown.cancelled() => {
            tell_callers(ServingStatus::NotServing).await;
            operators.tell(&grpc_names, ServingStatus::NotServing).await;
            if let Ok(ended) = tokio::time::timeout(DRAIN_LIMIT, server).await { ended? } else {
                tracing::warn!(service = name, "calls under way were cut off: they did not end within the limit");
            }
        }
        ended = &mut server => ended?,
    }
    // A server that ended by itself takes its background with it.
    shutdown.cancel();
    background.close();
    if tokio::time::timeout(DRAIN_LIMIT, background.wait()).await.is_err() {
        tracing::warn!(service = name, "background work did not end within the limit");
    }
    Ok(())
}

/// Keeps what a call holds until its answer has ended, which one that streams does long after it has begun.
pub(crate) fn holding_to_its_end<T: Send + 'static>(answer: Response<Body>, held: T) -> Response<Body> {
    answer.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _under_way = &held;
            frame
        }))
    })
}

/// A panic is a fault of ours like any other: the log has what it says, the caller does not.
fn answer_of_panic(panic: Box<dyn Any + Send>) -> Response<Body> {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or_default(), "a call panicked");
    Status::from(Failure::internal()).into_http()
}

/// A message that cannot be read never reaches the service: the transport refuses it, without a reason, as a fault of ours.
/// It is the caller's.
fn with_reason<B>(mut answer: Response<B>) -> Response<B> {
    let unread = Status::from_header_map(answer.headers()).filter(|status| {
        status.details().is_empty()
            && matches!(status.code(), Code::Internal | Code::OutOfRange | Code::ResourceExhausted)
    });
    if let Some(status) = unread {
        let message = format!("the message cannot be read: {}", status.message());
        let refusal = Status::from(Failure::new(ErrorReason::InvalidFields, message));
        // What it says fits into headers: it is made of printable text.
        if refusal.add_header(answer.headers_mut()).is_err() {
            tracing::error!("a refusal could not be written");
        }
    }
    answer
}

/// A caller's id of a call is in every log that it reaches: one that is long, or made of other characters than ids are, is
/// left away, and the call gets one of ours.
fn without_strange_id<B>(mut request: Request<B>) -> Request<B> {
    let is_id = |text: &str| {
        text.len() <= REQUEST_ID_LENGTH
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let id = request.headers().get("x-request-id").map(|id| id.to_str().is_ok_and(|id| !id.is_empty() && is_id(id)));
    if id == Some(false) {
        request.headers_mut().remove("x-request-id");
    }
    request
}

/// What every line of a call's log carries: which RPC, the id that its caller can name, and that of its trace.
fn span_of_call<B>(request: &Request<B>) -> tracing::Span {
    let request_id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let rpc = rpc_of(request.uri().path());
    // Of the highest level, so that lines carry it however few are written.
    let span = tracing::error_span!(
        "call",
        otel.name = rpc,
        otel.kind = "server",
        rpc.method = rpc,
        rpc.response.status_code = Empty,
        request_id,
        trace_id = Empty,
        caller = Empty,
        actor = Empty
    );
    span.set_attribute("rpc.system.name", "grpc");
    if let Some(trace_id) = adopt(&span, request.headers()) {
        span.record("trace_id", trace_id);
    }
    span
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt as _;

    use super::*;

    #[test]
    fn a_message_that_cannot_be_read_is_refused_with_a_reason_and_other_answers_stay_as_they_are() {
        let answer = |status: Status| with_reason(status.into_http::<()>());
        let read = |answer: &Response<()>| Status::from_header_map(answer.headers()).expect("a status");
        for unread in
            [Status::internal("bad UTF-8 in \u{7f}"), Status::out_of_range("5 bytes"), Status::resource_exhausted("")]
        {
            let refusal = read(&answer(unread.clone()));
            assert_eq!(refusal.code(), Code::InvalidArgument);
            assert!(refusal.message().ends_with(unread.message()), "{}", refusal.message());
            assert_eq!(refusal.get_details_error_info().expect("a reason").reason, "INVALID_FIELDS");
        }
        for kept in [Status::from(Failure::internal()), Status::unimplemented("no such RPC")] {
            assert_eq!(read(&answer(kept.clone())).code(), kept.code());
        }
        assert!(with_reason(Response::new(())).headers().is_empty());
    }

    #[test]
    fn a_callers_id_of_a_call_is_taken_over_where_it_is_one() {
        let kept = |id: &str| {
            let request = Request::builder().header("x-request-id", id).body(()).expect("a request");
            without_strange_id(request).headers().contains_key("x-request-id")
        };
        assert!(kept("this-call_1.2") && kept(&"x".repeat(64)));
        for strange in ["", "anna@agency.example", "a b", "\u{e9}", &"x".repeat(65)] {
            assert!(!kept(strange), "{strange:?}");
        }
    }

    #[test]
    fn whoever_calls_is_told_of_a_panic_as_of_any_fault_and_not_what_it_says() {
        let answer = answer_of_panic(Box::new("the password is 1234"));
        let status = Status::from_header_map(answer.headers()).expect("a status");
        assert_eq!(status.get_details_error_info().expect("a reason").reason, "INTERNAL_FAULT");
        assert!(!status.message().contains("password"), "{}", status.message());
    }
}
