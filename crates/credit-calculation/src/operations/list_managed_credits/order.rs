//! In which order rows come; what is absent comes last, whichever the direction.

use std::cmp::Ordering;
use std::sync::Arc;

use contracts::wire::credit as wire;
use domain::access::HubId;
use domain::credit::{Mrr, PointsOutcome};
use domain::money::Money;
use domain::time::Instant;

use crate::operations::Row;

/// By what the rows are ordered; ties by the client's hub id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BreakdownOrder {
    /// By name, without regard to case and accents.
    ClientDisplayName,
    /// By hub id.
    Client,
    /// By managed points.
    Points,
    /// By the instant at which the relationship ends or ended.
    ExpireTime,
    /// By country.
    CountryCode,
    /// By what the client pays, currency by currency.
    Mrr,
    /// By the number of partners that earn.
    ServicingPartners,
    /// By the share, currency by currency.
    Credit,
    /// By the multiplier.
    Multiplier,
    /// By sold points.
    SoldPoints,
    /// By managed and sold points together.
    TotalPoints,
    /// By state.
    State,
    /// By the reason why there is no credit.
    NoCreditReason,
    /// By the beginning of the relationship.
    ServicedSince,
    /// By the last counted activity.
    LastActivity,
}

impl BreakdownOrder {
    /// Whether it needs to know for certain how relationships stood.
    pub const fn needs_settled(self) -> bool {
        matches!(self, Self::ExpireTime | Self::State | Self::LastActivity)
    }
}

/// Where a row stands in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub value: Option<Value>,
    pub client: HubId,
}

/// What a row is ordered by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    Number(i64),
    Text(Arc<str>),
    /// Of a currency, in minor units.
    Amount(&'static str, i64),
}

impl Place {
    pub fn of(row: &Row, order: BreakdownOrder) -> Self {
        let credit = &row.credit;
        let time = |time: Option<Instant>| time.map(|time| Value::Number(time.timestamp_micros()));
        let value = match order {
            BreakdownOrder::ClientDisplayName => row.search_name.clone().map(Value::Text),
            BreakdownOrder::Client => Some(Value::Number(row.client.get())),
            BreakdownOrder::Points => known(credit.points).map(Value::Number),
            BreakdownOrder::ExpireTime => time(credit.expire_time),
            BreakdownOrder::CountryCode => row.country.map(|country| Value::Text(country.to_string().into())),
            BreakdownOrder::Mrr => match credit.mrr {
                Mrr::Known { mrr, .. } => Some(amount(mrr)),
                Mrr::Unknown => None,
            },
            BreakdownOrder::ServicingPartners => Some(Value::Number(credit.servicing_partners.into())),
            BreakdownOrder::Credit => credit.credit.map(amount),
            BreakdownOrder::Multiplier => credit.multiplier.map(|multiplier| Value::Number(multiplier.into())),
            BreakdownOrder::SoldPoints => known(row.sold_points).map(Value::Number),
            BreakdownOrder::TotalPoints => {
                let both = known(credit.points).zip(known(row.sold_points));
                both.map(|(managed, sold)| Value::Number(managed.saturating_add(sold)))
            }
            BreakdownOrder::State => Some(Value::Number(wire::CreditState::from(credit.state) as i64)),
            BreakdownOrder::NoCreditReason => {
                credit.no_credit_reason.map(|reason| Value::Number(wire::NoCreditReason::from(reason) as i64))
            }
            BreakdownOrder::ServicedSince => time(credit.serviced_since),
            BreakdownOrder::LastActivity => time(credit.last_activity_time),
        };
        Self { value, client: row.client }
    }
}

fn known(points: PointsOutcome) -> Option<i64> {
    match points {
        PointsOutcome::Known(points) => Some(points.0),
        PointsOutcome::Absent(_) => None,
    }
}

fn amount(money: Money) -> Value {
    Value::Amount(money.currency.code(), money.minor_units)
}

/// Which of two places comes first.
pub(super) fn compare(one: &Place, other: &Place, descending: bool) -> Ordering {
    let by_value = match (&one.value, &other.value) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) if descending => other.cmp(one),
        (Some(one), Some(other)) => one.cmp(other),
    };
    by_value.then(one.client.cmp(&other.client))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(value: Option<i64>, client: i64) -> Place {
        Place { value: value.map(Value::Number), client: HubId::try_from(client).expect("a hub id") }
    }

    fn sorted(descending: bool) -> Vec<i64> {
        let mut places = vec![place(None, 1), place(Some(5), 4), place(Some(7), 2), place(Some(5), 3), place(None, 5)];
        places.sort_by(|one, other| compare(one, other, descending));
        places.into_iter().map(|place| place.client.get()).collect()
    }

    #[test]
    fn what_is_absent_comes_last_in_both_directions_and_ties_come_by_hub_id() {
        assert_eq!(sorted(false), [3, 4, 2, 1, 5]);
        assert_eq!(sorted(true), [2, 3, 4, 1, 5]);
    }
}
