//! `breakdown`: a partner's points breakdown (R120, R124) of a running system, all pages.

mod csv;
mod filter;
pub(crate) mod json;
mod table;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use contracts::wire::credit::{
    AnswerBasis, ListManagedCreditsRequest, ListManagedCreditsResponse, ManagedCredit, ManagedCreditOrder,
};
use contracts::{PartnerName, timestamp};
use domain::access::HubId;
use domain::time::Instant;
use indicatif::ProgressBar;

use crate::as_of::parse_instant;
use crate::output::{self, Format, Width};
use crate::progress;
use crate::running::Part;
use crate::servers::{CallFlags, Servers, ask};

use filter::FilterFlags;
pub(crate) use table::write_table;

/// Rows that are asked for at once.
const PAGE_SIZE: i32 = 1_000;

/// The flags of `breakdown`.
#[derive(Debug, Args)]
pub(crate) struct BreakdownCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    pub partner: HubId,
    /// Only clients whose name contains this, without regard to case and accents, or whose hub id is this
    #[arg(long, env = "MANAGED_CREDIT_SEARCH", value_name = "TEXT", default_value = "")]
    pub search: String,
    #[command(flatten, next_help_heading = "Which clients")]
    pub filter: FilterFlags,
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
    /// Write to this file rather than to standard output; it is there whole or not at all
    #[arg(long, env = "MANAGED_CREDIT_OUTPUT", value_name = "FILE")]
    pub output: Option<PathBuf>,
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
    /// By country
    Country,
    /// By what the client pays, currency by currency
    Mrr,
    /// By the number of servicing partners
    Partners,
    /// By credit, currency by currency
    Credit,
    /// By the multiplier of growth markets
    Multiplier,
    /// By managed points
    Points,
    /// By sold points
    SoldPoints,
    /// By managed and sold points together
    TotalPoints,
    /// By state
    State,
    /// By why there is no credit
    Reason,
    /// By since when the client is serviced
    Since,
    /// By when something that counts was done last
    LastActivity,
    /// By when the relationship ends or ended
    Expiry,
}

impl From<Order> for ManagedCreditOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::Name => Self::ClientDisplayName,
            Order::Client => Self::Client,
            Order::Country => Self::CountryCode,
            Order::Mrr => Self::Mrr,
            Order::Partners => Self::ServicingPartners,
            Order::Credit => Self::Credit,
            Order::Multiplier => Self::Multiplier,
            Order::Points => Self::Points,
            Order::SoldPoints => Self::SoldPoints,
            Order::TotalPoints => Self::TotalPoints,
            Order::State => Self::State,
            Order::Reason => Self::NoCreditReason,
            Order::Since => Self::ServicedSinceTime,
            Order::LastActivity => Self::LastActivityTime,
            Order::Expiry => Self::ExpireTime,
        }
    }
}

/// A whole breakdown: every page of one question.
#[derive(Debug, Default)]
pub(crate) struct Breakdown {
    pub rows: Vec<ManagedCredit>,
    /// The last page without its rows: what all pages have together.
    pub totals: ListManagedCreditsResponse,
}

impl Breakdown {
    /// Asks page by page; all pages are of one instant.
    pub async fn ask(servers: &Servers, mut question: ListManagedCreditsRequest) -> anyhow::Result<Self> {
        question.page_size = PAGE_SIZE;
        let mut rows = Vec::new();
        let mut bar = None;
        loop {
            let answer = ask!(servers.credit, list_managed_credits, question);
            let mut page = answer.map_err(|status| servers.problem(Part::Credit, &status))?;
            rows.append(&mut page.managed_credits);
            let total = u64::try_from(page.total_size).unwrap_or_default();
            bar.get_or_insert_with(|| progress::bar("clients", total, false)).set_position(rows.len() as u64);
            if page.next_page_token.is_empty() {
                bar.iter().for_each(ProgressBar::finish_and_clear);
                return Ok(Self { rows, totals: page });
            }
            question.page_token = page.next_page_token;
        }
    }

    pub fn basis(&self) -> AnswerBasis {
        self.totals.basis.clone().unwrap_or_default()
    }
}

pub(crate) async fn breakdown(command: &BreakdownCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let question = ListManagedCreditsRequest {
        parent: PartnerName(command.partner).to_string(),
        client_search: command.search.clone(),
        order: ManagedCreditOrder::from(command.order).into(),
        descending: command.descending,
        filter: Some(command.filter.message()),
        as_of_time: command.as_of.map(timestamp),
        ..ListManagedCreditsRequest::default()
    };
    let breakdown = Breakdown::ask(&servers, question).await?;
    match &command.output {
        Some(path) => output::to_file(path, |file| write(command, &breakdown, file)),
        None => write(command, &breakdown, out),
    }
}

fn write(command: &BreakdownCommand, breakdown: &Breakdown, out: &mut impl Write) -> anyhow::Result<()> {
    match command.format {
        Format::Table => write_table(breakdown, Width::Terminal, out),
        Format::Json => json::write(&PartnerName(command.partner).to_string(), breakdown, out),
        Format::Csv => csv::write(breakdown, out),
    }
}
