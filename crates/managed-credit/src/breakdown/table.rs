//! A breakdown for people.

use std::io::Write;

use comfy_table::{Cell, ColumnConstraint};
use contracts::wire::credit::ManagedCredit;

use super::Breakdown;
use crate::output::{Width, basis, number, table};
use crate::wording;

/// Amounts, points, states and times stay on one line.
const UNBROKEN_COLUMNS: std::ops::RangeInclusive<usize> = 1..=5;

/// The rows with their total; amounts are not added, for they are of different currencies (R10).
pub(crate) fn write_table(breakdown: &Breakdown, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    if breakdown.rows.is_empty() {
        writeln!(out, "No clients: the partner has to do with none, or with none that is asked for.")?;
        writeln!(out, "{}", basis(&breakdown.basis(), width))?;
        return Ok(());
    }
    let header = ["Client", "Pays a month", "Credit", "Points", "State", "Ends, ended (UTC)", "In short"];
    let mut table = table(width, header);
    for index in UNBROKEN_COLUMNS {
        if let Some(column) = table.column_mut(index) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    for row in &breakdown.rows {
        table.add_row(cells(row));
    }
    let total = [Cell::new("Total"), Cell::new(""), Cell::new(""), number(&breakdown.totals.total_points)];
    table.add_row(total);
    writeln!(out, "{table}")?;
    for (what, amounts) in [("Credit", &breakdown.totals.total_credits), ("Clients pay", &breakdown.totals.total_mrrs)]
    {
        let amounts: Vec<String> = amounts.iter().map(|amount| wording::money(Some(amount))).collect();
        writeln!(
            out,
            "{what} by currency: {}.",
            if amounts.is_empty() { wording::ABSENT.to_owned() } else { amounts.join(", ") }
        )?;
    }
    if breakdown.totals.total_sold_points.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        writeln!(out, "Sold points beside the managed ones: {}.", breakdown.totals.total_sold_points)?;
    }
    if breakdown.totals.rows_without_points > 0 {
        writeln!(out, "Not in the total: {} without points.", breakdown.totals.rows_without_points)?;
    }
    Ok(writeln!(out, "{}", basis(&breakdown.basis(), width))?)
}

fn cells(row: &ManagedCredit) -> [Cell; 7] {
    [
        Cell::new(wording::client(row)),
        number(wording::money(row.mrr.as_ref())),
        number(wording::money(row.credit.as_ref())),
        number(row.points.as_deref().unwrap_or(wording::ABSENT)),
        Cell::new(wording::state(row.state())),
        Cell::new(wording::minute_or_absent(row.expire_time.as_ref()).trim_end_matches(" UTC")),
        Cell::new(wording::in_short(row)),
    ]
}

#[cfg(test)]
mod tests {
    use contracts::wire::credit::{CreditState, ListManagedCreditsResponse, Money, NoCreditReason, PointsAbsentReason};

    use super::*;

    fn printed(rows: Vec<ManagedCredit>, rows_without_points: i32) -> String {
        let total_points = "10.00".to_owned();
        let totals = ListManagedCreditsResponse { rows_without_points, total_points, ..Default::default() };
        let breakdown = Breakdown { rows, totals };
        let mut out = Vec::new();
        write_table(&breakdown, Width::Fixed, &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    fn money(amount: &str) -> Option<Money> {
        Some(Money { currency_code: "EUR".to_owned(), amount: amount.to_owned() })
    }

    #[test]
    fn r127_unknown_points_are_a_dash_with_their_reason_and_known_nothing_is_zero() {
        let unknown = ManagedCredit {
            client: "clients/2".to_owned(),
            client_display_name: "Unknown".to_owned(),
            no_credit_reason: NoCreditReason::MrrUnknown.into(),
            points_absent_reason: PointsAbsentReason::MrrUnknown.into(),
            ..ManagedCredit::default()
        };
        let lapsed = ManagedCredit {
            client: "clients/3".to_owned(),
            client_display_name: "Lapsed".to_owned(),
            mrr: money("880.00"),
            credit: money("0.00"),
            points: Some("0.00".to_owned()),
            state: CreditState::Ended.into(),
            no_credit_reason: NoCreditReason::Lapsed.into(),
            ..ManagedCredit::default()
        };
        let text = printed(vec![unknown, lapsed], 1);
        let row = |name: &str| text.lines().find(|line| line.contains(name)).expect("a row").to_owned();
        assert!(!row("Unknown").contains("0.00"), "{text}");
        assert!(row("Lapsed").contains("0.00 EUR"), "{text}");
        assert!(text.contains("Not in the total: 1 without points."), "{text}");
    }

    #[test]
    fn no_line_is_wider_than_the_fixed_width() {
        let long = ManagedCredit {
            client: "clients/9223372036854775807".to_owned(),
            client_display_name: "A name that goes on and on ".repeat(8),
            mrr: money("9999999999999.99"),
            ..ManagedCredit::default()
        };
        assert!(printed(vec![long], 0).lines().all(|line| line.chars().count() <= 120));
    }
}
