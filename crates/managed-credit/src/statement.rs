//! `statement` and `verify-statement`: frozen months of a running system, and the check of an exported one.

mod issue;
mod read;
mod verify;

use std::io::Write;

use clap::Subcommand;

pub(crate) use verify::{VerifyStatementCommand, verify_statement};

/// The commands about frozen months.
#[derive(Debug, Subcommand)]
pub(crate) enum StatementCommand {
    /// Freeze a partner's month
    Issue(issue::IssueCommand),
    /// The statements of a partner
    List(read::ListCommand),
    /// One statement without its rows
    Show(read::ShowCommand),
    /// The whole document of a statement, as `verify-statement` reads it
    Export(read::ExportCommand),
}

pub(crate) async fn statement(command: &StatementCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        StatementCommand::Issue(command) => issue::issue(command, out).await,
        StatementCommand::List(command) => read::list(command, out).await,
        StatementCommand::Show(command) => read::show(command, out).await,
        StatementCommand::Export(command) => read::export(command, out).await,
    }
}
