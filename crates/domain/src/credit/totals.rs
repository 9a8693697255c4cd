//! The points of all of a partner's clients together.

use super::credit_facts::{CreditFacts, Terms};
use super::managed_credit::PointsOutcome;
use crate::access::HubId;
use crate::money::Points;
use crate::tier::TierPoints;
use crate::time::Instant;

/// Points of one kind, of all clients together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PointsTotal {
    /// Of the clients that have points: a sum of rounded values (R96).
    pub points: Points,
    /// How many clients have none because they cannot be computed; they are not in the sum (R127).
    pub clients_without_points: i64,
}

impl PointsTotal {
    /// Adds what one client brings.
    pub fn add(&mut self, outcome: PointsOutcome) {
        self.change(outcome, 1);
    }

    fn change(&mut self, outcome: PointsOutcome, sign: i64) {
        match outcome {
            PointsOutcome::Known(points) => self.points.0 = self.points.0.saturating_add(sign * points.0),
            PointsOutcome::Absent(_) => self.clients_without_points += sign,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            points: Points(self.points.0.saturating_add(other.points.0)),
            clients_without_points: self.clients_without_points + other.clients_without_points,
        }
    }
}

/// What one client brings a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientPoints {
    /// Managed points.
    pub managed: PointsOutcome,
    /// Sold points, sourced and assisted.
    pub sold: PointsOutcome,
    /// The part of the sold points that is sourced.
    pub sourced: PointsOutcome,
}

impl ClientPoints {
    /// What a client brings a partner at an instant; `facts` hold the partner's sold credits there.
    #[must_use]
    pub fn of(facts: &CreditFacts, partner: HubId, terms: Terms<'_>, at: Instant) -> Self {
        let managed = facts.credit(partner, terms, at).points;
        Self { managed, sold: facts.sold_points(terms, at), sourced: facts.sourced_points(terms, at) }
    }
}

/// The points of a partner (R1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PartnerPoints {
    /// Managed points.
    pub managed: PointsTotal,
    /// Sold points, sourced and assisted.
    pub sold: PointsTotal,
    /// The part of the sold points that is sourced.
    pub sourced: PointsTotal,
}

impl PartnerPoints {
    /// Adds what one client brings.
    pub fn add(&mut self, client: &ClientPoints) {
        self.change(client, 1);
    }

    /// Takes off what one client brings.
    pub(super) fn take_off(&mut self, client: &ClientPoints) {
        self.change(client, -1);
    }

    fn change(&mut self, client: &ClientPoints, sign: i64) {
        self.managed.change(client.managed, sign);
        self.sold.change(client.sold, sign);
        self.sourced.change(client.sourced, sign);
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            managed: self.managed.plus(other.managed),
            sold: self.sold.plus(other.sold),
            sourced: self.sourced.plus(other.sourced),
        }
    }

    /// Sold and managed points together.
    #[must_use]
    pub const fn total(&self) -> Points {
        Points(self.managed.points.0.saturating_add(self.sold.points.0))
    }

    /// As tiers count them.
    #[must_use]
    pub const fn tier_points(&self) -> TierPoints {
        TierPoints {
            managed: self.managed.points,
            sold: self.sold.points,
            sourced: self.sourced.points,
            clients_without_points: self.managed.clients_without_points + self.sold.clients_without_points,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credit::PointsAbsentReason;

    #[test]
    fn r127_clients_whose_points_cannot_be_computed_are_counted_and_not_added() {
        let known = |hundredths| PointsOutcome::Known(Points(hundredths));
        let absent = PointsOutcome::Absent(PointsAbsentReason::CountryUnknown);
        let mut total = PointsTotal::default();
        [known(150), absent, known(-25), absent].into_iter().for_each(|outcome| total.add(outcome));
        assert_eq!(total, PointsTotal { points: Points(125), clients_without_points: 2 });
    }

    #[test]
    fn r1_a_tier_counts_sold_and_managed_points_and_the_clients_without_either() {
        let known = |hundredths| PointsOutcome::Known(Points(hundredths));
        let absent = PointsOutcome::Absent(PointsAbsentReason::CountryUnknown);
        let mut points = PartnerPoints::default();
        points.add(&ClientPoints { managed: known(1_000), sold: known(300), sourced: known(200) });
        points.add(&ClientPoints { managed: absent, sold: known(20), sourced: known(0) });
        let incomplete = ClientPoints { managed: absent, sold: absent, sourced: absent };
        points.add(&incomplete);
        assert_eq!(points.total(), Points(1_320));
        let tier_points = |clients_without_points| TierPoints {
            managed: Points(1_000),
            sold: Points(320),
            sourced: Points(200),
            clients_without_points,
        };
        assert_eq!(points.tier_points(), tier_points(3));
        points.take_off(&incomplete);
        assert_eq!(points.tier_points(), tier_points(1));
    }
}
