//! The one place that assembles services: `serve`, `demo` and the tests all start them here.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use domain::policy::Policy;
use service_kit::{
    Clock, Database, DatabaseError, DatabaseSettings, MigratorTrait, ServeError, ServerSettings, Service, bind,
    connect, serve,
};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

/// The three services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// access-management
    Access,
    /// activity-tracking
    Activity,
    /// credit-calculation
    Credit,
}

impl Part {
    /// All of them, in the direction in which facts flow.
    pub const ALL: [Self; 3] = [Self::Access, Self::Activity, Self::Credit];

    /// The service's full name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access-management",
            Self::Activity => "activity-tracking",
            Self::Credit => "credit-calculation",
        }
    }

    /// The port that it listens on where nothing else is said.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Access => 50051,
            Self::Activity => 50052,
            Self::Credit => 50053,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Where one service keeps its facts and is called.
#[derive(Debug, Clone)]
pub struct PartPlan {
    /// Which service.
    pub part: Part,
    /// A loopback address; port 0 takes any that is free.
    pub listen: SocketAddr,
    /// `sqlite:///path` or `postgres://...`, of this service alone.
    pub database_url: String,
}

/// Which services to start, and with what.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The services of this process, each at most once.
    pub parts: Vec<PartPlan>,
    /// Where access-management is called if it is not of this process.
    pub access_url: String,
    /// Where activity-tracking is called if it is not of this process.
    pub activity_url: String,
    /// How each service uses its database.
    pub database: DatabaseSettings,
    /// What each service takes at a time.
    pub server: ServerSettings,
    /// How many activities may wait to be recorded.
    pub maximum_waiting_activities: usize,
    /// Whether to bring the schemas up to date; otherwise pending migrations are refused.
    pub migrate: bool,
    /// The clock.
    pub clock: Clock,
    /// The policy document.
    pub policy: Arc<Policy>,
}

/// Why services cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A database cannot be used.
    #[error("{part}: {source}")]
    Database {
        /// Whose.
        part: Part,
        /// Why.
        source: DatabaseError,
    },
    /// An address cannot be listened on.
    #[error("{part}: {source}")]
    Listen {
        /// Whose.
        part: Part,
        /// Why.
        source: ServeError,
    },
    /// Another service's URL is none.
    #[error("{url:?} is not the URL of a service, for example http://127.0.0.1:50051: {source}")]
    Url {
        /// What was given.
        url: String,
        /// Why.
        source: tonic::transport::Error,
    },
}

/// Services that run until they are stopped.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<(Part, SocketAddr)>,
    shutdown: CancellationToken,
    servers: JoinSet<(Part, Result<(), ServeError>)>,
}

/// Starts services: listens, opens and checks the databases, then serves.
///
/// # Errors
/// The first thing that cannot be had; nothing is left running then.
pub async fn start(plan: Plan) -> Result<Running, StartError> {
    // Ports first: what another process holds is found out before any database is touched.
    let mut listeners = Vec::new();
    for part_plan in &plan.parts {
        let part = part_plan.part;
        let listener = bind(part_plan.listen).await.map_err(|source| StartError::Listen { part, source })?;
        listeners.push((part_plan, listener));
    }
    let addresses: Vec<(Part, SocketAddr)> =
        listeners.iter().map(|(part_plan, listener)| (part_plan.part, local_address(part_plan, listener))).collect();
    let url_of = |part: Part, otherwise: &str| {
        let here = addresses.iter().find(|(other, _)| *other == part);
        here.map_or_else(|| otherwise.to_owned(), |(_, address)| format!("http://{address}"))
    };
    let access = channel(url_of(Part::Access, &plan.access_url))?;
    let activity = channel(url_of(Part::Activity, &plan.activity_url))?;

    let mut prepared = Vec::new();
    for (part_plan, listener) in listeners {
        let database = open(part_plan, &plan).await;
        let database = database.map_err(|source| StartError::Database { part: part_plan.part, source })?;
        prepared.push((part_plan.part, listener, database));
    }

    let shutdown = CancellationToken::new();
    let mut servers = JoinSet::new();
    for (part, listener, database) in prepared {
        let of_part = shutdown.child_token();
        let service = assemble(part, database.clone(), &plan, access.clone(), activity.clone(), of_part.clone());
        servers.spawn(async move {
            let ended = serve(listener, service, plan.server, of_part).await;
            if let Err(error) = database.close().await {
                tracing::warn!(service = %part, %error, "the database did not close");
            }
            (part, ended)
        });
    }
    Ok(Running { addresses, shutdown, servers })
}

