//! access-management: who may work where.
//!
//! Owns: the access history (partners, employees, clients, client users, links) and its feed. Does not own: whether an
//! activity counts, what it is worth, and any rule: `domain` decides, this service records.
//! Invariants: the log of changes is the only record, and it is only appended to; a change is recorded only if the whole
//! history stays legal; positions are gapless and in the order of commits.

mod entity;
mod grpc;
mod link_token;
mod maintenance;
mod migration;
mod operations;
mod removal_token;
mod resource;
mod store;

use std::sync::Arc;

use contracts::wire::access::access_feed_service_server::{AccessFeedServiceServer, SERVICE_NAME as FEED_NAME};
use contracts::wire::access::access_management_service_server::{AccessManagementServiceServer, SERVICE_NAME};
use domain::policy::Policy;
use service_kit::maintenance::{SERVICE_NAME as MAINTENANCE_NAME, measure, server as maintenance_server};
use service_kit::{Clock, Database, LIMITED_BY_THE_SERVER, Service};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;

pub use migration::Migrator;

/// What the service works with.
#[derive(Debug, Clone)]
pub struct AccessManagement {
    database: Database,
    clock: Clock,
    policy: Arc<Policy>,
    /// Tells the watch streams of this process about every commit: the newest position.
    news: watch::Sender<u64>,
}

const NAME: &str = "access-management";

/// The service, ready to be served from a database that is migrated.
#[must_use]
pub fn service(database: Database, clock: Clock, policy: Arc<Policy>, shutdown: CancellationToken) -> Service {
    let background = TaskTracker::new();
    let state = AccessManagement { database, clock, policy, news: watch::Sender::default() };
    let policy = Arc::clone(&state.policy);
    let measuring = measure(state.clone(), NAME, policy.version().to_string(), policy.digest().to_owned());
    let maintenance = maintenance_server(state.clone(), NAME, policy, background.clone(), shutdown.clone());
    let feed = grpc::AccessFeed::new(state.clone(), shutdown);
    Service {
        name: NAME,
        grpc_names: vec![SERVICE_NAME, FEED_NAME, MAINTENANCE_NAME],
        routes: Routes::new(AccessManagementServiceServer::new(state).max_decoding_message_size(LIMITED_BY_THE_SERVER))
            .add_service(AccessFeedServiceServer::new(feed).max_decoding_message_size(LIMITED_BY_THE_SERVER))
            .add_service(maintenance),
        background,
        measuring: Box::pin(measuring),
    }
}
