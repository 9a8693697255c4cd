//! Queries, and rows to domain values and back; no rules.

pub(crate) mod activity;
pub(crate) mod change;
pub(crate) mod judged_policy;
pub(crate) mod pair;
pub(crate) mod period;

use std::collections::BTreeMap;

use chrono::DateTime;
use domain::access::HubId;
use domain::time::Instant;
use service_kit::ServiceError;

/// Before everything: what is touched from here on is computed in full.
pub(crate) const BEGINNING: Instant = DateTime::<chrono::Utc>::MIN_UTC;

/// How many alternatives one condition names, so that no database finds it too deep.
const ALTERNATIVES_PER_QUERY: usize = 100;

/// How many people one query names, within SQLite's 32,766 parameters.
const ADDRESSES_PER_QUERY: usize = 10_000;

/// How many rows one statement inserts: at most 13 columns each, within SQLite's 32,766 parameters.
const ROWS_PER_INSERT: usize = 500;

/// A client and a partner, in the order in which their rows are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pair {
    pub client: HubId,
    pub partner: HubId,
}

/// The pairs whose periods must be computed again, each from the earliest instant at which something is different.
#[derive(Debug, Default)]
pub(crate) struct Touched(BTreeMap<Pair, Instant>);

impl Touched {
    /// Something is different for the pair at `from`, and perhaps later.
    pub fn touch(&mut self, pair: Pair, from: Instant) {
        self.0.entry(pair).and_modify(|earliest| *earliest = from.min(*earliest)).or_insert(from);
    }

    /// All, in the order of their locks.
    pub fn pairs(&self) -> impl Iterator<Item = (Pair, Instant)> {
        self.0.iter().map(|(pair, from)| (*pair, *from))
    }

    /// Keeps the pairs that `is_kept` says.
    pub fn retain(&mut self, is_kept: impl Fn(Pair) -> bool) {
        self.0.retain(|pair, _| is_kept(*pair));
    }
}

fn hub_id(stored: i64) -> Result<HubId, ServiceError> {
    HubId::try_from(stored).map_err(ServiceError::stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_touched_from_the_earliest_instant() {
        let hub_id = |number: i64| HubId::try_from(number).expect("a hub id");
        let at = |text: &str| text.parse::<Instant>().expect("a time");
        let pair = Pair { client: hub_id(2002), partner: hub_id(1001) };
        let mut touched = Touched::default();
        for time in ["2025-01-10T12:00:00Z", "2025-01-09T12:00:00Z", "2025-01-11T12:00:00Z"] {
            touched.touch(pair, at(time));
        }
        assert_eq!(touched.pairs().collect::<Vec<_>>(), [(pair, at("2025-01-09T12:00:00Z"))]);
    }
}
