//! What ends soon, for people.

use std::io::Write;

use comfy_table::{Cell, ColumnConstraint};
use contracts::wire::credit::{AnswerBasis, ManagedCredit};

use super::Group;
use crate::output::{Width, basis, number, table};
use crate::wording;

/// Amounts, points and times stay on one line.
const UNBROKEN_COLUMNS: std::ops::RangeInclusive<usize> = 0..=3;

pub(super) fn write(groups: &[Group], known: &AnswerBasis, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    if groups.is_empty() {
        writeln!(out, "No credit ends soon.")?;
    }
    for group in groups {
        let clients = wording::count(group.rows.len() as u64, "client");
        let days = wording::count(u64::try_from(group.days).unwrap_or_default(), "day");
        writeln!(out, "Within {days}: {clients}, {:.2} points at risk", group.points_at_risk())?;
        let mut table = table(width, ["Ends (UTC)", "Pays a month", "Credit", "Points", "Client", "Worked there last"]);
        for index in UNBROKEN_COLUMNS {
            if let Some(column) = table.column_mut(index) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        for row in &group.rows {
            table.add_row(cells(row));
        }
        writeln!(out, "{table}")?;
    }
    if !groups.is_empty() {
        writeln!(out, "Qualifying work there before its end keeps each of them.")?;
    }
    Ok(writeln!(out, "{}", basis(known, width))?)
}

fn cells(row: &ManagedCredit) -> [Cell; 6] {
    [
        Cell::new(wording::minute_or_absent(row.expire_time.as_ref()).trim_end_matches(" UTC")),
        number(wording::money(row.mrr.as_ref())),
        number(wording::money(row.credit.as_ref())),
        number(row.points.as_deref().unwrap_or(wording::ABSENT)),
        Cell::new(wording::client(row)),
        Cell::new(wording::last_activity(row.last_activity.as_ref())),
    ]
}
