//! Credit for selling subscriptions, the other half of a tier (R92, R93).

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::managed_credit::{PointsAbsentReason, PointsOutcome};
use super::points::converted_points;
use super::subscription::is_callers_id;
use crate::access::{CountryCode, HubId};
use crate::money::{Money, Points};
use crate::policy::Policy;
use crate::time::{Instant, Period};

/// The caller's id of a sold credit, unique within its partner: of the same form as that of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SoldCreditId(String);

/// A text that is no such id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the id of a sold credit is 1 to 64 characters of a-z, A-Z, 0-9 and . _ ~ -")]
pub struct SoldCreditIdError;

impl SoldCreditId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SoldCreditId {
    type Err = SoldCreditIdError;

    fn from_str(text: &str) -> Result<Self, SoldCreditIdError> {
        if is_callers_id(text) { Ok(Self(text.to_owned())) } else { Err(SoldCreditIdError) }
    }
}

impl fmt::Display for SoldCreditId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What the partner did for a sale (R92).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SaleKind {
    /// It found the client.
    Sourced,
    /// It helped to sell.
    Assisted,
}

impl SaleKind {
    /// The name in stored text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sourced => "SOURCED",
            Self::Assisted => "ASSISTED",
        }
    }
}

/// A text that names no kind of sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a sale is SOURCED or ASSISTED")]
pub struct SaleKindError;

impl FromStr for SaleKind {
    type Err = SaleKindError;

    fn from_str(text: &str) -> Result<Self, SaleKindError> {
        [Self::Sourced, Self::Assisted].into_iter().find(|kind| kind.as_str() == text).ok_or(SaleKindError)
    }
}

/// A sale that brings a partner credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldCredit {
    /// The caller's id.
    pub id: SoldCreditId,
    /// The client account that was sold to.
    pub client: HubId,
    /// What the partner did for it.
    pub kind: SaleKind,
    /// The monthly amount that was sold.
    pub amount: Money,
    /// When the sale was closed.
    pub close_time: Instant,
}

impl SoldCredit {
    /// While it counts: from its close on for the policy's calendar months (R93).
    #[must_use]
    pub fn counted(&self, policy: &Policy) -> Period {
        Period::between(self.close_time, policy.sold_credit_end(self.close_time))
    }

    /// What it is worth while it counts: amount / units per point x points of one step x multiplier, by the policy of an
    /// instant and the country that the client is in then (R63), rounded once.
    #[must_use]
    pub fn points(&self, country: Option<CountryCode>, policy: &Policy, at: Instant) -> PointsOutcome {
        let Some(units_per_point) = policy.units_per_point_at(self.amount.currency, at) else {
            return PointsOutcome::Absent(PointsAbsentReason::UnsupportedCurrency);
        };
        let Some(country) = country else { return PointsOutcome::Absent(PointsAbsentReason::CountryUnknown) };
        let of_step = policy.sold_points_at(at);
        let points_of_step = match self.kind {
            SaleKind::Sourced => of_step.sourced,
            SaleKind::Assisted => of_step.assisted,
        };
        let factor = points_of_step.saturating_mul(policy.multiplier_at(country, at));
        PointsOutcome::Known(converted_points(self.amount, units_per_point, factor))
    }
}

/// The points of several sales together: absent where those of one cannot be computed (R127).
pub(super) fn sum(outcomes: impl IntoIterator<Item = PointsOutcome>) -> PointsOutcome {
    let nothing = PointsOutcome::Known(Points(0));
    outcomes.into_iter().fold(nothing, |sum, outcome| match (sum, outcome) {
        (PointsOutcome::Known(sum), PointsOutcome::Known(points)) => {
            PointsOutcome::Known(Points(sum.0.saturating_add(points.0)))
        }
        (PointsOutcome::Absent(reason), _) | (_, PointsOutcome::Absent(reason)) => PointsOutcome::Absent(reason),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credit::testing::{at, hub, money};

    fn sale(kind: SaleKind, code: &str, amount: &str) -> SoldCredit {
        SoldCredit {
            id: "deal-7".parse().expect("an id"),
            client: hub(2002),
            kind,
            amount: money(code, amount),
            close_time: at("2025-02-28T10:00:00Z"),
        }
    }

    fn points(sale: &SoldCredit, country: &str, time: &str) -> String {
        match sale.points(country.parse().ok(), &Policy::embedded(), at(time)) {
            PointsOutcome::Known(points) => points.to_string(),
            PointsOutcome::Absent(reason) => format!("{reason:?}"),
        }
    }

    #[test]
    fn the_id_of_a_sold_credit_is_printed_as_it_was_read() {
        let id: SoldCreditId = "deal-1.2_3~4".parse().expect("an id");
        assert_eq!(id.as_str(), "deal-1.2_3~4");
        assert_eq!(id.to_string(), "deal-1.2_3~4");
        assert_eq!("a/b".parse::<SoldCreditId>(), Err(SoldCreditIdError));
    }

    #[test]
    fn the_kinds_of_sale_have_names_that_read_back() {
        for (kind, name) in [(SaleKind::Sourced, "SOURCED"), (SaleKind::Assisted, "ASSISTED")] {
            assert_eq!(kind.as_str(), name);
            assert_eq!(name.parse(), Ok(kind));
        }
        assert_eq!("sourced".parse::<SaleKind>(), Err(SaleKindError));
    }

    #[test]
    fn r92_a_sourced_sale_makes_five_points_a_step_and_an_assisted_one_three_twice_in_a_growth_market() {
        let time = "2025-08-01T00:00:00Z";
        assert_eq!(points(&sale(SaleKind::Sourced, "USD", "1000"), "US", time), "50.00");
        assert_eq!(points(&sale(SaleKind::Assisted, "USD", "1000"), "US", time), "30.00");
        assert_eq!(points(&sale(SaleKind::Sourced, "USD", "1000"), "IN", time), "100.00");
        assert_eq!(points(&sale(SaleKind::Assisted, "USD", "1000"), "IN", time), "60.00");
    }

    #[test]
    fn r63_units_of_the_asked_instant_convert_it() {
        let sale = sale(SaleKind::Sourced, "EUR", "1000");
        assert_eq!(points(&sale, "IT", "2025-07-14T00:00:00Z"), "66.67");
        assert_eq!(points(&sale, "IT", "2025-07-15T00:00:00Z"), "56.82");
    }

    #[test]
    fn r93_it_counts_for_twelve_calendar_months_from_its_close() {
        let counted = sale(SaleKind::Sourced, "USD", "1000").counted(&Policy::embedded());
        assert_eq!(counted, Period::between(at("2025-02-28T10:00:00Z"), at("2026-02-28T10:00:00Z")));
    }

    #[test]
    fn r127_what_cannot_be_converted_is_absent() {
        assert_eq!(points(&sale(SaleKind::Sourced, "CHF", "1"), "IT", "2025-08-01T00:00:00Z"), "UnsupportedCurrency");
        assert_eq!(points(&sale(SaleKind::Sourced, "USD", "1"), "", "2025-08-01T00:00:00Z"), "CountryUnknown");
        let known = PointsOutcome::Known(Points(1));
        let absent = PointsOutcome::Absent(PointsAbsentReason::CountryUnknown);
        assert_eq!(sum([known, known]), PointsOutcome::Known(Points(2)));
        assert_eq!(sum([known, absent, known]), absent);
    }
}
