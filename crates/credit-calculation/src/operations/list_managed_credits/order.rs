//! In which order rows come; what is absent comes last, whichever the direction.

use std::cmp::Ordering;

use domain::access::HubId;
use domain::credit::PointsOutcome;

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
    Text(String),
}

impl Place {
    pub fn of(row: &Row, order: BreakdownOrder) -> Self {
        let value = match order {
            BreakdownOrder::ClientDisplayName => row.search_name.clone().map(Value::Text),
            BreakdownOrder::Client => Some(Value::Number(row.client.get())),
            BreakdownOrder::Points => match row.credit.points {
                PointsOutcome::Known(points) => Some(Value::Number(points.0)),
                PointsOutcome::Absent(_) => None,
            },
            BreakdownOrder::ExpireTime => {
                row.credit.expire_time.map(|expire_time| Value::Number(expire_time.timestamp_micros()))
            }
        };
        Self { value, client: row.client }
    }
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
