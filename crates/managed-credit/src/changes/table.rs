//! Gained and lost points for people.

use std::io::Write;

use comfy_table::{Cell, ColumnConstraint};
use contracts::wire::credit::{ListPointChangesResponse, PointChange};

use crate::output::{Width, basis, number, table};
use crate::wording;

/// Times and points stay on one line.
const UNBROKEN_COLUMNS: [usize; 3] = [0, 3, 4];

pub(super) fn write(answer: &ListPointChangesResponse, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    let known = answer.basis.clone().unwrap_or_default();
    if answer.point_changes.is_empty() {
        writeln!(out, "Nothing changed: {} points all the time.", answer.start_points)?;
        return Ok(writeln!(out, "{}", basis(&known, width))?);
    }
    let mut changes = table(width, ["Since (UTC)", "Client", "Why", "Gained or lost", "Points then"]);
    for index in UNBROKEN_COLUMNS {
        if let Some(column) = changes.column_mut(index) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    for change in &answer.point_changes {
        changes.add_row(cells(change));
    }
    writeln!(out, "{changes}")?;
    let mut totals = table(width, ["Why", "Gained", "Lost", "Changes"]);
    for total in &answer.totals {
        totals.add_row([
            Cell::new(wording::point_change(total.cause())),
            number(&total.gained_points),
            number(&total.lost_points),
            number(total.changes),
        ]);
    }
    writeln!(out, "{totals}")?;
    writeln!(out, "From {} to {} points.", answer.start_points, answer.end_points)?;
    Ok(writeln!(out, "{}", basis(&known, width))?)
}

fn cells(change: &PointChange) -> [Cell; 5] {
    [
        Cell::new(wording::minute_or_absent(change.time.as_ref()).trim_end_matches(" UTC")),
        Cell::new(wording::account(&change.client_display_name, &change.client)),
        Cell::new(wording::point_change(change.cause())),
        number(wording::signed(&change.difference)),
        number(change.points_after.as_deref().unwrap_or(wording::ABSENT)),
    ]
}
