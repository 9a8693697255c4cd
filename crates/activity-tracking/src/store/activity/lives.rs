//! What counts for pairs, as far as their periods are concerned.

use std::collections::BTreeMap;

use domain::policy::Policy;
use domain::servicing::CountedActivity;
use domain::time::{Instant, Period};
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder as _, QuerySelect as _};
use service_kit::{ServiceError, StoredInstant};

use super::counted_of;
use crate::entity::activity::{Column, Entity};
use crate::store::{ALTERNATIVES_PER_QUERY, Pair, hub_id};

/// What counts for each of these pairs and lives, by the policy's windows, at some instant of one of the regions given
/// with it; in no order.
pub(crate) async fn living_in<C: ConnectionTrait>(
    connection: &C,
    policy: &Policy,
    regions: &[(Pair, Vec<Period>)],
) -> Result<BTreeMap<Pair, Vec<CountedActivity>>, ServiceError> {
    let occurred = |(pair, regions): &(Pair, Vec<Period>)| {
        let stretches = occur_times(policy, regions);
        stretches.into_iter().map(|stretch| counted_of(*pair).add(occurred_in(stretch))).collect::<Vec<_>>()
    };
    let alternatives: Vec<Condition> = regions.iter().flat_map(occurred).collect();
    let mut living: BTreeMap<Pair, Vec<CountedActivity>> = BTreeMap::new();
    for some in alternatives.chunks(ALTERNATIVES_PER_QUERY) {
        let any = some.iter().cloned().fold(Condition::any(), Condition::add);
        let rows: Vec<(i64, i64, StoredInstant, StoredInstant)> = Entity::find()
            .select_only()
            .columns([Column::ClientId, Column::PartnerId, Column::OccurTime, Column::ExpireTime])
            .filter(any)
            .into_tuple()
            .all(connection)
            .await?;
        for (client, partner, occur_time, expire_time) in rows {
            let pair = Pair { client: hub_id(client)?, partner: hub_id(partner)? };
            let life = CountedActivity { occur_time: occur_time.into(), expire_time: expire_time.into() };
            living.entry(pair).or_default().push(life);
        }
    }
    Ok(living)
}

/// When an activity must have occurred to live in one of the regions: each instant once, so that no activity is read
/// twice.
fn occur_times(policy: &Policy, regions: &[Period]) -> Vec<Period> {
    let mut stretches: Vec<Period> = regions.iter().flat_map(|region| policy.occurred_for(*region)).collect();
    stretches.sort_unstable_by_key(|stretch| stretch.start);
    let mut distinct: Vec<Period> = Vec::new();
    for stretch in stretches {
        match distinct.last_mut() {
            Some(last) if last.end.is_none_or(|end| stretch.start <= end) => {
                last.end = last.end.zip(stretch.end).map(|(one, other)| one.max(other));
            }
            _ => distinct.push(stretch),
        }
    }
    distinct
}

fn occurred_in(stretch: Period) -> Condition {
    let before_end = stretch.end.map(|end| Column::OccurTime.lt(StoredInstant::from(end)));
    Condition::all().add(Column::OccurTime.gte(StoredInstant::from(stretch.start))).add_option(before_end)
}

/// When the last of all that counts for a pair occurred.
pub(crate) async fn last_counted_time<C: ConnectionTrait>(
    connection: &C,
    pair: Pair,
) -> Result<Option<Instant>, ServiceError> {
    let last: Option<StoredInstant> = Entity::find()
        .select_only()
        .column(Column::OccurTime)
        .filter(counted_of(pair))
        .order_by_desc(Column::OccurTime)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(last.map(Instant::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u32) -> Instant {
        format!("2025-01-{number:02}T00:00:00Z").parse().expect("a day")
    }

    #[test]
    fn regions_that_are_near_are_read_once() {
        let policy = Policy::embedded();
        let near = [Period::between(day(1), day(2)), Period::between(day(10), day(11))];
        let stretches = occur_times(&policy, &near);
        assert_eq!(stretches.len(), 1);
        assert_eq!(stretches[0].end, Some(day(11)));
        let goes_on = [Period::since(day(1)), Period::between(day(10), day(11))];
        assert_eq!(occur_times(&policy, &goes_on).len(), 1);
    }
}
