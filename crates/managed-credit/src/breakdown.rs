//! `breakdown`: a partner's points breakdown (R120, R124) of a running system, all pages.

mod csv;
pub(crate) mod json;
mod table;

use std::io::Write;

use clap::{Args, ValueEnum};
use contracts::wire::credit::{AnswerBasis, ListManagedCreditsRequest, ManagedCredit, ManagedCreditOrder};
use contracts::{PartnerName, timestamp};
use domain::access::HubId;
use domain::time::Instant;

use crate::as_of::parse_instant;
use crate::output::{Format, Width};
use crate::running::Part;
use crate::servers::{CallFlags, Servers, ask};

pub(crate) use table::write_table;

/// Rows that are asked for at once.
const PAGE_SIZE: i32 = 500;

/// The flags of `breakdown`.
#[derive(Debug, Args)]
pub(crate) struct BreakdownCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    pub partner: HubId,
    /// Only clients whose name contains this, without regard to case and accents, or whose hub id is this
    #[arg(long, env = "MANAGED_CREDIT_SEARCH", value_name = "TEXT", default_value = "")]
    pub search: String,
    /// By what to order
    #[arg(long, env = "MANAGED_CREDIT_ORDER", value_enum, value_name = "COLUMN", default_value = "name")]
    pub order: Order,
    /// From largest to smallest, or Z to A
    #[arg(long, env = "MANAGED_CREDIT_DESCENDING")]
    pub descending: bool,
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

/// By what a breakdown is ordered; what is absent comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// By the client's name
    Name,
    /// By the client's hub id
    Client,
    /// By managed points
    Points,
    /// By when the relationship ends or ended
    Expiry,
}

impl From<Order> for ManagedCreditOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::Name => Self::ClientDisplayName,
            Order::Client => Self::Client,
            Order::Points => Self::Points,
            Order::Expiry => Self::ExpireTime,
        }
    }
}

/// A whole breakdown: every page of one question.
#[derive(Debug, Default)]
pub(crate) struct Breakdown {
    pub rows: Vec<ManagedCredit>,
    pub total_points: String,
    pub rows_without_points: i32,
    pub basis: AnswerBasis,
}

impl Breakdown {
    /// Asks page by page; all pages are of one instant.
    pub async fn ask(servers: &Servers, mut question: ListManagedCreditsRequest) -> anyhow::Result<Self> {
        question.page_size = PAGE_SIZE;
        let mut breakdown = Self::default();
        loop {
            let answer = ask!(servers.credit, list_managed_credits, question);
            let page = answer.map_err(|status| servers.problem(Part::Credit, &status))?;
            breakdown.rows.extend(page.managed_credits);
            breakdown.total_points = page.total_points;
            breakdown.rows_without_points = page.rows_without_points;
            breakdown.basis = page.basis.unwrap_or_default();
            if page.next_page_token.is_empty() {
                return Ok(breakdown);
            }
            question.page_token = page.next_page_token;
        }
    }
}

pub(crate) async fn breakdown(command: &BreakdownCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let question = ListManagedCreditsRequest {
        parent: PartnerName(command.partner).to_string(),
        client_search: command.search.clone(),
        order: ManagedCreditOrder::from(command.order).into(),
        descending: command.descending,
        as_of_time: command.as_of.map(timestamp),
        ..ListManagedCreditsRequest::default()
    };
    let breakdown = Breakdown::ask(&servers, question).await?;
    match command.format {
        Format::Table => write_table(&breakdown, Width::Terminal, out),
        Format::Json => json::write(&PartnerName(command.partner).to_string(), &breakdown, out),
        Format::Csv => csv::write(&breakdown, out),
    }
}
