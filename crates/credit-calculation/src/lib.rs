//! credit-calculation: what servicing is worth, and why.
//!
//! Owns: what clients pay, what partners sold, their certifications and tiers, and every answer about credit and points. Does not own: who works where and what
//! counts (it keeps copies of the access and the servicing feed), or any rule: `domain` decides.
//! Invariants: own facts are only appended to; a copy changes in the same transaction as the cursor of its feed; an
//! answer is about one instant and one moment of the database; what is not known is absent, never zero (R127).

mod entity;
mod evidence;
mod follow;
mod grpc;
mod kept;
mod maintenance;
mod measure;
mod migration;
mod operations;
mod store;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use contracts::Feed;
use contracts::wire::credit::credit_calculation_service_server::{CreditCalculationServiceServer, SERVICE_NAME};
use domain::policy::Policy;
use service_kit::feed::Watermarks;
use service_kit::maintenance::{SERVICE_NAME as MAINTENANCE_NAME, measure, server as maintenance_server};
use service_kit::{Channel, Clock, Database, LIMITED_BY_THE_SERVER, Service};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;

use kept::Kept;
pub use migration::Migrator;

const NAME: &str = "credit-calculation";

/// What it calls of access-management and activity-tracking.
pub const NEEDED_METHODS: &[&str] = &[
    "managedcredit.access.v1.AccessFeedService/WatchAccess",
    "managedcredit.activity.v1.ServicingFeedService/WatchServicing",
    "managedcredit.activity.v1.ServicingFeedService/StreamServicing",
    "managedcredit.activity.v1.ActivityTrackingService/GetServicing",
    "managedcredit.activity.v1.ActivityTrackingService/BatchGetServicing",
    "managedcredit.maintenance.v1.MaintenanceService/GetStatus",
];

/// What the service works with.
#[derive(Debug, Clone)]
pub struct CreditCalculation {
    database: Database,
    clock: Clock,
    policy: Arc<Policy>,
    /// access-management, whose feed is followed.
    access: Channel,
    /// activity-tracking, whose feed is followed, and which is asked where the copy cannot answer (R63, R126).
    activity: Channel,
    watermarks: Watermarks,
    /// Facts that are held in memory between questions.
    kept: Arc<Kept>,
    /// What goes on beside the calls.
    background: TaskTracker,
    shutdown: CancellationToken,
    /// One evaluation of all partners at a time: each waits for what the others write.
    evaluating: Arc<Semaphore>,
    /// One simulation of another policy at a time: it reads everything.
    simulating: Arc<Semaphore>,
}

/// The service, ready to be served from a database that is migrated; it follows both feeds at once, until `shutdown`.
///
/// # Panics
/// Outside of a tokio runtime.
#[must_use]
pub fn service(
    database: Database,
    clock: Clock,
    policy: Arc<Policy>,
    access: Channel,
    activity: Channel,
    shutdown: CancellationToken,
) -> Service {
    let watermarks = Watermarks::new(&[Feed::Access, Feed::Servicing]);
    let background = TaskTracker::new();
    let state = CreditCalculation {
        database,
        clock,
        policy,
        access,
        activity,
        watermarks,
        kept: Arc::new(Kept::new()),
        background: background.clone(),
        shutdown: shutdown.clone(),
        evaluating: Arc::new(Semaphore::new(1)),
        simulating: Arc::new(Semaphore::new(1)),
    };
    background.spawn(follow::follow_access(state.clone(), shutdown.clone()));
    background.spawn(follow::follow_servicing(state.clone(), shutdown.clone()));
    let policy = Arc::clone(&state.policy);
    let as_every_service = measure(state.clone(), NAME, policy.version().to_string(), policy.digest().to_owned());
    let expiring = measure::measure(state.clone(), NAME);
    let measuring = async move {
        tokio::join!(as_every_service, expiring);
    };
    let maintenance = maintenance_server(state.clone(), NAME, policy, background.clone(), shutdown);
    Service {
        name: NAME,
        grpc_names: vec![SERVICE_NAME, MAINTENANCE_NAME],
        routes: Routes::new(
            CreditCalculationServiceServer::new(state).max_decoding_message_size(LIMITED_BY_THE_SERVER),
        )
        .add_service(maintenance),
        background,
        measuring: Box::pin(measuring),
    }
}
