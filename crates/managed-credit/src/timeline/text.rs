//! A timeline for people: a chart, then the points.

use std::io::Write;

use comfy_table::Cell;
use contracts::instant;
use contracts::wire::credit::GetPointsTimelineResponse;

use super::chart::chart;
use crate::output::{Width, basis, number, table};
use crate::wording;

pub(super) fn write(answer: &GetPointsTimelineResponse, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    let known = answer.basis.clone().unwrap_or_default();
    if let Some(chart) = chart_of(answer) {
        writeln!(out, "Sold and managed points together\n{chart}\n")?;
    }
    let mut table = table(width, ["From (UTC)", "Managed", "Sold", "Total points", "Clients without points", ""]);
    for point in &answer.points {
        let from = wording::minute_or_absent(point.time.as_ref());
        table.add_row([
            Cell::new(from.trim_end_matches(" UTC")),
            number(&point.managed_points),
            number(&point.sold_points),
            number(&point.total_points),
            number(point.clients_without_points),
            Cell::new(if point.forecast { "forecast" } else { "" }),
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(writeln!(out, "{}", basis(&known, width))?)
}

/// The chart, which needs to know until when the points are shown, and what is ahead.
fn chart_of(answer: &GetPointsTimelineResponse) -> Option<String> {
    let known = answer.basis.as_ref()?;
    let end = instant(known.as_of_time.as_ref()?).ok()?;
    chart(&answer.points, end, instant(known.calculation_time.as_ref()?).ok()?)
}
