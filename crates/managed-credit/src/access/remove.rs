//! `access remove`: the removal wizard (R40, R41), for employees of one client or for one employee in all clients, with
//! what it would cost.

mod assets;
mod csv;
mod json;
mod preview;
mod selection;
mod terminal;
mod text;

use std::io::Write;

use anyhow::{anyhow, bail};
use clap::{ArgGroup, Args};
use contracts::reason_name;
use contracts::wire::access::{ConfirmRemovalRequest, ConfirmRemovalResponse};
use contracts::wire::error::ErrorReason;
use domain::access::HubId;
use tonic::Status;
use tonic_types::StatusExt as _;

use super::{WriteFlags, lookup, new_request_id};
use crate::output::{Format, Width};
use crate::running::Part;
use crate::servers::{Servers, call, is_answered};

use assets::{AssetChoice, Decided};
use preview::Preview;

/// The flags of `access remove`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whom").args(["employee", "employees", "all"]).required(true))]
pub(crate) struct RemoveCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    partner: HubId,
    /// The client to remove from: its hub id, or its name or a part of it
    #[arg(long, env = "MANAGED_CREDIT_CLIENT", value_name = "NAME_OR_HUB_ID", conflicts_with = "employee",
        value_parser = lookup::wanted)]
    client: Option<String>,
    /// The employees to remove from that client: addresses, or names or parts of them
    #[arg(value_name = "EMPLOYEE", requires = "client", value_parser = lookup::wanted)]
    employees: Vec<String>,
    /// Remove all of the partner's employees from that client
    #[arg(long, env = "MANAGED_CREDIT_ALL", requires = "client")]
    all: bool,
    /// Remove this one employee from all clients (off-boarding): the address, or the name or a part of it
    #[arg(long, env = "MANAGED_CREDIT_EMPLOYEE", value_name = "ADDRESS_OR_NAME", value_parser = lookup::wanted)]
    employee: Option<String>,
    /// What becomes of what they own: `leave` it without owner, or the address of an active user there who gets it
    #[arg(long, env = "MANAGED_CREDIT_ASSETS", value_name = "leave|ADDRESS")]
    assets: Option<AssetChoice>,
    /// Do not ask
    #[arg(long, env = "MANAGED_CREDIT_YES")]
    yes: bool,
    /// Stop after the preview
    #[arg(long, env = "MANAGED_CREDIT_DRY_RUN", conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    write: WriteFlags,
}

impl RemoveCommand {
    /// Whether somebody sees the preview and can answer.
    fn can_ask(&self) -> bool {
        !self.yes && self.write.format == Format::Table && terminal::is_there()
    }
}

pub(super) async fn remove(command: &RemoveCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.write.call)?;
    let selection = selection::find(&servers, command).await?;
    let preview = Preview::ask(&servers, command.partner, selection).await?;
    if command.write.format == Format::Table {
        text::write_preview(&preview, Width::Terminal, out)?;
    }
    if command.dry_run {
        return write_outcome(command.write.format, &preview, None, out);
    }
    let decided = assets::decide(&servers, command.assets.as_ref(), &preview, command.can_ask()).await?;
    require_consent(command, &preview).await?;
    let confirmed = confirm(&servers, command, &preview, decided).await?;
    write_outcome(command.write.format, &preview, Some(&confirmed), out)
}

async fn require_consent(command: &RemoveCommand, preview: &Preview) -> anyhow::Result<()> {
    if command.yes {
        return Ok(());
    }
    if !command.can_ask() {
        bail!("nothing is removed, because nobody can be asked: say --yes to remove, or --dry-run to stop here");
    }
    let answer = terminal::ask(&format!("Remove {}? [y/N] ", preview.extent())).await?;
    if !terminal::is_yes(&answer) {
        bail!("nothing is removed");
    }
    Ok(())
}

async fn confirm(
    servers: &Servers,
    command: &RemoveCommand,
    preview: &Preview,
    decided: Decided,
) -> anyhow::Result<ConfirmRemovalResponse> {
    let message = ConfirmRemovalRequest {
        token: preview.answer.token.clone(),
        decisions: decided.decisions,
        default_decision: decided.default,
        request_id: new_request_id(),
        reason: command.write.reason.clone(),
    };
    let answer = call!(servers.access, confirm_removal, message);
    answer.map_err(|status| match servers.problem(Part::Access, &status) {
        _ if is_stale(&status) => {
            anyhow!("nothing is removed, because something has changed since the preview: look at it again")
        }
        problem if is_answered(&status) => problem.context("nothing is removed"),
        // Nobody knows what became of it.
        problem => problem,
    })
}

fn is_stale(status: &Status) -> bool {
    status.get_details_error_info().is_some_and(|info| info.reason == reason_name(ErrorReason::StalePreview))
}

/// What was done, or would be; the text of the preview is out already.
fn write_outcome(
    format: Format,
    preview: &Preview,
    confirmed: Option<&ConfirmRemovalResponse>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    match format {
        Format::Table => text::write_outcome(preview, confirmed, out),
        Format::Json => json::write(preview, confirmed, out),
        Format::Csv => csv::write(preview, confirmed, out),
    }
}
