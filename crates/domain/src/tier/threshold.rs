//! What tiers need, and how far a partner is (R99, R123).

use super::Tier;
use crate::money::Points;
use crate::policy::Policy;
use crate::time::Instant;

/// What a tier needs in points; a minimum that is absent is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TierThreshold {
    /// Of all points together.
    pub total: Points,
    /// Of sold points, sourced or assisted.
    pub sold: Option<Points>,
    /// Of sourced points alone.
    pub sourced: Option<Points>,
    /// Of managed points.
    pub managed: Option<Points>,
}

/// The points of a partner at an instant, as tiers count them (R1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TierPoints {
    /// Managed points.
    pub managed: Points,
    /// Sold points, sourced and assisted.
    pub sold: Points,
    /// The part of the sold points that is sourced.
    pub sourced: Points,
    /// How many clients have managed or sold points that cannot be computed; they are in none of the sums (R127).
    pub clients_without_points: i64,
}

impl TierPoints {
    /// Sold and managed points together.
    #[must_use]
    pub const fn total(&self) -> Points {
        Points(self.managed.0.saturating_add(self.sold.0))
    }
}

/// Something that a tier needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Criterion {
    /// All points together.
    TotalPoints,
    /// Sold points.
    SoldPoints,
    /// Sourced points.
    SourcedPoints,
    /// Managed points.
    ManagedPoints,
}

/// How far a partner is with one of the things that a tier needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CriterionProgress {
    /// What is needed.
    pub criterion: Criterion,
    /// How many points.
    pub required: Points,
    /// How many there are.
    pub reached: Points,
}

impl CriterionProgress {
    /// How many points are missing; not below zero.
    #[must_use]
    pub fn missing(&self) -> Points {
        Points(self.required.0.saturating_sub(self.reached.0).max(0))
    }

    /// Whether none is missing.
    #[must_use]
    pub const fn is_met(&self) -> bool {
        self.reached.0 >= self.required.0
    }
}

impl TierThreshold {
    /// Everything that is needed, with what there is.
    #[must_use]
    pub fn progress(&self, points: &TierPoints) -> Vec<CriterionProgress> {
        let criteria = [
            (Criterion::TotalPoints, Some(self.total), points.total()),
            (Criterion::SoldPoints, self.sold, points.sold),
            (Criterion::SourcedPoints, self.sourced, points.sourced),
            (Criterion::ManagedPoints, self.managed, points.managed),
        ];
        let needed = criteria.into_iter().filter_map(|(criterion, required, reached)| {
            Some(CriterionProgress { criterion, required: required?, reached })
        });
        needed.collect()
    }

    /// Whether the points are enough.
    #[must_use]
    pub fn is_met(&self, points: &TierPoints) -> bool {
        self.progress(points).iter().all(CriterionProgress::is_met)
    }

    /// Whether everything that the other needs is needed here too.
    pub(crate) fn needs_at_least(&self, other: &Self) -> bool {
        let minimums = [(self.sold, other.sold), (self.sourced, other.sourced), (self.managed, other.managed)];
        self.total >= other.total && minimums.iter().all(|(own, others)| own >= others)
    }
}

/// The highest tier whose points a partner has at an instant: its *performance tier*, whatever it is credited with.
#[must_use]
pub fn performance_tier(points: &TierPoints, policy: &Policy, at: Instant) -> Option<Tier> {
    let is_met = |tier: &Tier| policy.tier_threshold_at(*tier, at).is_some_and(|threshold| threshold.is_met(points));
    Tier::ALL.into_iter().rev().find(is_met)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::testing::at;

    fn points(managed: i64, sold: i64, sourced: i64) -> TierPoints {
        TierPoints {
            managed: Points(managed * 100),
            sold: Points(sold * 100),
            sourced: Points(sourced * 100),
            clients_without_points: 0,
        }
    }

    const BEFORE: &str = "2025-07-14T23:59:59.999999Z";
    const SOURCED: &str = "2025-07-15T00:00:00Z";
    const WITHOUT_MANAGED: &str = "2026-01-15T00:00:00Z";

    fn tier(points: TierPoints, time: &str) -> Option<Tier> {
        performance_tier(&points, &Policy::embedded(), at(time))
    }

    #[test]
    fn r99_a_tier_needs_its_total_and_every_minimum() {
        assert_eq!(tier(points(60, 63, 0), BEFORE), Some(Tier::Gold));
        assert_eq!(tier(points(60, 62, 0), BEFORE), None);
        assert_eq!(tier(points(59, 100, 100), BEFORE), None);
        assert_eq!(tier(points(200, 112, 0), BEFORE), Some(Tier::Gold));
        assert_eq!(tier(points(200, 113, 0), BEFORE), Some(Tier::Platinum));
        assert_eq!(tier(points(1700, 1950, 0), BEFORE), Some(Tier::Elite));
    }

    #[test]
    fn r99_the_thresholds_in_force_at_the_instant_decide() {
        // A sourced minimum takes the place of the sold one, and later the managed minimum goes.
        assert_eq!(tier(points(66, 63, 62), BEFORE), Some(Tier::Gold));
        assert_eq!(tier(points(66, 63, 62), SOURCED), None);
        assert_eq!(tier(points(66, 63, 63), SOURCED), Some(Tier::Gold));
        assert_eq!(tier(points(0, 129, 129), SOURCED), None);
        assert_eq!(tier(points(0, 129, 129), WITHOUT_MANAGED), Some(Tier::Gold));
        assert_eq!(tier(points(0, 128, 128), WITHOUT_MANAGED), None);
    }

    #[test]
    fn r99_a_tier_needs_at_least_what_another_does_where_it_does_so_of_every_kind_of_points() {
        let threshold = |total, sold: Option<i64>, sourced: Option<i64>, managed: Option<i64>| TierThreshold {
            total: Points(total),
            sold: sold.map(Points),
            sourced: sourced.map(Points),
            managed: managed.map(Points),
        };
        let other = threshold(100, Some(20), None, Some(30));
        for (own, expected) in [
            (other, true),
            (threshold(101, Some(21), Some(1), Some(31)), true),
            (threshold(99, Some(20), None, Some(30)), false),
            (threshold(101, Some(19), None, Some(30)), false),
            (threshold(101, Some(20), None, None), false),
        ] {
            assert_eq!(own.needs_at_least(&other), expected, "{own:?}");
        }
    }

    #[test]
    fn r123_progress_says_what_is_there_and_what_is_missing() {
        let policy = Policy::embedded();
        let threshold = policy.tier_threshold_at(Tier::Platinum, at(BEFORE)).expect("a threshold");
        let progress = threshold.progress(&points(150, 120, 0));
        let told: Vec<_> = progress.iter().map(|each| (each.criterion, each.missing().0, each.is_met())).collect();
        assert_eq!(
            told,
            [
                (Criterion::TotalPoints, 4_250, false),
                (Criterion::SoldPoints, 0, true),
                (Criterion::ManagedPoints, 5_000, false),
            ]
        );
    }
}
