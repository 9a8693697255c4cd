//! What would be otherwise, for people.

use std::io::Write;

use comfy_table::Cell;
use contracts::wire::credit::{SimulatedCredit, TierPoints};

use super::Simulation;
use crate::output::{Width, number, table};
use crate::wording;

pub(super) fn write(simulation: &Simulation, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    let summary = &simulation.summary;
    if !simulation.credits.is_empty() {
        let header = ["Partner", "Client", "Credit now", "Credit then", "Points now", "Points then"];
        let mut differences = table(width, header);
        for each in &simulation.credits {
            let side = |side: &Option<SimulatedCredit>| side.clone().unwrap_or_default();
            let (before, after) = (side(&each.before), side(&each.after));
            differences.add_row([
                Cell::new(wording::hub_id(&each.partner)),
                Cell::new(wording::hub_id(&each.client)),
                number(wording::money(before.credit.as_ref())),
                number(wording::money(after.credit.as_ref())),
                number(before.points.as_deref().unwrap_or(wording::ABSENT)),
                number(after.points.as_deref().unwrap_or(wording::ABSENT)),
            ]);
        }
        writeln!(out, "{differences}")?;
    }
    if !simulation.partners.is_empty() {
        let mut partners = table(width, ["Partner", "Points now", "Points then", "Enough now for", "Enough then for"]);
        for each in &simulation.partners {
            let total = |points: &Option<TierPoints>| points.clone().unwrap_or_default().total_points;
            partners.add_row([
                Cell::new(wording::hub_id(&each.partner)),
                number(total(&each.before)),
                number(total(&each.after)),
                Cell::new(wording::tier(each.performance_tier_before())),
                Cell::new(wording::tier(each.performance_tier_after())),
            ]);
        }
        writeln!(out, "{partners}")?;
    }
    writeln!(
        out,
        "{} of {} pairs of a partner and a client differ: {} managed points now, {} then.",
        summary.differing, summary.compared, summary.points_before, summary.points_after
    )?;
    let as_of = wording::minute_or_absent(summary.as_of_time.as_ref());
    Ok(writeln!(out, "As of {as_of}; nothing was stored.")?)
}
