//! Since when and until when a partner is certified (R99, R103).

use crate::time::{Instant, Period};

/// A recorded change: from `effective_time` on, the partner is certified until `expire_time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificationChange {
    /// Its place in the log; it orders changes of one effective time.
    pub position: u64,
    /// From when on it is so.
    pub effective_time: Instant,
    /// The first instant at which the certification is no longer valid; one not after `effective_time` withdraws it.
    pub expire_time: Instant,
}

/// A partner's certification over time; before the first change there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CertificationHistory {
    /// By effective time, then position.
    changes: Vec<CertificationChange>,
}

impl CertificationHistory {
    /// A history of changes in any order.
    #[must_use]
    pub fn from_changes(changes: impl IntoIterator<Item = CertificationChange>) -> Self {
        let mut changes: Vec<_> = changes.into_iter().collect();
        changes.sort_by_key(|change| (change.effective_time, change.position));
        Self { changes }
    }

    /// The change in force at an instant.
    #[must_use]
    pub fn at(&self, at: Instant) -> Option<&CertificationChange> {
        self.changes[..self.changes.partition_point(|change| change.effective_time <= at)].last()
    }

    /// Whether the partner is certified at an instant.
    #[must_use]
    pub fn is_valid_at(&self, at: Instant) -> bool {
        self.at(at).is_some_and(|change| Period::between(change.effective_time, change.expire_time).contains(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::testing::at;

    fn history(changes: &[(&str, &str)]) -> CertificationHistory {
        CertificationHistory::from_changes((1..).zip(changes).map(|(position, (effective, expire))| {
            CertificationChange { position, effective_time: at(effective), expire_time: at(expire) }
        }))
    }

    #[test]
    fn r103_a_certification_is_valid_from_its_start_until_just_before_its_expiry() {
        let history = history(&[("2025-01-01T00:00:00Z", "2026-01-15T00:00:00Z")]);
        assert!(!history.is_valid_at(at("2024-12-31T23:59:59.999999Z")));
        assert!(history.is_valid_at(at("2025-01-01T00:00:00Z")));
        assert!(history.is_valid_at(at("2026-01-14T23:59:59.999999Z")));
        assert!(!history.is_valid_at(at("2026-01-15T00:00:00Z")));
    }

    #[test]
    fn a_renewal_or_a_withdrawal_takes_the_place_of_what_was_before() {
        let renewed =
            [("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), ("2025-12-01T00:00:00Z", "2027-01-01T00:00:00Z")];
        assert!(history(&renewed).is_valid_at(at("2026-06-01T00:00:00Z")));
        let withdrawn = [renewed[0], ("2025-06-01T00:00:00Z", "2025-06-01T00:00:00Z")];
        assert!(history(&withdrawn).is_valid_at(at("2025-05-31T23:59:59Z")));
        assert!(!history(&withdrawn).is_valid_at(at("2025-06-01T00:00:00Z")));
    }
}
