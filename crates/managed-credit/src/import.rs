//! `import`: real input into running services, through the public API only; importing the same again changes nothing.

pub(crate) mod audit_log;
mod csv_file;
pub(crate) mod programme;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::access::HubId;

use crate::output::Width;
use crate::servers::{NewestRevisions, ServerUrls, Servers};
use audit_log::{AuditLog, RecordKind, RejectsFile, Summary, Users};

/// What can be imported.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// A whole programme from CSV files that a person can write
    #[command(after_long_help = PROGRAMME_HELP)]
    Programme(ProgrammeCommand),
    /// What people did in one client account, from the vendor's account-activity API
    #[command(after_long_help = log_help(AUDIT_LOG_HELP))]
    AuditLog(AuditLogCommand),
    /// What people did to the content of one client account, from the vendor's CMS audit log
    #[command(after_long_help = log_help(CMS_AUDIT_LOG_HELP))]
    CmsAuditLog(CmsAuditLogCommand),
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
    /// A CSV file to write what could not be imported to, with the columns file, line, reason, record
    #[arg(long, env = "MANAGED_CREDIT_REJECTS", value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    #[command(flatten, next_help_heading = "Where the services are called")]
    pub urls: ServerUrls,
}

/// The flags of `import cms-audit-log`.
#[derive(Debug, Args)]
pub(crate) struct CmsAuditLogCommand {
    /// A CSV file that says whose address each user id of the account is, with the columns user_id, email
    #[arg(long, env = "MANAGED_CREDIT_USERS", value_name = "FILE")]
    pub users: PathBuf,
    #[command(flatten)]
    pub log: AuditLogCommand,
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
Importing a record again changes nothing: its id is remembered.

Examples:
  managed-credit import audit-log --client 2002 2002-page-1.json 2002-page-2.json
  fetch-audit-log 2002 | managed-credit import audit-log --client 2002 -";

const CMS_AUDIT_LOG_HELP: &str = "\
A record names a user by number only. The file of users has a header line with user_id and
email; other columns are ignored, semicolons in place of commas are understood. Nothing is sent
before every line of it is right; the record of a user that it does not have is a reject.

A record has no id of its own, so one is made from objectType, objectId, event, userId and
timestamp: records that agree in all five are one, and importing a record again changes
nothing. A record that was imported with one address for its user and comes again with another
is a reject (ACTIVITY_ID_REUSED).

Examples:
  managed-credit import cms-audit-log --client 2002 --users users.csv 2002-cms.json
  fetch-cms-log 2002 | managed-credit import cms-audit-log --client 2002 --users users.csv -";

/// What is the same for every log, and then what is particular to one.
fn log_help(particular: &str) -> String {
    format!(
        "\
A file is one page of the API ({{\"results\":[...],\"paging\":{{...}}}}), several pages one after the
other, a JSON array of records, records one after the other, or one record a line. Files of any
size are read as a stream. A record that cannot be imported is reported with its file, line and
reason, or written with them to the file of --rejects; the others are imported, and the exit
code is 1. A record that is imported and does not count is no reject.

{particular}"
    )
}

pub(crate) async fn import(command: &ImportCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        ImportCommand::Programme(command) => import_programme(command, out).await,
        ImportCommand::AuditLog(command) => import_log(command, RecordKind::AccountActivity, out).await,
        ImportCommand::CmsAuditLog(CmsAuditLogCommand { users, log }) => {
            import_log(log, RecordKind::CmsAudit(Users::read(users)?), out).await
        }
    }
}

async fn import_programme(command: &ProgrammeCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::for_platform(&command.urls)?;
    let programme = programme::read(&command.dir)?;
    let report = programme::send(&servers, &programme, &mut NewestRevisions::default()).await?;
    let written = report.write(Width::Terminal, out);
    // Whoever has had enough of the report, as `head` has, is told all the same that something is missing.
    report.require_complete().and(written)
}

async fn import_log(command: &AuditLogCommand, kind: RecordKind, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::for_platform(&command.urls)?;
    let log = AuditLog::check(command.client, kind, &command.files)?;
    // Only when everything else is right: what was in the file is lost.
    let rejects = command.rejects.as_deref().map(|path| RejectsFile::create(path, log.inputs())).transpose()?;
    let mut summary = Summary::new(log.title(), rejects);
    log.import(&servers, &mut summary, &mut NewestRevisions::default()).await?;
    let written = summary.write(Width::Terminal, out);
    // As above.
    summary.require_complete().and(written)
}
