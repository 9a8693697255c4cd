//! `changes`: the points that a partner gained and lost between two instants (R122), of a running system, all pages.

mod csv;
mod json;
mod table;

use std::io::Write;

use clap::Args;
use contracts::wire::credit::{ListPointChangesRequest, ListPointChangesResponse};
use contracts::{PartnerName, timestamp};
use domain::access::HubId;
use domain::time::Instant;

use crate::as_of::parse_instant;
use crate::client_search::find_client;
use crate::output::{Format, Width};
use crate::running::Part;
use crate::servers::{CallFlags, Servers, ask};

/// Rows that are asked for at once.
const PAGE_SIZE: i32 = 1_000;

/// The flags of `changes`.
#[derive(Debug, Args)]
pub(crate) struct ChangesCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    pub partner: HubId,
    /// Changes after this instant: a date (00:00 UTC) or RFC 3339
    #[arg(long, env = "MANAGED_CREDIT_FROM", value_name = "TIME", value_parser = parse_instant)]
    pub from: Instant,
    /// Changes until this instant, itself included; now, if absent; a later one means "if nothing else happens"
    #[arg(long, env = "MANAGED_CREDIT_TO", value_name = "TIME", value_parser = parse_instant)]
    pub to: Option<Instant>,
    /// Only this client: its hub id, or its name or a part of it, without regard to case and accents
    #[arg(long, env = "MANAGED_CREDIT_CLIENT", value_name = "NAME_OR_HUB_ID")]
    pub client: Option<String>,
    /// How the answer is printed
    #[arg(long, env = "MANAGED_CREDIT_FORMAT", value_enum, default_value = "table")]
    pub format: Format,
    #[command(flatten)]
    pub call: CallFlags,
}

pub(crate) async fn changes(command: &ChangesCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let end_time = command.to.map(timestamp);
    let client = match &command.client {
        Some(wanted) => find_client(&servers, command.partner, wanted, end_time).await?,
        None => String::new(),
    };
    let partner = PartnerName(command.partner).to_string();
    let question = ListPointChangesRequest {
        parent: partner.clone(),
        start_time: Some(timestamp(command.from)),
        end_time,
        client,
        page_size: PAGE_SIZE,
        ..ListPointChangesRequest::default()
    };
    let answer = all_pages(&servers, question).await?;
    match command.format {
        Format::Table => table::write(&answer, Width::Terminal, out),
        Format::Json => json::write(&partner, &answer, out),
        Format::Csv => csv::write(&answer, out),
    }
}

/// The last page, with the changes of all of them. Where no end is stated, the first page's instant is it for all.
async fn all_pages(
    servers: &Servers,
    mut question: ListPointChangesRequest,
) -> anyhow::Result<ListPointChangesResponse> {
    let mut changes = Vec::new();
    loop {
        let answer = ask!(servers.credit, list_point_changes, question);
        let mut page = answer.map_err(|status| servers.problem(Part::Credit, &status))?;
        changes.append(&mut page.point_changes);
        if page.next_page_token.is_empty() {
            return Ok(ListPointChangesResponse { point_changes: changes, ..page });
        }
        question.page_token = page.next_page_token;
    }
}
