//! The periods of touched pairs are computed again where they can be different, and what is goes into the feed.

use domain::access::Ending;
use domain::policy::Policy;
use domain::servicing::{CountedActivity, ServicingPeriod, periods_within};
use domain::time::{Instant, Period};
use sea_orm::{ConnectionTrait, DbErr};
use service_kit::access_log::ClientHistories;
use service_kit::feed::Head;
use service_kit::{ServiceError, access_log};

use crate::store::change::{self, NewChange};
use crate::store::period::{self, PeriodsByMinimum, Replaced};
use crate::store::{Pair, Touch, Touched, activity, pair};

/// How many pairs are computed at once.
const PAIRS_AT_ONCE: usize = 1_000;

/// Computes the periods of the touched pairs where they can be different, stores them, and appends a change for every
/// pair where they are. Answers the feed's new head, or nothing where nothing is different.
///
/// `known` are the access facts of clients where the caller has them already; those of others are read.
///
/// What it rests on must be stored already, in the same transaction, which holds the cursor of the access copy. Rows are
/// made first, then all locked in their order, the feed's head last: no two transactions wait for each other in a circle.
/// What another transaction counted for a pair is seen here, for it was committed before it let go of the row.
pub(crate) async fn settle<C: ConnectionTrait>(
    transaction: &C,
    policy: &Policy,
    touched: &Touched,
    known: &ClientHistories,
    now: Instant,
) -> Result<Option<Head>, ServiceError> {
    let touches: Vec<(Pair, Touch)> = touched.pairs().collect();
    let pairs: Vec<Pair> = touches.iter().map(|(pair, _)| *pair).collect();
    pair::create_missing(transaction, &pairs).await?;
    let last_activity_times = pair::lock(transaction, &pairs).await?;
    let mut changes = Vec::new();
    for some in touches.chunks(PAIRS_AT_ONCE) {
        let last_activity_time = |pair| last_activity_times.get(&pair).copied().flatten();
        let some: Vec<Settling> = some
            .iter()
            .map(|(pair, touch)| Settling { pair: *pair, touch: *touch, last: last_activity_time(*pair) })
            .collect();
        changes.extend(settle_some(transaction, policy, touched, known, some).await?);
    }
    if changes.is_empty() {
        return Ok(None);
    }
    Ok(Some(change::append(transaction, changes, now).await?))
}

/// A pair whose row is held.
struct Settling {
    pair: Pair,
    touch: Touch,
    /// When its last activity occurred, as it is stored.
    last: Option<Instant>,
}

async fn settle_some<C: ConnectionTrait>(
    transaction: &C,
    policy: &Policy,
    touched: &Touched,
    known: &ClientHistories,
    settling: Vec<Settling>,
) -> Result<Vec<NewChange>, ServiceError> {
    let pairs: Vec<Pair> = settling.iter().map(|settling| settling.pair).collect();
    let mut old_periods = period::of_pairs(transaction, &pairs).await?;
    let regions: Vec<(Pair, Vec<Period>)> = settling
        .iter()
        .map(|Settling { pair, touch, .. }| (*pair, regions(policy, touch, old_periods.get(pair))))
        .collect();
    let living = activity::living_in(transaction, policy, &regions).await?;
    let concerned = regions.iter().filter(|(_, regions)| !regions.is_empty()).map(|(pair, _)| pair.client);
    let unknown = concerned.filter(|client| !known.contains_key(client)).collect();
    let others = access_log::history_of_clients(transaction, &unknown).await?;

    let mut settled = Vec::new();
    for (Settling { pair, touch, last }, (_, regions)) in settling.into_iter().zip(regions) {
        let old = old_periods.remove(&pair).unwrap_or_default();
        let new = if regions.is_empty() {
            old.clone()
        } else {
            let history = known.get(&pair.client).map_or(&others, |known| &**known);
            let endings = history.endings(pair.client, pair.partner, policy);
            let activities = living.get(&pair).map_or(&[][..], Vec::as_slice);
            periods_by_minimum(policy, &old, &regions, activities, &endings)
        };
        let new_last = match touch.newest {
            Some(newest) => Some(last.map_or(newest, |last| last.max(newest))),
            None => activity::last_counted_time(transaction, pair).await?,
        };
        let is_different = is_different(&old, &new);
        // Of one instant another may be the last now, or the same be another action: whoever knows what it was asks again.
        let is_another_last = touch.latest.is_some_and(|latest| last.is_none_or(|last| last <= latest));
        if is_another_last || is_different || new_last != last {
            settled.push(Settled { pair, old, new, is_different, last, new_last });
        }
    }
    store(transaction, &settled).await?;
    Ok(settled.into_iter().map(|settled| settled.change(touched)).collect())
}

/// A pair that is different.
struct Settled {
    pair: Pair,
    old: PeriodsByMinimum,
    new: PeriodsByMinimum,
    is_different: bool,
    last: Option<Instant>,
    new_last: Option<Instant>,
}

impl Settled {
    fn change(self, touched: &Touched) -> NewChange {
        let cause = touched.cause(self.pair);
        NewChange { pair: self.pair, periods: self.new, last_activity_time: self.new_last, cause }
    }
}

async fn store<C: ConnectionTrait>(transaction: &C, settled: &[Settled]) -> Result<(), DbErr> {
    let times = settled.iter().filter(|settled| settled.new_last != settled.last);
    let times: Vec<_> = times.map(|settled| (settled.pair, settled.new_last)).collect();
    pair::save_last_activity_times(transaction, &times).await?;
    let replaced = settled.iter().filter(|settled| settled.is_different);
    let replaced: Vec<_> = replaced.map(|Settled { pair, old, new, .. }| Replaced { pair: *pair, old, new }).collect();
    period::replace(transaction, &replaced).await
}

/// Where the periods of a pair, of whichever minimum, can be different.
fn regions(policy: &Policy, touch: &Touch, old: Option<&PeriodsByMinimum>) -> Vec<Period> {
    let largest = policy.minimums_ever().last().copied().unwrap_or(1);
    let of_largest = old.and_then(|old| old.get(&largest)).map_or(&[][..], Vec::as_slice);
    touch.alteration.regions(of_largest)
}

fn periods_by_minimum(
    policy: &Policy,
    old: &PeriodsByMinimum,
    regions: &[Period],
    activities: &[CountedActivity],
    endings: &[Ending],
) -> PeriodsByMinimum {
    let of_minimum = |minimum| {
        let existing: &[ServicingPeriod] = old.get(&minimum).map_or(&[], Vec::as_slice);
        (minimum, periods_within(existing, regions, activities, endings, minimum))
    };
    policy.minimums_ever().into_iter().map(of_minimum).collect()
}

/// Whether the stored periods are others; a minimum without periods has no rows.
fn is_different(old: &PeriodsByMinimum, new: &PeriodsByMinimum) -> bool {
    let occupied = |periods: &PeriodsByMinimum| -> PeriodsByMinimum {
        periods.iter().filter(|(_, periods)| !periods.is_empty()).map(|(key, value)| (*key, value.clone())).collect()
    };
    occupied(old) != occupied(new)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::servicing::PeriodEndCause;

    use super::*;

    fn at(text: &str) -> Instant {
        format!("{text}T12:00:00Z").parse().expect("a time")
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
