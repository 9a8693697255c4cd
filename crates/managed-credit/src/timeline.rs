//! `timeline`: a partner's points over time (R121), of a running system.

mod chart;
mod csv;
mod json;
mod text;

use std::io::Write;

use clap::Args;
use contracts::wire::credit::{GetPointsTimelineRequest, TimelineResolution};
use contracts::{PartnerName, timestamp};
use domain::access::HubId;
use domain::time::Instant;

use crate::as_of::parse_instant;
use crate::output::{Format, Width};
use crate::running::Part;
use crate::servers::{CallFlags, Servers, ask};

/// The flags of `timeline`.
#[derive(Debug, Args)]
pub(crate) struct TimelineCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    pub partner: HubId,
    /// The first instant: a date (00:00 UTC) or RFC 3339; six months before now, if absent
    #[arg(long, env = "MANAGED_CREDIT_FROM", value_name = "TIME", value_parser = parse_instant)]
    pub from: Option<Instant>,
    /// The last instant; three months after now, if absent: what is ahead holds if nothing else happens
    #[arg(long, env = "MANAGED_CREDIT_TO", value_name = "TIME", value_parser = parse_instant)]
    pub to: Option<Instant>,
    /// Points of every 24 hours, rather than whenever they become others
    #[arg(long, env = "MANAGED_CREDIT_DAILY")]
    pub daily: bool,
    /// How the answer is printed
    #[arg(long, env = "MANAGED_CREDIT_FORMAT", value_enum, default_value = "table")]
    pub format: Format,
    #[command(flatten)]
    pub call: CallFlags,
}

pub(crate) async fn timeline(command: &TimelineCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let resolution = if command.daily { TimelineResolution::Daily } else { TimelineResolution::ChangePoints };
    let partner = PartnerName(command.partner).to_string();
    let question = GetPointsTimelineRequest {
        partner: partner.clone(),
        start_time: command.from.map(timestamp),
        end_time: command.to.map(timestamp),
        resolution: resolution.into(),
        at_least_revisions: Vec::new(),
    };
    let answer = ask!(servers.credit, get_points_timeline, question);
    let answer = answer.map_err(|status| servers.problem(Part::Credit, &status))?;
    match command.format {
        Format::Table => text::write(&answer, Width::Terminal, out),
        Format::Json => json::write(&partner, &answer, out),
        Format::Csv => csv::write(&answer, out),
    }
}
