//! `migrate`: brings the schemas of the services' databases up to date, and nothing else.

use std::io::Write;

use activity_tracking::{MAXIMUM_MONTHS_AHEAD, MAXIMUM_PARTITIONS, MAXIMUM_PARTITIONS_WITH_MONTHS, Partitioning};
use anyhow::ensure;
use clap::Args;
use service_kit::Clock;

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
    /// Divide each partition of the activities by calendar month too, from the oldest activity to so many months ahead of
    /// now; with 16 partitions at most. Where it is divided so, only the months that are missing are added, and the service
    /// goes on
    #[arg(
        long, env = "MANAGED_CREDIT_ACTIVITY_MONTHS_AHEAD", value_name = "COUNT", requires = "activity_partitions",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAXIMUM_MONTHS_AHEAD))
    )]
    pub activity_months_ahead: Option<u32>,
    #[command(flatten)]
    pub databases: Databases,
}

pub(crate) async fn migrate(command: &MigrateCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let parts = match command.services.as_slice() {
        [] => command.databases.given_parts()?,
        services => ServedPart::parts(services),
    };
    command.databases.refuse_shared(&parts)?;
    let partitioning = command.partitioning()?;
    for part in parts {
        let url = command.databases.url(part)?;
        let migrated = running::migrate(part, &url).await;
        migrated.map_err(|error| anyhow::anyhow!("{}: {error}", command.databases.setting(part)))?;
        writeln!(out, "the database of {part} is up to date")?;
        if let (Part::Activity, Some(partitioning)) = (part, partitioning) {
            let divided = running::partition_activities(&url, partitioning, &Clock::System).await;
            divided.map_err(|error| anyhow::anyhow!("{}: {error}", command.databases.setting(part)))?;
            writeln!(out, "{}", told(partitioning))?;
        }
    }
    Ok(())
}

impl MigrateCommand {
    /// How the large tables are to be divided, if at all.
    fn partitioning(&self) -> anyhow::Result<Option<Partitioning>> {
        let Some(partitions) = self.activity_partitions else { return Ok(None) };
        let months_ahead = self.activity_months_ahead;
        ensure!(
            months_ahead.is_none() || partitions <= MAXIMUM_PARTITIONS_WITH_MONTHS,
            "--activity-partitions: with --activity-months-ahead at most {MAXIMUM_PARTITIONS_WITH_MONTHS}, for each has every month"
        );
        Ok(Some(Partitioning { partitions, months_ahead }))
    }
}

fn told(partitioning: Partitioning) -> String {
    let Partitioning { partitions, months_ahead } = partitioning;
    let months = months_ahead
        .map_or_else(String::new, |ahead| format!(", and its activities in months, up to {ahead} ahead of now"));
    format!("its large tables are in {partitions} partitions{months}")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        command: MigrateCommand,
    }

    fn partitioning(flags: &[&str]) -> anyhow::Result<Option<Partitioning>> {
        CommandLine::try_parse_from(["migrate"].iter().chain(flags))?.command.partitioning()
    }

    #[test]
    fn months_need_partitions_and_not_too_many() {
        let (partitions, months) = ("--activity-partitions", "--activity-months-ahead");
        assert_eq!(partitioning(&[]).expect("nothing"), None);
        let hashed = Some(Partitioning { partitions: 256, months_ahead: None });
        assert_eq!(partitioning(&[partitions, "256"]).expect("partitions"), hashed);
        let both = Some(Partitioning { partitions: 16, months_ahead: Some(24) });
        assert_eq!(partitioning(&[partitions, "16", months, "24"]).expect("both"), both);
        let refused = partitioning(&[partitions, "17", months, "24"]).expect_err("too many").to_string();
        assert!(refused.contains("at most 16"), "{refused}");
        for wrong in [&[months, "24"] as &[_], &[partitions, "16", months, "25"], &[partitions, "16", months, "0"]] {
            assert!(partitioning(wrong).is_err(), "{wrong:?}");
        }
    }
}
