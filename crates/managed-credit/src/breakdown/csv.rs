//! A breakdown for spreadsheets.

use std::io::Write;

use contracts::wire::credit::{ManagedCredit, Money};

use super::Breakdown;
use crate::output::not_a_formula;
use crate::wording::{hub_id, rfc_3339, short_name};

const HEADER: [&str; 23] = [
    "client",
    "client_display_name",
    "country_code",
    "growth_market",
    "currency_code",
    "mrr",
    "servicing_partners",
    "credit",
    "multiplier",
    "points",
    "points_absent_reason",
    "state",
    "no_credit_reason",
    "serviced_since_time",
    "expire_time",
    "last_activity_time",
    "last_activity_tool",
    "last_activity_action",
    "last_activity_person",
    "units_per_point",
    "sold_points",
    "sold_points_absent_reason",
    "as_of_time",
];

/// One line per client; what is absent is an empty cell.
pub(super) fn write(breakdown: &Breakdown, out: &mut impl Write) -> anyhow::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    let as_of_time = rfc_3339(breakdown.basis().as_of_time.as_ref()).unwrap_or_default();
    for row in &breakdown.rows {
        writer.write_record(cells(row, &as_of_time))?;
    }
    Ok(writer.flush()?)
}

fn cells(row: &ManagedCredit, as_of_time: &str) -> [String; HEADER.len()] {
    let amount = |money: Option<&Money>| money.map(|money| money.amount.clone()).unwrap_or_default();
    let time = |time| rfc_3339(time).unwrap_or_default();
    let absent_as_empty = |name: &str| if name == "UNSPECIFIED" { String::new() } else { name.to_owned() };
    let points_absent_reason = short_name(row.points_absent_reason().as_str_name(), "POINTS_ABSENT_REASON_");
    let sold_points_absent_reason = short_name(row.sold_points_absent_reason().as_str_name(), "POINTS_ABSENT_REASON_");
    let last = row.last_activity.clone().unwrap_or_default();
    let no_credit_reason = short_name(row.no_credit_reason().as_str_name(), "NO_CREDIT_REASON_");
    [
        hub_id(&row.client).to_owned(),
        not_a_formula(&row.client_display_name),
        row.country_code.clone(),
        row.growth_market.to_string(),
        row.mrr.as_ref().map(|mrr| mrr.currency_code.clone()).unwrap_or_default(),
        amount(row.mrr.as_ref()),
        row.servicing_partners.to_string(),
        amount(row.credit.as_ref()),
        row.multiplier.to_string(),
        row.points.clone().unwrap_or_default(),
        absent_as_empty(points_absent_reason),
        short_name(row.state().as_str_name(), "CREDIT_STATE_").to_owned(),
        absent_as_empty(no_credit_reason),
        time(row.serviced_since_time.as_ref()),
        time(row.expire_time.as_ref()),
        time(row.last_activity_time.as_ref()),
        last.tool,
        last.action,
        not_a_formula(&last.person),
        row.units_per_point.clone(),
        row.sold_points.clone().unwrap_or_default(),
        absent_as_empty(sold_points_absent_reason),
        as_of_time.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_an_empty_cell() {
        let rows = vec![ManagedCredit { client: "clients/7".to_owned(), ..ManagedCredit::default() }];
        let mut out = Vec::new();
        write(&Breakdown { rows, ..Breakdown::default() }, &mut out).expect("a vector takes everything");
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text.lines().nth(1), Some("7,,,false,,,0,,0,,,UNSPECIFIED,,,,,,,,,,,"));
    }
}
