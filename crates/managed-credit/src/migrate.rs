//! `migrate`: brings the schemas of the services' databases up to date, and nothing else.

use std::io::Write;

use clap::Args;

use crate::databases::Databases;
use crate::running;
use crate::serve::ServedPart;

/// The flags of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateCommand {
    /// Whose databases; all that are given, if absent
    #[arg(value_enum, value_name = "SERVICE")]
    pub services: Vec<ServedPart>,
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
    }
    Ok(())
}
