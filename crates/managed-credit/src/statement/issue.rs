//! `statement issue`: a month is frozen.

use std::io::Write;

use clap::Args;
use contracts::PartnerName;
use contracts::wire::credit::IssueStatementRequest;
use domain::access::HubId;
use domain::statement::Month;

use super::read::write_one;
use crate::running::Part;
use crate::servers::{CallFlags, Servers, call};

/// The flags of `statement issue`.
#[derive(Debug, Args)]
pub(crate) struct IssueCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    partner: HubId,
    /// The month, for example 2026-10
    #[arg(long, env = "MANAGED_CREDIT_MONTH", value_name = "MONTH")]
    month: Month,
    #[command(flatten)]
    call: CallFlags,
}

pub(super) async fn issue(command: &IssueCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let question = IssueStatementRequest {
        parent: PartnerName(command.partner).to_string(),
        month: command.month.to_string(),
        at_least_revisions: Vec::new(),
    };
    let answer = call!(servers.credit, issue_statement, question);
    let answer = answer.map_err(|status| servers.problem(Part::Credit, &status))?;
    if answer.already_issued {
        writeln!(out, "It was issued before, and stays as it is.")?;
    }
    write_one(&answer.statement.unwrap_or_default(), out)
}
