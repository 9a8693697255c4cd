//! What ends soon, for spreadsheets.

use std::io::Write;

use super::Group;
use crate::output::not_a_formula;
use crate::wording::{hub_id, rfc_3339};

const HEADER: [&str; 10] = [
    "within_days",
    "expire_time",
    "client",
    "client_display_name",
    "currency_code",
    "mrr",
    "credit",
    "points",
    "last_activity_person",
    "last_activity_time",
];

pub(super) fn write(groups: &[Group], out: &mut impl Write) -> anyhow::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    for group in groups {
        for row in &group.rows {
            let last = row.last_activity.clone().unwrap_or_default();
            let mrr = row.mrr.clone().unwrap_or_default();
            writer.write_record([
                group.days.to_string(),
                rfc_3339(row.expire_time.as_ref()).unwrap_or_default(),
                hub_id(&row.client).to_owned(),
                not_a_formula(&row.client_display_name),
                mrr.currency_code,
                mrr.amount,
                row.credit.as_ref().map(|credit| credit.amount.clone()).unwrap_or_default(),
                row.points.clone().unwrap_or_default(),
                not_a_formula(&last.person),
                rfc_3339(row.last_activity_time.as_ref()).unwrap_or_default(),
            ])?;
        }
    }
    Ok(writer.flush()?)
}
