//! `tier`: where a partner stands, and what changes it (R99 to R105), of a running system.

mod evaluate;
mod grant;
mod json;
mod text;

use std::io::Write;

use clap::{Args, Subcommand, ValueEnum};
use contracts::wire::credit::{GetTierStandingRequest, Tier};
use contracts::{PartnerName, timestamp};
use domain::access::HubId;
use domain::time::Instant;

use crate::as_of::parse_instant;
use crate::output::Width;
use crate::running::Part;
use crate::servers::{CallFlags, Servers, ask};

/// The commands about tiers.
#[derive(Debug, Subcommand)]
pub(crate) enum TierCommand {
    /// The tier that a partner holds, how far it is to each, and what the next re-evaluation would do
    Show(ShowCommand),
    /// Evaluate every partner on the 15th of a month
    Evaluate(evaluate::EvaluateCommand),
    /// Credit a partner with a tier: Elite by invitation, or what it holds already
    Grant(grant::GrantCommand),
}

/// The flags of `tier show`.
#[derive(Debug, Args)]
pub(crate) struct ShowCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    partner: HubId,
    /// The tier to say the progress to; each, if absent
    #[arg(long, env = "MANAGED_CREDIT_TIER", value_enum, value_name = "TIER")]
    tier: Option<TierName>,
    /// The instant that is asked about: a date (00:00 UTC) or RFC 3339; now, if absent; a later one means "if nothing
    /// else happens"
    #[arg(long, env = "MANAGED_CREDIT_AS_OF", value_name = "TIME", value_parser = parse_instant)]
    as_of: Option<Instant>,
    /// How the answer is printed
    #[arg(long, env = "MANAGED_CREDIT_FORMAT", value_enum, default_value = "table")]
    format: TierFormat,
    #[command(flatten)]
    call: CallFlags,
}

/// A standing is no table of rows, so it has no CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TierFormat {
    /// For people.
    Table,
    /// For programs: the fields of the gRPC answer in snake_case.
    Json,
}

/// A tier, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TierName {
    /// No tier at all
    None,
    /// Gold
    Gold,
    /// Platinum
    Platinum,
    /// Diamond
    Diamond,
    /// Elite
    Elite,
}

impl From<TierName> for Tier {
    fn from(name: TierName) -> Self {
        match name {
            TierName::None => Self::None,
            TierName::Gold => Self::Gold,
            TierName::Platinum => Self::Platinum,
            TierName::Diamond => Self::Diamond,
            TierName::Elite => Self::Elite,
        }
    }
}

pub(crate) async fn tier(command: &TierCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        TierCommand::Show(command) => show(command, out).await,
        TierCommand::Evaluate(command) => evaluate::evaluate(command, out).await,
        TierCommand::Grant(command) => grant::grant(command, out).await,
    }
}

async fn show(command: &ShowCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let question = GetTierStandingRequest {
        partner: PartnerName(command.partner).to_string(),
        as_of_time: command.as_of.map(timestamp),
        tier: command.tier.map_or(Tier::Unspecified, Tier::from).into(),
        at_least_revisions: Vec::new(),
    };
    let answer = ask!(servers.credit, get_tier_standing, question);
    let answer = answer.map_err(|status| servers.problem(Part::Credit, &status))?;
    match command.format {
        TierFormat::Table => text::write(&answer, Width::Terminal, out),
        TierFormat::Json => json::write(&answer, out),
    }
}