fn local_address(part_plan: &PartPlan, listener: &TcpListener) -> SocketAddr {
    // A socket that listens has an address; what was asked for says the same but for port 0.
    listener.local_addr().unwrap_or(part_plan.listen)
}

fn channel(url: String) -> Result<Channel, StartError> {
    connect(url.clone()).map_err(|source| StartError::Url { url, source })
}

async fn open(part_plan: &PartPlan, plan: &Plan) -> Result<Database, DatabaseError> {
    match part_plan.part {
        Part::Access => open_migrated::<access_management::Migrator>(part_plan, plan).await,
        Part::Activity => open_migrated::<activity_tracking::Migrator>(part_plan, plan).await,
        Part::Credit => open_migrated::<credit_calculation::Migrator>(part_plan, plan).await,
    }
}

async fn open_migrated<M: MigratorTrait>(part_plan: &PartPlan, plan: &Plan) -> Result<Database, DatabaseError> {
    let database = Database::connect(&part_plan.database_url, plan.database).await?;
    if plan.migrate {
        database.migrate::<M>().await?;
    } else {
        database.require_migrated::<M>().await?;
    }
    Ok(database)
}

/// Brings the schema of one service up to date.
///
/// # Errors
/// The database cannot be used, or a migration fails.
pub async fn migrate(part: Part, database_url: &str) -> Result<(), StartError> {
    let migrated = async {
        let database = Database::connect(database_url, DatabaseSettings::with_connections(1)).await?;
        match part {
            Part::Access => database.migrate::<access_management::Migrator>().await?,
            Part::Activity => database.migrate::<activity_tracking::Migrator>().await?,
            Part::Credit => database.migrate::<credit_calculation::Migrator>().await?,
        }
        Ok(database.close().await?)
    };
    migrated.await.map_err(|source| StartError::Database { part, source })
}

fn assemble(
    part: Part,
    database: Database,
    plan: &Plan,
    access: Channel,
    activity: Channel,
    shutdown: CancellationToken,
) -> Service {
    let (clock, policy) = (plan.clock.clone(), Arc::clone(&plan.policy));
    match part {
        Part::Access => access_management::service(database, clock, policy, shutdown),
        Part::Activity => {
            activity_tracking::service(database, clock, policy, access, plan.maximum_waiting_activities, shutdown)
        }
        Part::Credit => credit_calculation::service(database, clock, policy, access, activity, shutdown),
    }
}

impl Running {
    /// Where each service is called.
    #[must_use]
    pub fn addresses(&self) -> &[(Part, SocketAddr)] {
        &self.addresses
    }

    /// The URL of a service of this process.
    #[must_use]
    pub fn url(&self, part: Part) -> Option<String> {
        let address = self.addresses.iter().find(|(other, _)| *other == part).map(|(_, address)| address);
        address.map(|address| format!("http://{address}"))
    }

    /// Ends when a service has ended by itself, which none does unless it fails; then stops the others.
    ///
    /// # Errors
    /// What ended it.
    pub async fn wait(&mut self) -> Result<(), ServeError> {
        let ended = self.servers.join_next().await;
        self.shutdown.cancel();
        ended.and_then(Result::ok).map_or(Ok(()), |(_, ended)| ended)
    }

    /// Stops all services: calls under way end within their limit, watch streams at once.
    ///
    /// # Errors
    /// The first service that did not end well.
    pub async fn stop(mut self) -> Result<(), ServeError> {
        self.shutdown.cancel();
        let mut result = Ok(());
        while let Some(ended) = self.servers.join_next().await {
            if let Ok((part, Err(error))) = ended {
                tracing::error!(service = %part, %error, "did not end well");
                result = result.and(Err(error));
            }
        }
        result
    }
}
