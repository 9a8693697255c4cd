//! What counts for pairs, as far as their periods are concerned.

use std::collections::BTreeMap;

use domain::policy::Policy;
use domain::servicing::CountedActivity;
use domain::time::{Instant, Period};
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, DbBackend, FromQueryResult, QueryOrder as _, QuerySelect as _};
use service_kit::{ServiceError, StoredInstant};

use super::counted_of;
use crate::entity::activity::{Column, Entity};
use crate::store::asked::{ask, is_in_asked_stretch, rows_of_stretches};
use crate::store::{Pair, hub_id};

/// What counts for each of these pairs and lives, by the policy's windows, at some instant of one of the regions given
/// with it; in no order.
pub(crate) async fn living_in<C: ConnectionTrait>(
    connection: &C,
    policy: &Policy,
    regions: &[(Pair, Vec<Period>)],
) -> Result<BTreeMap<Pair, Vec<CountedActivity>>, ServiceError> {
    let occurred = |(pair, regions): &(Pair, Vec<Period>)| {
        occur_times(policy, regions).into_iter().map(|stretch| (*pair, stretch)).collect::<Vec<_>>()
    };
    let stretches: Vec<(Pair, Period)> = regions.iter().flat_map(occurred).collect();
    let columns = [Column::ClientId, Column::PartnerId, Column::OccurTime, Column::ExpireTime];
    let query = |some: &[_]| {
        rows_of_stretches(Entity, some, Column::ClientId, Column::PartnerId)
            .columns(columns.map(|column| (Entity, column)))
            .cond_where(is_in_asked_stretch(Column::OccurTime))
            .cond_where(is_within(some, connection.get_database_backend()))
            // What counts has an index of its own.
            .and_where(Column::ExpireTime.is_not_null())
            .take()
    };
    let mut living: BTreeMap<Pair, Vec<CountedActivity>> = BTreeMap::new();
    for Counted { client_id, partner_id, occur_time, expire_time } in ask(connection, &stretches, query).await? {
        let pair = Pair { client: hub_id(client_id)?, partner: hub_id(partner_id)? };
        let life = CountedActivity { occur_time: occur_time.into(), expire_time: expire_time.into() };
        living.entry(pair).or_default().push(life);
    }
    Ok(living)
}

/// That an activity occurred between the first and the last instant that any stretch holds. Each says it for itself; said
/// of all of them, PostgreSQL knows in which months it has to look where the table is divided so (`partitions`). SQLite,
/// which has no months, enters an index by one bound on each side, and is to take that of the stretch.
fn is_within(stretches: &[(Pair, Period)], backend: DbBackend) -> Condition {
    let all = Condition::all();
    if backend != DbBackend::Postgres {
        return all;
    }
    let start = stretches.iter().map(|(_, stretch)| stretch.start).min();
    let ends: Option<Vec<Instant>> = stretches.iter().map(|(_, stretch)| stretch.end).collect();
    let end = ends.and_then(|ends| ends.into_iter().max());
    all.add_option(start.map(|start| Column::OccurTime.gte(StoredInstant::from(start))))
        .add_option(end.map(|end| Column::OccurTime.lt(StoredInstant::from(end))))
}

/// What a row says of something that counts.
#[derive(FromQueryResult)]
struct Counted {
    client_id: i64,
    partner_id: i64,
    occur_time: StoredInstant,
    expire_time: StoredInstant,
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
