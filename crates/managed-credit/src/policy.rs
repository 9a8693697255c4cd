//! `policy`: what the policy of a running system says at an instant.

use std::io::Write;

use clap::Args;
use comfy_table::Cell;
use contracts::timestamp;
use contracts::wire::credit::{GetPolicyRequest, Policy};
use domain::time::Instant;

use crate::as_of::parse_instant;
use crate::output::{Width, number, table};
use crate::running::Part;
use crate::servers::{CallFlags, Servers, ask};
use crate::wording;

/// The flags of `policy`.
#[derive(Debug, Args)]
pub(crate) struct PolicyCommand {
    /// The instant that is asked about: a date (00:00 UTC) or RFC 3339; now, if absent
    #[arg(long, env = "MANAGED_CREDIT_AS_OF", value_name = "TIME", value_parser = parse_instant)]
    as_of: Option<Instant>,
    /// Print the whole document, which `simulate` and `serve --policy` read
    #[arg(long, env = "MANAGED_CREDIT_DOCUMENT")]
    document: bool,
    #[command(flatten)]
    call: CallFlags,
}

pub(crate) async fn policy(command: &PolicyCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let question = GetPolicyRequest { as_of_time: command.as_of.map(timestamp) };
    let answer = ask!(servers.credit, get_policy, question);
    let policy = answer.map_err(|status| servers.problem(Part::Credit, &status))?.policy.unwrap_or_default();
    if command.document {
        return Ok(out.write_all(policy.document.as_bytes())?);
    }
    write_text(&policy, out)
}

fn write_text(policy: &Policy, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "Policy {}, SHA-256 {}", policy.version, policy.digest)?;
    let warnings: Vec<String> = policy.warning_days.iter().map(ToString::to_string).collect();
    writeln!(
        out,
        "An activity counts for {} days; its end is announced {} days before.",
        policy.window_days,
        warnings.join(", ")
    )?;
    writeln!(
        out,
        "A sale makes {} points a step where the partner sourced it, {} where it assisted.",
        policy.sourced_points, policy.assisted_points
    )?;
    let mut units = table(Width::Terminal, ["Currency", "Units for one point"]);
    for each in &policy.currency_units {
        units.add_row([Cell::new(&each.currency_code), number(&each.units_per_point)]);
    }
    writeln!(out, "{units}")?;
    let mut tiers = table(Width::Terminal, ["Tier", "Activities a client", "Total", "Sold", "Sourced", "Managed"]);
    for minimum in &policy.minimum_activities {
        let threshold = policy.tier_thresholds.iter().find(|threshold| threshold.tier == minimum.tier);
        let threshold = threshold.cloned().unwrap_or_default();
        let points =
            [threshold.total_points, threshold.sold_points, threshold.sourced_points, threshold.managed_points];
        let cells = [Cell::new(wording::tier(minimum.tier())), number(minimum.minimum)];
        tiers.add_row(cells.into_iter().chain(points.map(number)));
    }
    writeln!(out, "{tiers}")?;
    if !policy.thresholds_official {
        writeln!(out, "The thresholds are not the programme's official ones.")?;
    }
    Ok(())
}
