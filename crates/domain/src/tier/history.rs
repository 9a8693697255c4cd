//! Which tier partners hold officially, and since when.

use std::collections::BTreeMap;

use super::Tier;
use crate::access::HubId;
use crate::time::Instant;

/// A recorded change of the tier that a partner is credited with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TierChange {
    /// Its place in the log; it orders changes of one effective time.
    pub position: u64,
    /// From when on the tier is held.
    pub effective_time: Instant,
    /// The tier; absent means none.
    pub tier: Option<Tier>,
}

/// The tiers that one partner is, was and will be credited with; before the first change it holds none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TierHistory {
    /// By effective time, then position.
    changes: Vec<TierChange>,
}

impl TierHistory {
    /// A history of changes in any order.
    #[must_use]
    pub fn from_changes(changes: impl IntoIterator<Item = TierChange>) -> Self {
        let mut changes: Vec<_> = changes.into_iter().collect();
        changes.sort_by_key(|change| (change.effective_time, change.position));
        Self { changes }
    }

    /// Every change, by effective time, then position.
    #[must_use]
    pub fn changes(&self) -> &[TierChange] {
        &self.changes
    }

    /// The tier that is held at an instant.
    #[must_use]
    pub fn credited_at(&self, at: Instant) -> Option<Tier> {
        self.by(at).last().and_then(|change| change.tier)
    }

    /// Since when the tier of an instant has been held without a break; absent where none was ever recorded by then.
    #[must_use]
    pub fn credited_since(&self, at: Instant) -> Option<Instant> {
        let credited = self.credited_at(at);
        let unbroken = self.by(at).iter().rev().take_while(|change| change.tier == credited);
        unbroken.last().map(|change| change.effective_time)
    }

    fn by(&self, at: Instant) -> &[TierChange] {
        &self.changes[..self.changes.partition_point(|change| change.effective_time <= at)]
    }
}

/// The tiers of several partners.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreditedTiers {
    histories: BTreeMap<HubId, TierHistory>,
}

impl CreditedTiers {
    /// The history of a partner; absent where no tier of it was ever recorded.
    #[must_use]
    pub fn history(&self, partner: HubId) -> Option<&TierHistory> {
        self.histories.get(&partner)
    }

    /// The tier that a partner holds at an instant.
    #[must_use]
    pub fn credited_at(&self, partner: HubId, at: Instant) -> Option<Tier> {
        self.history(partner)?.credited_at(at)
    }

    /// What was held just before an instant, and goes on being held from then on: what happens at that very instant, as an
    /// evaluation does, does not speak (R104).
    #[must_use]
    pub fn held_before(&self, at: Instant) -> Self {
        let before = |history: &TierHistory| {
            TierHistory::from_changes(history.changes.iter().filter(|change| change.effective_time < at).copied())
        };
        self.histories.iter().map(|(partner, history)| (*partner, before(history))).collect()
    }
}

impl FromIterator<(HubId, TierHistory)> for CreditedTiers {
    fn from_iter<I: IntoIterator<Item = (HubId, TierHistory)>>(histories: I) -> Self {
        Self { histories: histories.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::testing::{at, hub};

    fn history(changes: &[(&str, Option<Tier>)]) -> TierHistory {
        let numbered = (1..).zip(changes);
        TierHistory::from_changes(numbered.map(|(position, (time, tier))| TierChange {
            position,
            effective_time: at(time),
            tier: *tier,
        }))
    }

    const FIRST: &str = "2025-01-15T00:00:00Z";
    const SECOND: &str = "2025-07-15T00:00:00Z";
    const THIRD: &str = "2026-01-15T00:00:00Z";

    #[test]
    fn a_tier_is_held_from_its_effective_time_until_the_next_change() {
        let history = history(&[(SECOND, Some(Tier::Gold)), (FIRST, Some(Tier::Diamond)), (THIRD, None)]);
        for (time, tier) in [
            ("2025-01-14T23:59:59.999999Z", None),
            (FIRST, Some(Tier::Diamond)),
            ("2025-07-14T23:59:59.999999Z", Some(Tier::Diamond)),
            (SECOND, Some(Tier::Gold)),
            (THIRD, None),
        ] {
            assert_eq!(history.credited_at(at(time)), tier, "{time}");
        }
    }

    #[test]
    fn of_changes_of_one_instant_the_last_recorded_speaks() {
        let history = history(&[(FIRST, Some(Tier::Gold)), (FIRST, Some(Tier::Elite))]);
        assert_eq!(history.credited_at(at(FIRST)), Some(Tier::Elite));
    }

    #[test]
    fn a_tier_that_is_recorded_again_is_held_since_it_was_reached() {
        let gold = Some(Tier::Gold);
        let history = history(&[(FIRST, gold), (SECOND, gold)]);
        assert_eq!(history.credited_since(at(THIRD)), Some(at(FIRST)));
        assert_eq!(history.credited_since(at("2025-01-14T00:00:00Z")), None);
    }

    #[test]
    fn r104_what_changes_at_an_instant_was_not_held_before_it() {
        let changed = history(&[(FIRST, Some(Tier::Gold)), (SECOND, Some(Tier::Elite))]);
        let tiers: CreditedTiers = [(hub(1), changed)].into_iter().collect();
        assert_eq!(tiers.credited_at(hub(1), at(SECOND)), Some(Tier::Elite));
        assert_eq!(tiers.held_before(at(SECOND)).credited_at(hub(1), at(SECOND)), Some(Tier::Gold));
        assert_eq!(tiers.credited_at(hub(2), at(SECOND)), None);
    }
}
