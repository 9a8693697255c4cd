//! The three services, running.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use contracts::wire::access::access_management_service_client::AccessManagementServiceClient;
use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use contracts::wire::activity::servicing_feed_service_client::ServicingFeedServiceClient;
use contracts::wire::credit::credit_calculation_service_client::CreditCalculationServiceClient;
use contracts::wire::maintenance::maintenance_service_client::MaintenanceServiceClient;
use domain::policy::Policy;
use managed_credit::running::{NEEDS, Part, PartPlan, Plan, Running, start};
use service_kit::{
    Channel, Clock, DatabaseSettings, Exposure, Identity, ManualClock, Operators, Security, ServerSettings, connect,
};
use tokio::runtime::{Builder, Runtime};

use crate::database::TestDatabases;
use crate::proofs::Proofs;
use crate::state::Revisions;
use crate::{DatabaseKind, at};

/// What a cluster is started with.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// The policy document.
    pub policy: Arc<Policy>,
    /// What the clock shows at the start.
    pub now: domain::time::Instant,
    /// What each service takes at a time.
    pub server: ServerSettings,
    /// How many activities may wait to be recorded.
    pub maximum_waiting_activities: usize,
    /// How long PostgreSQL may take for a statement.
    pub statement_timeout: Duration,
    /// Whether every caller must prove who it is, and every connection is encrypted.
    pub is_secured: bool,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            policy: Arc::new(Policy::embedded()),
            now: at("2026-01-01"),
            server: ServerSettings::default(),
            maximum_waiting_activities: 50_000,
            statement_timeout: DatabaseSettings::default().statement_timeout,
            is_secured: false,
        }
    }
}

/// The three services, each on a free port and a database of its own.
pub struct Cluster {
    /// The clock of all of them.
    pub clock: ManualClock,
    /// The policy that they start with; a change takes effect when a service is started again.
    pub policy: Arc<Policy>,
    database: DatabaseSettings,
    server: ServerSettings,
    maximum_waiting_activities: usize,
    databases: TestDatabases,
    /// What proves who calls; none where nobody must.
    proofs: Option<Proofs>,
    addresses: [SocketAddr; 3],
    running: [Option<Running>; 3],
    /// What has been written through this harness.
    pub(crate) revisions: Revisions,
}

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

impl Cluster {
    /// Starts all services with the embedded policy; the clock shows 2026-01-01.
    pub async fn start(kind: DatabaseKind) -> Self {
        Self::start_with(kind, ClusterOptions::default()).await
    }

    /// Starts all services.
    pub async fn start_with(kind: DatabaseKind, options: ClusterOptions) -> Self {
        let mut cluster = Self {
            clock: ManualClock::new(options.now),
            policy: options.policy,
            database: DatabaseSettings {
                statement_timeout: options.statement_timeout,
                ..DatabaseSettings::with_connections(3)
            },
            server: options.server,
            maximum_waiting_activities: options.maximum_waiting_activities,
            databases: TestDatabases::create(kind).await,
            proofs: options.is_secured.then(Proofs::make),
            addresses: [ANY_PORT; 3],
            running: [None, None, None],
            revisions: Revisions::default(),
        };
        for part in Part::ALL {
            cluster.start_part(part).await;
        }
        cluster
    }

    /// Starts all services so that every caller must prove who it is, and every connection is encrypted.
    pub async fn start_secured(kind: DatabaseKind) -> Self {
        Self::start_with(kind, ClusterOptions { is_secured: true, ..ClusterOptions::default() }).await
    }

    /// What proves who calls.
    ///
    /// # Panics
    /// Where nobody must.
    #[must_use]
    pub fn proofs(&self) -> &Proofs {
        self.proofs.as_ref().expect("a secured cluster")
    }

    /// What the clock of all services shows.
    #[must_use]
    pub fn now(&self) -> domain::time::Instant {
        Clock::Manual(self.clock.clone()).now()
    }

    /// Starts one service, on the port that it had before if it ran before.
    pub async fn start_part(&mut self, part: Part) {
        let running = start(self.plan(part, self.addresses[part as usize])).await;
        let running = running.unwrap_or_else(|error| panic!("{part} does not start: {error}"));
        self.addresses[part as usize] = running.addresses()[0].1;
        self.running[part as usize] = Some(running);
    }

