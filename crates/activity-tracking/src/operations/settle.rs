//! The periods of touched pairs are computed again, and what is different goes into the feed.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::{AccessHistory, Ending};
use domain::policy::Policy;
use domain::servicing::{CountedActivity, periods_from};
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::feed::Head;
use service_kit::{ServiceError, access_log};

use crate::store::change::{self, NewChange};
use crate::store::period::{self, PeriodsByMinimum};
use crate::store::{Pair, Touched, activity, pair};

/// How many pairs are computed at once.
const PAIRS_AT_ONCE: usize = 100;

/// Computes the periods of the touched pairs from where they may be different, stores them, and appends a change for
/// every pair where they are. Answers the feed's new head, or nothing where nothing is different.
///
/// What it rests on must be stored already, in the same transaction, which holds the cursor of the access copy. Rows are
/// made first, then all locked in their order, the feed's head last: no two transactions wait for each other in a circle.
/// What another transaction counted for a pair is seen here, for it was committed before it let go of the row.
pub(crate) async fn settle<C: ConnectionTrait>(
    transaction: &C,
    policy: &Policy,
    touched: &Touched,
    now: Instant,
) -> Result<Option<Head>, ServiceError> {
    let touched: Vec<(Pair, Instant)> = touched.pairs().collect();
    let pairs: Vec<Pair> = touched.iter().map(|(pair, _)| *pair).collect();
    pair::create_missing(transaction, &pairs).await?;
    let last_activity_times = pair::lock(transaction, &pairs).await?;
    let mut changes = Vec::new();
    for some in touched.chunks(PAIRS_AT_ONCE) {
        changes.extend(settle_some(transaction, policy, some, &last_activity_times).await?);
    }
    if changes.is_empty() {
        return Ok(None);
    }
    Ok(Some(change::append(transaction, changes, now).await?))
}

async fn settle_some<C: ConnectionTrait>(
    transaction: &C,
    policy: &Policy,
    touched: &[(Pair, Instant)],
    last_activity_times: &BTreeMap<Pair, Option<Instant>>,
) -> Result<Vec<NewChange>, ServiceError> {
    let pairs: Vec<Pair> = touched.iter().map(|(pair, _)| *pair).collect();
    let clients: BTreeSet<_> = pairs.iter().map(|pair| pair.client).collect();
    let history = access_log::history_of_clients(transaction, &clients).await?;
    let mut old_periods = period::of_pairs(transaction, &pairs).await?;
    let counted = activity::counted_since(transaction, touched).await?;

    let mut changes = Vec::new();
    for (pair, from) in touched {
        let activities = counted.get(pair).map_or(&[][..], Vec::as_slice);
        let old = old_periods.remove(pair).unwrap_or_default();
        let new = periods_by_minimum(policy, &history, *pair, *from, &old, activities);
        let old_last = last_activity_times.get(pair).copied().flatten();
        let new_last = match last_activity_time(*from, old_last, activities) {
            Last::Known(time) => time,
            Last::Unloaded => activity::last_counted_time(transaction, *pair).await?,
        };
        if new_last != old_last {
            pair::save_last_activity_time(transaction, *pair, new_last).await?;
        }
        if is_different(&old, &new) {
            period::replace(transaction, *pair, &old, &new).await?;
        }
        if new_last != old_last || is_different(&old, &new) {
            changes.push(NewChange { pair: *pair, periods: new, last_activity_time: new_last });
        }
    }
    Ok(changes)
}

fn periods_by_minimum(
    policy: &Policy,
    history: &AccessHistory,
    pair: Pair,
    from: Instant,
    old: &PeriodsByMinimum,
    activities: &[CountedActivity],
) -> PeriodsByMinimum {
    let endings: Vec<Ending> = history.endings(pair.client, pair.partner, policy);
    let minimums = policy.minimums_ever().into_iter();
    minimums
        .map(|minimum| {
            let existing = old.get(&minimum).map_or(&[][..], Vec::as_slice);
            (minimum, periods_from(existing, from, activities, &endings, minimum))
        })
        .collect()
}

/// Whether the stored periods are others; a minimum without periods has no rows.
fn is_different(old: &PeriodsByMinimum, new: &PeriodsByMinimum) -> bool {
    let occupied = |periods: &PeriodsByMinimum| -> PeriodsByMinimum {
        periods.iter().filter(|(_, periods)| !periods.is_empty()).map(|(key, value)| (*key, value.clone())).collect()
    };
    occupied(old) != occupied(new)
}

/// When the last counted activity occurred, as far as the loaded ones tell.
#[derive(Debug, PartialEq, Eq)]
enum Last {
    Known(Option<Instant>),
    /// Before `from`, and not among those that were loaded.
    Unloaded,
}

/// Nothing before `from` is different, and everything that occurred since was loaded.
fn last_activity_time(from: Instant, old: Option<Instant>, activities: &[CountedActivity]) -> Last {
    let newest = activities.iter().map(|activity| activity.occur_time).filter(|time| *time >= from).max();
    match (newest, old) {
        (Some(newest), _) => Last::Known(Some(newest)),
        (None, None) => Last::Known(None),
        (None, Some(old)) if old < from => Last::Known(Some(old)),
        (None, Some(_)) => Last::Unloaded,
    }
}

#[cfg(test)]
mod tests {
    use domain::servicing::{PeriodEndCause, ServicingPeriod};

    use super::*;

    fn at(text: &str) -> Instant {
        format!("{text}T12:00:00Z").parse().expect("a time")
    }

    fn counted(occur: &str, expire: &str) -> CountedActivity {
        CountedActivity { occur_time: at(occur), expire_time: at(expire) }
    }

    #[test]
    fn the_last_activity_is_known_unless_it_was_taken_away() {
        let from = at("2025-02-01");
        let before = counted("2025-01-10", "2025-03-11");
        let since = counted("2025-02-02", "2025-04-03");
        assert_eq!(last_activity_time(from, None, &[]), Last::Known(None));
        assert_eq!(last_activity_time(from, None, &[before, since]), Last::Known(Some(since.occur_time)));
        assert_eq!(last_activity_time(from, Some(before.occur_time), &[]), Last::Known(Some(before.occur_time)));
        assert_eq!(last_activity_time(from, Some(since.occur_time), &[before]), Last::Unloaded);
    }

    #[test]
    fn a_minimum_without_periods_is_no_difference() {
        let period =
            ServicingPeriod { start: at("2025-01-10"), end: at("2025-03-11"), end_cause: PeriodEndCause::Lapsed };
        let of_one = BTreeMap::from([(1, vec![period])]);
        let of_three_too = BTreeMap::from([(1, vec![period]), (3, Vec::new())]);
        assert!(!is_different(&of_one, &of_three_too));
        assert!(is_different(&BTreeMap::new(), &of_three_too));
    }
}
