//! What counts for pairs, as far as their periods are concerned.

use std::collections::BTreeMap;

use domain::servicing::CountedActivity;
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QuerySelect as _};
use service_kit::{ServiceError, StoredInstant};

use super::{counted_of, of_pair};
use crate::entity::activity::{Column, Entity};
use crate::store::{ALTERNATIVES_PER_QUERY, Pair, hub_id};

/// What counts for each of these pairs and had not expired by the instant given with it, in no order.
pub(crate) async fn counted_since<C: ConnectionTrait>(
    connection: &C,
    pairs: &[(Pair, Instant)],
) -> Result<BTreeMap<Pair, Vec<CountedActivity>>, ServiceError> {
    let mut counted: BTreeMap<Pair, Vec<CountedActivity>> = BTreeMap::new();
    for some in pairs.chunks(ALTERNATIVES_PER_QUERY) {
        let any = some.iter().fold(Condition::any(), |any, (pair, from)| {
            any.add(of_pair(*pair).add(Column::ExpireTime.gt(StoredInstant::from(*from))))
        });
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
            counted.entry(pair).or_default().push(life);
        }
    }
    Ok(counted)
}

/// When the last of all that counts for a pair occurred.
pub(crate) async fn last_counted_time<C: ConnectionTrait>(
    connection: &C,
    pair: Pair,
) -> Result<Option<Instant>, ServiceError> {
    let last: Option<Option<StoredInstant>> = Entity::find()
        .select_only()
        .column_as(Column::OccurTime.max(), "last")
        .filter(counted_of(pair))
        .into_tuple()
        .one(connection)
        .await?;
    Ok(last.flatten().map(Instant::from))
}
