//! What counts for a pair and what does not, as evidence for people: the newest of each.

use std::collections::BTreeSet;

use contracts::ActivityName;
use domain::access::EmailAddress;
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Order, Query, SelectStatement, UnionType};
use sea_orm::{Condition, FromQueryResult, QueryOrder as _, QuerySelect as _};
use service_kit::{ServiceError, StoredInstant};

use super::{Recorded, counted_of, find, recorded};
use crate::entity::activity::{Column, Entity};
use crate::store::{ALTERNATIVES_PER_QUERY, Pair};

/// The newest activities that count for a pair and had occurred by `as_of`, newest first.
pub(crate) async fn newest_counted<C: ConnectionTrait>(
    connection: &C,
    pair: Pair,
    as_of: Instant,
    limit: u32,
) -> Result<Vec<Recorded>, ServiceError> {
    let rows = Entity::find()
        .filter(counted_of(pair))
        .filter(Column::OccurTime.lte(StoredInstant::from(as_of)))
        .order_by_desc(Column::OccurTime)
        .order_by_desc(Column::ActivityId)
        .limit(u64::from(limit))
        .all(connection)
        .await?;
    rows.iter().map(recorded).collect()
}

/// The place of an activity in the time of a client, and its id.
#[derive(FromQueryResult, PartialEq, Eq, PartialOrd, Ord)]
struct PlaceRow {
    occur_time: StoredInstant,
    activity_id: String,
}

/// The newest activities of these people in the pair's client that do not count and had occurred by `as_of`, newest first:
/// the partner's by the verdict, or nobody's. Of each person only the newest are looked at.
pub(crate) async fn newest_not_counted<C: ConnectionTrait>(
    connection: &C,
    pair: Pair,
    addresses: &BTreeSet<EmailAddress>,
    as_of: Instant,
    limit: u32,
) -> Result<Vec<Recorded>, ServiceError> {
    let addresses: Vec<&EmailAddress> = addresses.iter().collect();
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut newest: Vec<PlaceRow> = Vec::new();
    for some in addresses.chunks(ALTERNATIVES_PER_QUERY) {
        let of_each = some.iter().map(|address| newest_not_counted_of(pair, address, as_of, limit));
        let Some(query) = of_each.reduce(|mut all, other| all.union(UnionType::All, other).take()) else { continue };
        for row in connection.query_all(&query).await? {
            newest.push(PlaceRow::from_query_result(&row, "")?);
        }
        newest.sort_unstable_by(|one, other| other.cmp(one));
        newest.truncate(size);
    }
    let mut names = Vec::new();
    for PlaceRow { activity_id, .. } in newest {
        let activity = activity_id.parse().map_err(ServiceError::stored)?;
        names.push(ActivityName { client: pair.client, activity });
    }
    let mut found = find(connection, &names.iter().cloned().collect()).await?;
    Ok(names.iter().filter_map(|name| found.remove(name)).collect())
}

/// Where the newest of one person are.
fn newest_not_counted_of(pair: Pair, address: &EmailAddress, as_of: Instant, limit: u32) -> SelectStatement {
    let theirs = Condition::any().add(Column::PartnerId.eq(pair.partner.get())).add(Column::PartnerId.is_null());
    let newest = Query::select()
        .columns([Column::OccurTime, Column::ActivityId])
        .from(Entity)
        .and_where(Column::ClientId.eq(pair.client.get()))
        .and_where(Column::Address.eq(address.as_str()))
        .and_where(Column::OccurTime.lte(StoredInstant::from(as_of)))
        .and_where(Column::ExpireTime.is_null())
        .cond_where(theirs)
        .order_by(Column::OccurTime, Order::Desc)
        .order_by(Column::ActivityId, Order::Desc)
        .limit(u64::from(limit))
        .take();
    // A part of a union has an order of its own only within a table of its own.
    Query::select().columns([Column::OccurTime, Column::ActivityId]).from_subquery(newest, "newest").take()
}
