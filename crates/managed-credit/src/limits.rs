//! What a service takes at a time, as the command line says it: beyond it calls are refused at once, with
//! RESOURCE_EXHAUSTED.

use std::time::Duration;

use activity_tracking::DEFAULT_MAXIMUM_WAITING_ACTIVITIES;
use clap::Args;
use service_kit::{DatabaseSettings, ServerSettings};

/// The flags of limits, of each service of the process.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// The most bytes of the message of a call; at most 64 MiB
    #[arg(
        long, env = "MANAGED_CREDIT_MAXIMUM_MESSAGE_BYTES", value_name = "BYTES",
        default_value_t = ServerSettings::default().maximum_message_bytes, value_parser = between(1_024, 64 * 1_024 * 1_024)
    )]
    pub maximum_message_bytes: usize,
    /// The most calls under way, streams included, of all connections
    #[arg(
        long, env = "MANAGED_CREDIT_MAXIMUM_CALLS", value_name = "COUNT",
        default_value_t = ServerSettings::default().maximum_calls, value_parser = between(1, 100_000)
    )]
    pub maximum_calls: usize,
    /// The most bytes of the messages of all calls under way
    #[arg(
        long, env = "MANAGED_CREDIT_MAXIMUM_BYTES_UNDER_WAY", value_name = "BYTES",
        default_value_t = ServerSettings::default().maximum_bytes_under_way,
        value_parser = between(1_024, 64 * 1_024 * 1_024 * 1_024)
    )]
    pub maximum_bytes_under_way: usize,
    /// The most calls under way of one connection, streams included; its client keeps the others back
    #[arg(
        long, env = "MANAGED_CREDIT_MAXIMUM_CALLS_PER_CONNECTION", value_name = "COUNT",
        default_value_t = ServerSettings::default().maximum_calls_per_connection,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub maximum_calls_per_connection: u32,
    /// After how long a connection is asked to be made anew, so that replicas that have come since get their share; what is
    /// under way on it goes on to its end
    #[arg(
        long, env = "MANAGED_CREDIT_CONNECTION_AGE", value_name = "SECONDS",
        default_value_t = ServerSettings::default().connection_age.as_secs(), value_parser = seconds()
    )]
    pub connection_age: u64,
    /// The most activities that wait to be recorded, of all calls
    #[arg(
        long, env = "MANAGED_CREDIT_MAXIMUM_WAITING_ACTIVITIES", value_name = "COUNT",
        default_value_t = DEFAULT_MAXIMUM_WAITING_ACTIVITIES, value_parser = between(1_000, 10_000_000)
    )]
    pub maximum_waiting_activities: usize,
    /// The most connections to each service's database
    #[arg(
        long, env = "MANAGED_CREDIT_DATABASE_CONNECTIONS", value_name = "COUNT",
        default_value_t = DatabaseSettings::default().maximum_connections,
        value_parser = clap::value_parser!(u32).range(1..=1_000)
    )]
    pub database_connections: u32,
    /// How long a call waits for a connection to the database
    #[arg(
        long, env = "MANAGED_CREDIT_DATABASE_ACQUIRE_TIMEOUT", value_name = "SECONDS",
        default_value_t = DatabaseSettings::default().acquire_timeout.as_secs(), value_parser = seconds()
    )]
    pub database_acquire_timeout: u64,
    /// How long PostgreSQL may take for a statement, and a transaction that does nothing may hold its locks
    #[arg(
        long, env = "MANAGED_CREDIT_DATABASE_STATEMENT_TIMEOUT", value_name = "SECONDS",
        default_value_t = DatabaseSettings::default().statement_timeout.as_secs(), value_parser = seconds()
    )]
    pub database_statement_timeout: u64,
    /// After how long an unused connection to the database is closed
    #[arg(
        long, env = "MANAGED_CREDIT_DATABASE_IDLE_TIMEOUT", value_name = "SECONDS",
        default_value_t = DatabaseSettings::default().idle_timeout.as_secs(), value_parser = seconds()
    )]
    pub database_idle_timeout: u64,
    /// After how long any connection to the database is closed and opened anew
    #[arg(
        long, env = "MANAGED_CREDIT_DATABASE_CONNECTION_LIFETIME", value_name = "SECONDS",
        default_value_t = DatabaseSettings::default().maximum_lifetime.as_secs(), value_parser = seconds()
    )]
    pub database_connection_lifetime: u64,
}

/// A whole number within bounds.
fn between(least: usize, most: usize) -> impl Fn(&str) -> Result<usize, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| format!("a whole number from {least} to {most}"))
    }
}

/// From a second to a day.
fn seconds() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=86_400)
}

impl Limits {
    pub fn server(&self) -> ServerSettings {
        ServerSettings {
            maximum_message_bytes: self.maximum_message_bytes,
            maximum_calls: self.maximum_calls,
            maximum_bytes_under_way: self.maximum_bytes_under_way,
            maximum_calls_per_connection: self.maximum_calls_per_connection,
            connection_age: Duration::from_secs(self.connection_age),
            ..ServerSettings::default()
        }
    }

    pub fn database(&self) -> DatabaseSettings {
        DatabaseSettings {
            maximum_connections: self.database_connections,
            acquire_timeout: Duration::from_secs(self.database_acquire_timeout),
            statement_timeout: Duration::from_secs(self.database_statement_timeout),
            idle_timeout: Duration::from_secs(self.database_idle_timeout),
            maximum_lifetime: Duration::from_secs(self.database_connection_lifetime),
        }
    }
}
