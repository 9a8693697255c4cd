//! `why`: the explanation of one client's credit (R126), of a running system.

mod csv;
mod json;
mod text;

use std::io::Write;

use clap::Args;
use contracts::wire::credit::{ExplainCreditRequest, ExplainCreditResponse};
use contracts::{PartnerName, timestamp};
use domain::access::HubId;
use domain::time::Instant;

use crate::as_of::parse_instant;
use crate::client_search::find_client;
use crate::output::{Format, Width};
use crate::running::Part;
use crate::servers::{CallFlags, Servers, ask};

pub(crate) use text::{write_summary, write_text};

/// The flags of `why`.
#[derive(Debug, Args)]
pub(crate) struct WhyCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    pub partner: HubId,
    /// The client: its hub id, or its name or a part of it, without regard to case and accents
    #[arg(long, env = "MANAGED_CREDIT_CLIENT", value_name = "NAME_OR_HUB_ID")]
    pub client: String,
    /// The instant that is asked about: a date (00:00 UTC) or RFC 3339; now, if absent; a later one means "if nothing
    /// else happens"
    #[arg(long, env = "MANAGED_CREDIT_AS_OF", value_name = "TIME", value_parser = parse_instant)]
    pub as_of: Option<Instant>,
    /// How the answer is printed
    #[arg(long, env = "MANAGED_CREDIT_FORMAT", value_enum, default_value = "table")]
    pub format: Format,
    #[command(flatten)]
    pub call: CallFlags,
}

/// Asks credit-calculation.
pub(crate) async fn ask(servers: &Servers, question: ExplainCreditRequest) -> anyhow::Result<ExplainCreditResponse> {
    let answer = ask!(servers.credit, explain_credit, question);
    answer.map_err(|status| servers.problem(Part::Credit, &status))
}

pub(crate) async fn why(command: &WhyCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let as_of_time = command.as_of.map(timestamp);
    let client = find_client(&servers, command.partner, &command.client, as_of_time).await?;
    let partner = PartnerName(command.partner).to_string();
    let question = ExplainCreditRequest { partner, client, as_of_time, at_least_revisions: Vec::new() };
    let answer = ask(&servers, question).await?;
    match command.format {
        Format::Table => write_text(&answer, Width::Terminal, out),
        Format::Json => json::write(&answer, out),
        Format::Csv => csv::write(&answer.explanation.unwrap_or_default(), out),
    }
}
