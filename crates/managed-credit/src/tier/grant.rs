//! `tier grant`: a person credits a partner with a tier (R105).

use std::io::Write;

use clap::Args;
use contracts::wire::credit::{GrantTierRequest, Tier};
use contracts::{PartnerName, timestamp};
use domain::access::HubId;
use domain::time::Instant;

use super::TierName;
use crate::access::new_request_id;
use crate::as_of::parse_instant;
use crate::running::Part;
use crate::servers::{CallFlags, Servers, call};
use crate::wording;

/// The flags of `tier grant`.
#[derive(Debug, Args)]
pub(crate) struct GrantCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    partner: HubId,
    /// The tier
    #[arg(long, env = "MANAGED_CREDIT_TIER", value_enum, value_name = "TIER")]
    tier: TierName,
    /// Why, in at most 500 characters
    #[arg(long, env = "MANAGED_CREDIT_REASON", value_name = "TEXT")]
    reason: String,
    /// Since when: a date (00:00 UTC) or RFC 3339; now, if absent
    #[arg(long, env = "MANAGED_CREDIT_SINCE", value_name = "TIME", value_parser = parse_instant)]
    since: Option<Instant>,
    /// Grant it also where the partner lacks the points or the certification
    #[arg(long, env = "MANAGED_CREDIT_OVERRIDE_CRITERIA")]
    override_criteria: bool,
    #[command(flatten)]
    call: CallFlags,
}

pub(super) async fn grant(command: &GrantCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let grant = GrantTierRequest {
        partner: PartnerName(command.partner).to_string(),
        tier: Tier::from(command.tier).into(),
        effective_time: command.since.map(timestamp),
        override_criteria: command.override_criteria,
        at_least_revisions: Vec::new(),
        reason: command.reason.clone(),
        request_id: new_request_id(),
    };
    let answer = call!(servers.credit, grant_tier, grant);
    let answer = answer.map_err(|status| servers.problem(Part::Credit, &status))?;
    let since = wording::minute_or_absent(answer.effective_time.as_ref());
    Ok(writeln!(out, "Partner {} holds {} since {since}.", command.partner, wording::tier(answer.credited_tier()))?)
}
