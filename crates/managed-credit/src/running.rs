//! The one place that assembles services: `serve`, `demo` and the tests all start them here.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use activity_tracking::Partitioning;
use contracts::wire::access::access_management_service_server;
use contracts::wire::activity::activity_tracking_service_server;
use contracts::wire::credit::credit_calculation_service_server;
use domain::policy::Policy;
use service_kit::{
    Channel, ChannelError, Clock, Database, DatabaseError, DatabaseSettings, Identity, Listener, MigratorTrait, Needs,
    Operators, Security, ServeError, ServerSettings, Service, ServiceNeeds, connect, connect_within, serve,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

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

    /// What it is called by questions about health: the contract that it serves people by.
    #[must_use]
    pub const fn health_name(self) -> &'static str {
        match self {
            Self::Access => access_management_service_server::SERVICE_NAME,
            Self::Activity => activity_tracking_service_server::SERVICE_NAME,
            Self::Credit => credit_calculation_service_server::SERVICE_NAME,
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

/// What each service calls of others.
pub const NEEDS: Needs = &[
    ServiceNeeds {
        service: Part::Activity.as_str(),
        methods: activity_tracking::NEEDED_METHODS,
        speaks_for_people: false,
    },
    // People's questions may need what only activity-tracking can say (R63, R126).
    ServiceNeeds {
        service: Part::Credit.as_str(),
        methods: credit_calculation::NEEDED_METHODS,
        speaks_for_people: true,
    },
];

/// Where one service keeps its facts and is called.
#[derive(Debug, Clone)]
pub struct PartPlan {
    /// Which service.
    pub part: Part,
    /// Port 0 takes any that is free; other machines may call only where callers are proven.
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
    /// Who may call, and how services prove themselves to each other.
    pub security: Security,
    /// How many activities may wait to be recorded.
    pub maximum_waiting_activities: usize,
    /// Whether to bring the schemas up to date; otherwise pending migrations are refused.
    pub migrate: bool,
    /// Who is told which of them are ready, and what is measured.
    pub operators: Operators,
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
    #[error("{url}: {source}")]
    Url {
        /// What was given.
        url: String,
        /// Why.
        source: ChannelError,
    },
}

/// Services that run until they are stopped.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<(Part, SocketAddr)>,
    is_encrypted: bool,
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
        let listener = Listener::bind(part_plan.listen, &plan.security).await;
        let listener = listener.map_err(|source| StartError::Listen { part, source })?;
        listeners.push((part_plan, listener));
    }
    let addresses: Vec<(Part, SocketAddr)> =
        listeners.iter().map(|(part_plan, listener)| (part_plan.part, local_address(part_plan, listener))).collect();
    // A service of this process is called within it, without a network between them.
    let channel = |caller: Part, called: Part, url: &str| {
        let here = listeners.iter().find(|(part_plan, _)| part_plan.part == called);
        match here {
            Some((_, listener)) => Ok(connect_within(listener.door_for(caller.as_str()))),
            None => channel(url, &plan.security.identity(caller.as_str())),
        }
    };
    let access_of = |caller| channel(caller, Part::Access, &plan.access_url);
    let upstreams: Vec<Upstreams> = plan
        .parts
        .iter()
        .map(|part_plan| match part_plan.part {
            Part::Access => Ok(Upstreams::Access),
            Part::Activity => Ok(Upstreams::Activity { access: access_of(Part::Activity)? }),
            Part::Credit => Ok(Upstreams::Credit {
                access: access_of(Part::Credit)?,
                activity: channel(Part::Credit, Part::Activity, &plan.activity_url)?,
            }),
        })
        .collect::<Result<_, StartError>>()?;

    let mut prepared = Vec::new();
    for ((part_plan, listener), upstreams) in listeners.into_iter().zip(upstreams) {
        let database = open(part_plan, &plan).await;
        let database = database.map_err(|source| StartError::Database { part: part_plan.part, source })?;
        prepared.push((part_plan.part, listener, upstreams, database));
    }

    let shutdown = CancellationToken::new();
    let mut servers = JoinSet::new();
    for (part, listener, upstreams, database) in prepared {
        let of_part = shutdown.child_token();
        let service = assemble(upstreams, database.clone(), &plan, of_part.clone());
        plan.operators.take_calls(&service.grpc_names).await;
        let (settings, security, operators) = (plan.server.clone(), plan.security.clone(), plan.operators.clone());
        servers.spawn(async move {
            let ended = serve(listener, service, settings, &security, &operators, of_part).await;
            if let Err(error) = database.close().await {
                tracing::warn!(service = %part, %error, "the database did not close");
            }
            (part, ended)
        });
    }
    Ok(Running { addresses, is_encrypted: plan.security.encrypts(), shutdown, servers })
}

/// A service, and the way to those that it calls.
enum Upstreams {
    Access,
    Activity { access: Channel },
    Credit { access: Channel, activity: Channel },
}

fn local_address(part_plan: &PartPlan, listener: &Listener) -> SocketAddr {
    // A socket that listens has an address; what was asked for says the same but for port 0.
    listener.local_address().unwrap_or(part_plan.listen)
}

fn channel(url: &str, identity: &Identity) -> Result<Channel, StartError> {
    connect(url, identity).map_err(|source| StartError::Url { url: url.to_owned(), source })
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

/// Divides the large tables of activity-tracking's migrated database into partitions by client, and activities by month
/// too where that is wanted.
///
/// # Errors
/// The database cannot be used, or has no partitions.
pub async fn partition_activities(
    database_url: &str,
    partitioning: Partitioning,
    clock: &Clock,
) -> Result<(), StartError> {
    let divided = async {
        let database = Database::connect(database_url, DatabaseSettings::with_connections(1)).await?;
        activity_tracking::partition(&database, partitioning, clock.now()).await?;
        Ok(database.close().await?)
    };
    divided.await.map_err(|source| StartError::Database { part: Part::Activity, source })
}

fn assemble(upstreams: Upstreams, database: Database, plan: &Plan, shutdown: CancellationToken) -> Service {
    let (clock, policy) = (plan.clock.clone(), Arc::clone(&plan.policy));
    match upstreams {
        Upstreams::Access => access_management::service(database, clock, policy, shutdown),
        Upstreams::Activity { access } => {
            activity_tracking::service(database, clock, policy, access, plan.maximum_waiting_activities, shutdown)
        }
        Upstreams::Credit { access, activity } => {
            credit_calculation::service(database, clock, policy, access, activity, shutdown)
        }
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
        let scheme = if self.is_encrypted { "https" } else { "http" };
        address.map(|address| format!("{scheme}://{address}"))
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