    /// Starts one more process' worth of a service on the same database, which must be PostgreSQL.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn start_replica(&self, part: Part) -> Replica {
        Replica::start(self.plan(part, ANY_PORT))
    }

    fn plan(&self, part: Part, listen: SocketAddr) -> Plan {
        Plan {
            parts: vec![PartPlan { part, listen, database_url: self.databases.url(part) }],
            access_url: self.url(Part::Access),
            activity_url: self.url(Part::Activity),
            database: self.database,
            server: self.server.clone(),
            security: self.security(part),
            maximum_waiting_activities: self.maximum_waiting_activities,
            migrate: true,
            operators: Operators::default(),
            clock: Clock::Manual(self.clock.clone()),
            policy: Arc::clone(&self.policy),
        }
    }

    fn security(&self, part: Part) -> Security {
        let Some(proofs) = &self.proofs else { return Security::none(Exposure::default()) };
        let read =
            Security::read(&proofs.document(part), NEEDS, Exposure::default(), &Clock::Manual(self.clock.clone()));
        read.unwrap_or_else(|error| panic!("the proofs of {part}: {error}"))
    }

    /// Stops one service; its database and port stay reserved for it.
    pub async fn stop_part(&mut self, part: Part) {
        if let Some(running) = self.running[part as usize].take() {
            running.stop().await.unwrap_or_else(|error| panic!("{part} does not stop: {error}"));
        }
    }

    /// Stops everything and drops the databases.
    pub async fn stop(mut self) {
        for part in Part::ALL.into_iter().rev() {
            self.stop_part(part).await;
        }
        self.databases.drop().await;
    }

    /// Where a service is called.
    #[must_use]
    pub fn url(&self, part: Part) -> String {
        let scheme = if self.proofs.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addresses[part as usize])
    }

    /// The database of a service.
    #[must_use]
    pub fn database_url(&self, part: Part) -> String {
        self.databases.url(part)
    }

    fn channel(&self, part: Part) -> Channel {
        self.channel_of(part, &self.proofs.as_ref().map(Proofs::platform).unwrap_or_default())
    }

    /// A channel of whoever has this identity.
    ///
    /// # Panics
    /// An identity that does not fit the cluster.
    #[must_use]
    pub fn channel_of(&self, part: Part, identity: &Identity) -> Channel {
        connect(&self.url(part), identity).expect("a channel")
    }

    /// A client of access-management.
    #[must_use]
    pub fn access(&self) -> AccessManagementServiceClient<Channel> {
        AccessManagementServiceClient::new(self.channel(Part::Access))
    }

    /// A client of the access feed.
    #[must_use]
    pub fn access_feed(&self) -> AccessFeedServiceClient<Channel> {
        AccessFeedServiceClient::new(self.channel(Part::Access))
    }

    /// A client of activity-tracking.
    #[must_use]
    pub fn activity(&self) -> ActivityTrackingServiceClient<Channel> {
        ActivityTrackingServiceClient::new(self.channel(Part::Activity))
    }

    /// A client of the servicing feed.
    #[must_use]
    pub fn servicing_feed(&self) -> ServicingFeedServiceClient<Channel> {
        ServicingFeedServiceClient::new(self.channel(Part::Activity))
    }

    /// A client of credit-calculation.
    #[must_use]
    pub fn credit(&self) -> CreditCalculationServiceClient<Channel> {
        CreditCalculationServiceClient::new(self.channel(Part::Credit))
    }

    /// A client of a service's maintenance.
    #[must_use]
    pub fn maintenance(&self, part: Part) -> MaintenanceServiceClient<Channel> {
        MaintenanceServiceClient::new(self.channel(part))
    }
}

/// One more replica of a service, with threads of its own, so that it can end as a process that is killed does.
pub struct Replica {
    runtime: Runtime,
    running: Running,
    channel: Channel,
}

impl Replica {
    fn start(plan: Plan) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        // A runtime cannot be waited for on a thread of another one.
        let started = std::thread::scope(|scope| scope.spawn(|| runtime.block_on(start(plan))).join());
        let running = started.expect("no panic").expect("a replica");
        let url = format!("http://{}", running.addresses()[0].1);
        Self { runtime, running, channel: connect(&url, &Identity::default()).expect("a URL") }
    }

    /// A client of the replica, for example `replica.client(ActivityTrackingServiceClient::new)`.
    pub fn client<C>(&self, new: impl FnOnce(Channel) -> C) -> C {
        new(self.channel.clone())
    }

    /// Ends it as a process ends that is stopped.
    ///
    /// # Panics
    /// Where it does not end well.
    pub fn stop(self) {
        let Self { runtime, running, .. } = self;
        let stopped = std::thread::scope(|scope| scope.spawn(|| runtime.block_on(running.stop())).join());
        stopped.expect("no panic").expect("to stop");
        runtime.shutdown_background();
    }

    /// Ends it as a process ends that is killed: in the middle of whatever it does.
    pub fn kill(self) {
        self.runtime.shutdown_background();
    }
}
