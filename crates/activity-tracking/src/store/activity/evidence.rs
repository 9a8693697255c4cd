//! What counts for pairs and what does not, as evidence for people.

use std::collections::{BTreeMap, BTreeSet};

use contracts::ActivityName;
use domain::access::{EmailAddress, EmployeeId};
use domain::servicing::CountedActivity;
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, FromQueryResult, QueryOrder as _, QuerySelect as _, Select};
use service_kit::{ServiceError, StoredInstant};

use super::{Recorded, counted_of, recorded};
use crate::entity::activity::{Column, Entity};
use crate::store::{ADDRESSES_PER_QUERY, ALTERNATIVES_PER_QUERY, Pair, hub_id};

/// An activity that counts, as far as servicing is concerned.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    pub name: ActivityName,
    pub address: EmailAddress,
    pub employee: Option<EmployeeId>,
    pub life: CountedActivity,
}

/// The columns of a `Counted`.
#[derive(FromQueryResult)]
struct CountedRow {
    client_id: i64,
    partner_id: i64,
    activity_id: String,
    address: String,
    employee_id: Option<Uuid>,
    occur_time: StoredInstant,
    expire_time: StoredInstant,
}

/// Everything that counts for each of these pairs and had occurred by `as_of`, in the order of time.
pub(crate) async fn counted_by<C: ConnectionTrait>(
    connection: &C,
    pairs: &[Pair],
    as_of: Instant,
) -> Result<BTreeMap<Pair, Vec<Counted>>, ServiceError> {
    let mut counted: BTreeMap<Pair, Vec<Counted>> = BTreeMap::new();
    for some in pairs.chunks(ALTERNATIVES_PER_QUERY) {
        let any = some.iter().fold(Condition::any(), |any, pair| any.add(counted_of(*pair)));
        let rows = Entity::find()
            .select_only()
            .columns([Column::ClientId, Column::PartnerId, Column::ActivityId, Column::Address, Column::EmployeeId])
            .columns([Column::OccurTime, Column::ExpireTime])
            .filter(any)
            .filter(Column::OccurTime.lte(StoredInstant::from(as_of)))
            .order_by_asc(Column::OccurTime)
            .order_by_asc(Column::ActivityId)
            .into_model::<CountedRow>()
            .all(connection)
            .await?;
        for row in rows {
            let pair = Pair { client: hub_id(row.client_id)?, partner: hub_id(row.partner_id)? };
            counted.entry(pair).or_default().push(Counted {
                name: ActivityName {
                    client: pair.client,
                    activity: row.activity_id.parse().map_err(ServiceError::stored)?,
                },
                address: row.address.parse().map_err(ServiceError::stored)?,
                employee: row.employee_id.map(EmployeeId),
                life: CountedActivity { occur_time: row.occur_time.into(), expire_time: row.expire_time.into() },
            });
        }
    }
    Ok(counted)
}

/// What does not count of a partner's people in a client: theirs by the verdict, or nobody's and of one of `addresses`.
fn not_counted(pair: Pair, addresses: &[&EmailAddress], as_of: Instant) -> Select<Entity> {
    let theirs = Condition::any().add(Column::PartnerId.eq(pair.partner.get())).add(Column::PartnerId.is_null());
    Entity::find()
        .filter(Column::ClientId.eq(pair.client.get()))
        .filter(Column::Address.is_in(addresses.iter().map(|address| address.as_str())))
        .filter(Column::ExpireTime.is_null())
        .filter(theirs)
        .filter(Column::OccurTime.lte(StoredInstant::from(as_of)))
}

/// The newest activities of these people that do not count and had occurred by `as_of`, newest first.
pub(crate) async fn newest_not_counted<C: ConnectionTrait>(
    connection: &C,
    pair: Pair,
    addresses: &BTreeSet<EmailAddress>,
    as_of: Instant,
    limit: usize,
) -> Result<Vec<Recorded>, ServiceError> {
    let addresses: Vec<&EmailAddress> = addresses.iter().collect();
    let mut newest = Vec::new();
    for some in addresses.chunks(ADDRESSES_PER_QUERY) {
        let query = not_counted(pair, some, as_of)
            .order_by_desc(Column::OccurTime)
            .order_by_desc(Column::ActivityId)
            .limit(limit as u64);
        newest.extend(query.all(connection).await?);
        newest.sort_by(|one, other| (other.occur_time, &other.activity_id).cmp(&(one.occur_time, &one.activity_id)));
        newest.truncate(limit);
    }
    newest.iter().map(recorded).collect()
}

/// How many activities of each employee do not count and had occurred by `as_of`, with the employee's address.
pub(crate) async fn not_counted_per_employee<C: ConnectionTrait>(
    connection: &C,
    pair: Pair,
    addresses: &BTreeSet<EmailAddress>,
    as_of: Instant,
) -> Result<Vec<(EmployeeId, EmailAddress, i64)>, ServiceError> {
    let addresses: Vec<&EmailAddress> = addresses.iter().collect();
    let mut counts = Vec::new();
    for some in addresses.chunks(ADDRESSES_PER_QUERY) {
        let rows: Vec<(Uuid, String, i64)> = not_counted(pair, some, as_of)
            .select_only()
            .columns([Column::EmployeeId, Column::Address])
            .column_as(Column::ActivityId.count(), "activities")
            .filter(Column::EmployeeId.is_not_null())
            .group_by(Column::EmployeeId)
            .group_by(Column::Address)
            .into_tuple()
            .all(connection)
            .await?;
        for (employee, address, count) in rows {
            counts.push((EmployeeId(employee), address.parse().map_err(ServiceError::stored)?, count));
        }
    }
    Ok(counts)
}
