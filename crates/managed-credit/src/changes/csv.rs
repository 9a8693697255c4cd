//! Gained and lost points for spreadsheets.

use std::io::Write;

use contracts::wire::credit::{ListPointChangesResponse, Money, PointChange};

use crate::output::not_a_formula;
use crate::wording::{hub_id, rfc_3339, short_name};

const HEADER: [&str; 11] = [
    "time",
    "client",
    "client_display_name",
    "kind",
    "cause",
    "difference",
    "points_before",
    "points_after",
    "currency_code",
    "credit_before",
    "credit_after",
];

/// One line per change; what is absent is an empty cell.
pub(super) fn write(answer: &ListPointChangesResponse, out: &mut impl Write) -> anyhow::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    for change in &answer.point_changes {
        writer.write_record(cells(change))?;
    }
    Ok(writer.flush()?)
}

fn cells(change: &PointChange) -> [String; HEADER.len()] {
    let amount = |money: Option<&Money>| money.map(|money| money.amount.clone()).unwrap_or_default();
    let (before, after) = (change.credit_before.as_ref(), change.credit_after.as_ref());
    [
        rfc_3339(change.time.as_ref()).unwrap_or_default(),
        hub_id(&change.client).to_owned(),
        not_a_formula(&change.client_display_name),
        short_name(change.kind().as_str_name(), "POINTS_KIND_").to_owned(),
        short_name(change.cause().as_str_name(), "POINT_CHANGE_CAUSE_").to_owned(),
        // A number below zero is no formula: it must stay one that can be added.
        change.difference.clone(),
        change.points_before.clone().unwrap_or_default(),
        change.points_after.clone().unwrap_or_default(),
        after.or(before).map(|money| money.currency_code.clone()).unwrap_or_default(),
        amount(before),
        amount(after),
    ]
}
