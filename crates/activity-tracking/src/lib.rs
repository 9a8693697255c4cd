//! activity-tracking: what people did in client accounts, whether it counts, and who services whom until when.
//!
//! Owns: activities with their verdicts, the servicing periods of every (client, partner) pair, and their feed. Does not
//! own: who may work where (a copy of access-management's log is followed), what servicing is worth, and any rule:
//! `domain` judges, this service keeps.
//! Invariants: once nothing waits in the queue of what is to be judged again, a stored verdict is what `domain` says of the
//! activity and the copy as it is, and stored periods are what `domain` makes of all verdicts and endings; so the order in
//! which anything arrived never matters (`maintenance/verify.rs` compares it all). An activity is known by its name for
//! ever.

mod entity;
mod follow;
mod grpc;
mod maintenance;
mod measure;
mod migration;
mod operations;
mod partitions;
mod store;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use contracts::Feed;
use contracts::wire::activity::activity_tracking_service_server::{ActivityTrackingServiceServer, SERVICE_NAME};
use contracts::wire::activity::servicing_feed_service_server::{SERVICE_NAME as FEED_NAME, ServicingFeedServiceServer};
use domain::policy::Policy;
use operations::{AccessHead, Committing};
use service_kit::access_log::KeptHistories;
use service_kit::feed::Watermarks;
use service_kit::maintenance::{SERVICE_NAME as MAINTENANCE_NAME, measure, server as maintenance_server};
use service_kit::{Channel, Clock, Database, LIMITED_BY_THE_SERVER, Service};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;

pub use migration::Migrator;
pub use partitions::{
    MAXIMUM_MONTHS_AHEAD, MAXIMUM_PARTITIONS, MAXIMUM_PARTITIONS_WITH_MONTHS, Partitioning, TABLES_BY_CLIENT, partition,
};

const NAME: &str = "activity-tracking";

/// What it calls of access-management.
pub const NEEDED_METHODS: &[&str] = &[
    "managedcredit.access.v1.AccessFeedService/GetHeadRevision",
    "managedcredit.access.v1.AccessFeedService/WatchAccess",
];

/// How many activities may wait to be recorded where nothing else is said, of all calls: some ten megabytes.
pub const DEFAULT_MAXIMUM_WAITING_ACTIVITIES: usize = 50_000;

/// What the service works with.
#[derive(Debug, Clone)]
pub struct ActivityTracking {
    database: Database,
    clock: Clock,
    policy: Arc<Policy>,
    /// To access-management.
    access: Channel,
    /// How far that is.
    access_head: Arc<AccessHead>,
    /// How far the copy of the access log has come: what is recorded now is judged by that.
    copied: Watermarks,
    /// Up to where of the access log everything has been computed that follows from it: what is read now knows that.
    settled: Watermarks,
    /// What was last needed of the copy to judge.
    histories: Arc<KeptHistories>,
    /// Calls that are being recorded.
    committing: Arc<Committing>,
    /// Wakes whoever works off the queue.
    work_waits: Arc<Notify>,
    /// Tells the watch streams of this process about every commit that they have something of.
    news: watch::Sender<u64>,
}

impl ActivityTracking {
    fn new(
        database: Database,
        clock: Clock,
        policy: Arc<Policy>,
        access: Channel,
        maximum_waiting_activities: usize,
        background: TaskTracker,
    ) -> Self {
        // SQLite has one writer: groups are as large as they can be where one is committed at a time.
        let maximum_committers = if database.is_sqlite() { 1 } else { 2 };
        Self {
            committing: Arc::new(Committing::new(maximum_committers, maximum_waiting_activities, background)),
            database,
            clock,
            policy,
            access,
            access_head: Arc::default(),
            copied: Watermarks::new(&[Feed::Access]),
            settled: Watermarks::new(&[Feed::Access]),
            histories: Arc::default(),
            work_waits: Arc::default(),
            news: watch::Sender::default(),
        }
    }
}

/// The service, ready to be served from a database that is migrated. It starts to follow access-management at once, so
/// that it needs a tokio runtime. Of activities that are to be recorded so many may wait; what is more is refused at once.
#[must_use]
pub fn service(
    database: Database,
    clock: Clock,
    policy: Arc<Policy>,
    access: Channel,
    maximum_waiting_activities: usize,
    shutdown: CancellationToken,
) -> Service {
    measure::describe();
    let background = TaskTracker::new();
    let state = ActivityTracking::new(database, clock, policy, access, maximum_waiting_activities, background.clone());
    background.spawn(follow::run(state.clone(), shutdown.clone()));
    let worker = state.clone();
    let stop_working = shutdown.clone();
    background.spawn(async move { worker.work_off(stop_working).await });
    let policy = Arc::clone(&state.policy);
    let measuring = measure(state.clone(), NAME, policy.version().to_string(), policy.digest().to_owned());
    let maintenance = maintenance_server(state.clone(), NAME, policy, background.clone(), shutdown.clone());
    let feed = grpc::ServicingFeed::new(state.clone(), background.clone(), shutdown);
    Service {
        name: NAME,
        grpc_names: vec![SERVICE_NAME, FEED_NAME, MAINTENANCE_NAME],
        routes: Routes::new(ActivityTrackingServiceServer::new(state).max_decoding_message_size(LIMITED_BY_THE_SERVER))
            .add_service(ServicingFeedServiceServer::new(feed).max_decoding_message_size(LIMITED_BY_THE_SERVER))
            .add_service(maintenance),
        background,
        measuring: Box::pin(measuring),
    }
}
