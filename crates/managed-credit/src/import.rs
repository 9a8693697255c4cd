//! `import`: real input into running services, through the public API only; importing the same again changes nothing.

pub(crate) mod audit_log;
pub(crate) mod programme;
mod progress;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::access::HubId;

use crate::output::Width;
use crate::servers::{NewestRevisions, ServerUrls, Servers};

/// What can be imported.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// A whole programme from CSV files that a person can write
    #[command(after_long_help = PROGRAMME_HELP)]
    Programme(ProgrammeCommand),
    /// What people did in one client account, from the vendor's account-activity API
    #[command(after_long_help = AUDIT_LOG_HELP)]
    AuditLog(AuditLogCommand),
}

/// The flags of `import programme`.
#[derive(Debug, Args)]
pub(crate) struct ProgrammeCommand {
    /// The folder with the files; those that are not there are left out
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    #[command(flatten, next_help_heading = "Where the services are called")]
    pub urls: ServerUrls,
}

/// The flags of `import audit-log`.
#[derive(Debug, Args)]
pub(crate) struct AuditLogCommand {
    /// The hub id of the client account that the log was fetched from, for example 2002; the records do not say it
    #[arg(long, env = "MANAGED_CREDIT_CLIENT", value_name = "HUB_ID")]
    pub client: HubId,
    /// The files; - is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten, next_help_heading = "Where the services are called")]
    pub urls: ServerUrls,
}

const PROGRAMME_HELP: &str = "\
Files, each with a header line; columns marked ? may be left out:
  partners.csv       hub_id, display_name, country, email_domains (separated by spaces),
                     join_time?
  employees.csv      partner, email, display_name, partner_employee? (yes or no), access_role?
                     (none, client_access_manager, super_admin), start_time?
  clients.csv        hub_id, display_name, country, start_time?
  client_users.csv   client, email, display_name, permission_set (standard, partner_admin,
                     super_admin, or another of the policy's by its name), start_time?,
                     removed_time?
  links.csv          partner, email, client, link_time?
  subscriptions.csv  client, subscription, currency, mrr, effective_time?

A country is an ISO 3166-1 code such as IT, a currency an ISO 4217 code such as EUR, a time a
date (00:00 UTC) or RFC 3339; a time that is left out means now. Several rows of one
subscription, in the order of time, are its changes; several rows of one client user are times
at which it was added again. Lines that begin with # are comments; semicolons in place of
commas are understood. Nothing is sent before every file is right. Importing again changes
nothing: what exists with other content is left as it is, and named with its line.

Examples:
  managed-credit import programme crates/managed-credit/sample";

const AUDIT_LOG_HELP: &str = "\
A file is one page of the API ({\"results\":[...],\"paging\":{...}}), several pages one after the
other, a JSON array of records, records one after the other, or one record a line. Files of any
size are read as a stream. Importing a record again changes nothing: its id is remembered.
A record that cannot be read is reported with its file and line, the others are imported, and
the exit code is 1.

Examples:
  managed-credit import audit-log --client 2002 2002-page-1.json 2002-page-2.json
  fetch-audit-log 2002 | managed-credit import audit-log --client 2002 -";

pub(crate) async fn import(command: &ImportCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let mut revisions = NewestRevisions::default();
    match command {
        ImportCommand::Programme(command) => {
            let servers = Servers::for_platform(&command.urls)?;
            let programme = programme::read(&command.dir)?;
            let report = programme::send(&servers, &programme, &mut revisions).await?;
            report.write(Width::Terminal, out)?;
            report.require_complete()
        }
        ImportCommand::AuditLog(command) => {
            let servers = Servers::for_platform(&command.urls)?;
            let mut summary = audit_log::Summary::new(format!("Audit log of client {}", command.client));
            audit_log::import(&servers, command.client, &command.files, &mut summary, &mut revisions).await?;
            summary.write(Width::Terminal, out)?;
            summary.require_complete()
        }
    }
}
