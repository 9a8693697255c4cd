//! `migrate`: brings the schemas of the services' databases up to date, and nothing else.

use std::io::Write;

use activity_tracking::MAXIMUM_PARTITIONS;
use clap::Args;

use crate::databases::Databases;
use crate::running::{self, Part};
use crate::serve::ServedPart;

/// The flags of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateCommand {
    /// Whose databases; all that are given, if absent
    #[arg(value_enum, value_name = "SERVICE")]
    pub services: Vec<ServedPart>,
    /// Keep the large tables of activity-tracking in so many partitions by client, on PostgreSQL; what is in them is copied,
    /// and the service must be stopped meanwhile
    #[arg(
        long, env = "MANAGED_CREDIT_ACTIVITY_PARTITIONS", value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(2..=i64::from(MAXIMUM_PARTITIONS))
    )]
    pub activity_partitions: Option<u32>,
    #[command(flatten)]
    pub databases: Databases,
}

pub(crate) async fn migrate(command: &MigrateCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let parts = match command.services.as_slice() {
        [] => command.databases.given_parts()?,
        services => ServedPart::parts(services),
    };
    command.databases.refuse_shared(&parts)?;
    for part in parts {
        let url = command.databases.url(part)?;
        let migrated = running::migrate(part, &url).await;
        migrated.map_err(|error| anyhow::anyhow!("{}: {error}", command.databases.setting(part)))?;
        writeln!(out, "the database of {part} is up to date")?;
        if let (Part::Activity, Some(partitions)) = (part, command.activity_partitions) {
            let divided = running::partition_activities(&url, partitions).await;
            divided.map_err(|error| anyhow::anyhow!("{}: {error}", command.databases.setting(part)))?;
            writeln!(out, "its large tables are in {partitions} partitions")?;
        }
    }
    Ok(())
}
