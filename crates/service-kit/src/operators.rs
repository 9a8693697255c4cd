//! The port of operators: health for probes, and metrics.
//!
//! It is beside the services' own ports because it is plain: neither Kubernetes' probes nor most scrapers can show proofs.
//! What it tells are states and numbers of the process; it names no partner, client or person.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};

use crate::server::MAXIMUM_QUESTION_BYTES;
use crate::telemetry::{MetricsError, start_metrics};

/// What one connection may ask at a time, and how long an answer may take: probes and scrapers ask one thing.
const MAXIMUM_QUESTIONS: u32 = 16;
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// After how long a connection is ended, also one on which nobody asks anything.
const CONNECTION_AGE: Duration = Duration::from_secs(60);

/// What services tell the operators of their process; nobody listens where they have no port.
#[derive(Debug, Clone, Default)]
pub struct Operators {
    /// Which services are ready.
    health: HealthReporter,
    /// Whether there is anybody to measure for.
    pub(crate) are_there: bool,
}

impl Operators {
    /// Tells that the gRPC services of these names take calls from now on. To be told before anybody hears that they are
    /// ready: who hears it asks at once.
    pub async fn take_calls(&self, grpc_names: &[&'static str]) {
        self.tell(grpc_names, ServingStatus::Serving).await;
    }

    pub(crate) async fn tell(&self, grpc_names: &[&'static str], status: ServingStatus) {
        for grpc_name in grpc_names {
            self.health.set_service_status(*grpc_name, status).await;
        }
    }
}

/// Why operators cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum OperatorsError {
    /// The address is taken, or not of this machine.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing can be measured.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
}

/// Answers operators at an address until the process ends: `grpc.health.v1.Health`, where the empty name is the process and
/// every other that of a gRPC service, and Prometheus text at `/metrics`. Answers where it listens, and who is to be told
/// by the services of the process.
///
/// # Errors
/// An address that cannot be listened on.
pub async fn answer_operators(address: SocketAddr) -> Result<(SocketAddr, Operators), OperatorsError> {
    let failed = |source| OperatorsError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let metrics = start_metrics()?;
    let (reporter, health) = health_reporter();
    let routes = Routes::new(health.max_decoding_message_size(MAXIMUM_QUESTION_BYTES));
    let router = routes.into_axum_router().route("/metrics", get(async move || scrape(&metrics)));
    tokio::spawn(async move {
        if let Err(error) = serve(listener, router).await {
            tracing::error!(%error, "operators are not answered any more");
        }
    });
    Ok((address, Operators { health: reporter, are_there: true }))
}

async fn serve(listener: TcpListener, router: Router) -> Result<(), tonic::transport::Error> {
    Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(MAXIMUM_QUESTIONS)
        .timeout(ANSWER_LIMIT)
        .max_connection_age(CONNECTION_AGE)
        .add_routes(Routes::from(router))
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await
}

/// What is measured now, in the text format of Prometheus.
fn scrape(metrics: &PrometheusHandle) -> ([(&'static str, &'static str); 1], String) {
    metrics_process::Collector::default().collect();
    ([("content-type", "text/plain; version=0.0.4; charset=utf-8")], metrics.render())
}
