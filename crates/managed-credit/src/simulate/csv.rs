//! What would be otherwise, for spreadsheets.

use std::io::Write;

use contracts::wire::credit::{Money, SimulatedCredit};

use super::Simulation;
use crate::wording::{hub_id, short_name};

const HEADER: [&str; 9] = [
    "partner",
    "client",
    "currency_code",
    "credit_before",
    "credit_after",
    "points_before",
    "points_after",
    "no_credit_reason_before",
    "no_credit_reason_after",
];

pub(super) fn write(simulation: &Simulation, out: &mut impl Write) -> anyhow::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    for each in &simulation.credits {
        let side = |side: &Option<SimulatedCredit>| side.clone().unwrap_or_default();
        let (before, after) = (side(&each.before), side(&each.after));
        let amount = |money: &Option<Money>| money.as_ref().map(|money| money.amount.clone()).unwrap_or_default();
        let currency = before.credit.as_ref().or(after.credit.as_ref()).map(|money| money.currency_code.clone());
        let reason =
            |side: &SimulatedCredit| match short_name(side.no_credit_reason().as_str_name(), "NO_CREDIT_REASON_") {
                "UNSPECIFIED" => String::new(),
                reason => reason.to_owned(),
            };
        writer.write_record([
            hub_id(&each.partner).to_owned(),
            hub_id(&each.client).to_owned(),
            currency.unwrap_or_default(),
            amount(&before.credit),
            amount(&after.credit),
            before.points.clone().unwrap_or_default(),
            after.points.clone().unwrap_or_default(),
            reason(&before),
            reason(&after),
        ])?;
    }
    Ok(writer.flush()?)
}
