//! `statement list`, `show` and `export`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use comfy_table::Cell;
use contracts::wire::credit::{ExportStatementRequest, GetStatementRequest, ListStatementsRequest, Money, Statement};
use contracts::{PartnerName, StatementName};
use domain::access::HubId;
use domain::statement::Month;

use crate::output::{self, Width, number, table};
use crate::running::Part;
use crate::servers::{CallFlags, Servers, ask};
use crate::wording;

/// The flags of `statement list`.
#[derive(Debug, Args)]
pub(crate) struct ListCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    partner: HubId,
    #[command(flatten)]
    call: CallFlags,
}

/// The flags of `statement show`.
#[derive(Debug, Args)]
pub(crate) struct ShowCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    partner: HubId,
    /// The month, for example 2026-10
    #[arg(long, env = "MANAGED_CREDIT_MONTH", value_name = "MONTH")]
    month: Month,
    #[command(flatten)]
    call: CallFlags,
}

/// The flags of `statement export`.
#[derive(Debug, Args)]
pub(crate) struct ExportCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    partner: HubId,
    /// The month, for example 2026-10
    #[arg(long, env = "MANAGED_CREDIT_MONTH", value_name = "MONTH")]
    month: Month,
    /// Write to this file rather than to standard output; it is there whole or not at all
    #[arg(long, env = "MANAGED_CREDIT_OUTPUT", value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    call: CallFlags,
}

pub(super) async fn list(command: &ListCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let parent = PartnerName(command.partner).to_string();
    let mut question = ListStatementsRequest { parent, page_size: 1_000, page_token: String::new() };
    let mut table = table(Width::Terminal, ["Month", "Points", "Of them managed", "Credit", "Issued", "SHA-256"]);
    let mut is_empty = true;
    loop {
        let answer = ask!(servers.credit, list_statements, question);
        let page = answer.map_err(|status| servers.problem(Part::Credit, &status))?;
        for statement in &page.statements {
            is_empty = false;
            table.add_row([
                Cell::new(wording::hub_id(&statement.name)),
                number(&statement.closing_points),
                number(&statement.managed_points),
                Cell::new(credits(&statement.credits)),
                Cell::new(wording::minute_or_absent(statement.issue_time.as_ref())),
                Cell::new(statement.sha256.get(..12).unwrap_or_default()),
            ]);
        }
        if page.next_page_token.is_empty() {
            break;
        }
        question.page_token = page.next_page_token;
    }
    if is_empty {
        return Ok(writeln!(out, "No statement has been issued; `managed-credit statement issue` makes one.")?);
    }
    Ok(writeln!(out, "{table}")?)
}

pub(super) async fn show(command: &ShowCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let name = StatementName { partner: command.partner, month: command.month }.to_string();
    let answer = ask!(servers.credit, get_statement, GetStatementRequest { name: name.clone() });
    let answer = answer.map_err(|status| servers.problem(Part::Credit, &status))?;
    write_one(&answer.statement.unwrap_or_default(), out)
}

pub(super) async fn export(command: &ExportCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let name = StatementName { partner: command.partner, month: command.month }.to_string();
    let mut credit = servers.credit.clone();
    let answer = credit.export_statement(ExportStatementRequest { name }).await;
    let mut stream = answer.map_err(|status| servers.problem(Part::Credit, &status))?.into_inner();
    let mut document = Vec::new();
    while let Some(piece) = stream.message().await.map_err(|status| servers.problem(Part::Credit, &status))? {
        document.extend(piece.data);
    }
    match &command.output {
        Some(path) => output::to_file(path, |file| Ok(file.write_all(&document)?)),
        None => Ok(out.write_all(&document)?),
    }
}

/// A statement in a few lines.
pub(super) fn write_one(statement: &Statement, out: &mut impl Write) -> anyhow::Result<()> {
    let month = wording::hub_id(&statement.name);
    let clients = wording::count(u64::try_from(statement.rows).unwrap_or_default(), "client");
    writeln!(
        out,
        "{month}: {} points at its end, {} when it began",
        statement.closing_points, statement.opening_points
    )?;
    writeln!(out, "  {} managed, {} sold; {clients}", statement.managed_points, statement.sold_points)?;
    if statement.rows_without_points > 0 {
        writeln!(out, "  not in the total: {} without points", statement.rows_without_points)?;
    }
    writeln!(out, "  credit: {}", credits(&statement.credits))?;
    writeln!(out, "  tier: {}", wording::tier(statement.credited_tier()))?;
    writeln!(out, "  by policy {}", statement.policy_version)?;
    Ok(writeln!(out, "  SHA-256 {}", statement.sha256)?)
}

fn credits(credits: &[Money]) -> String {
    let amounts: Vec<String> = credits.iter().map(|credit| wording::money(Some(credit))).collect();
    if amounts.is_empty() { wording::ABSENT.to_owned() } else { amounts.join(", ") }
}
