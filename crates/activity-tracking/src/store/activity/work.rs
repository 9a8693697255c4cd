//! What was done for pairs, by whom and with what tool: counted, not shown.

use std::collections::BTreeMap;

use domain::access::EmployeeId;
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, JoinType, SelectStatement};
use sea_orm::{Condition, FromQueryResult};
use service_kit::{ServiceError, StoredInstant};

use super::listing::unindexed;
use crate::entity::activity::{Column, Entity};
use crate::store::asked::{ask, asked_since, from_pairs, is_asked};
use crate::store::{Pair, hub_id};

/// What one employee has done with one tool for a pair that counted by an instant.
#[derive(Debug, Clone)]
pub(crate) struct CountedWork {
    pub employee: EmployeeId,
    pub tool: String,
    /// How many of the activities live at the instant.
    pub live_activities: u64,
    pub activities: u64,
    pub last_time: Instant,
}

#[derive(FromQueryResult)]
struct CountedWorkRow {
    client_id: i64,
    partner_id: i64,
    employee_id: Uuid,
    tool: String,
    live_activities: i64,
    activities: i64,
    last_time: StoredInstant,
}

#[derive(FromQueryResult)]
struct NotCountedWorkRow {
    client_id: i64,
    partner_id: i64,
    employee_id: Uuid,
    activities: i64,
}

/// What has counted by `as_of` for each of these pairs. Each is asked about with the instant since when everything has
/// occurred that lives at `as_of`, absent where nothing does.
pub(crate) async fn counted_work<C: ConnectionTrait>(
    connection: &C,
    pairs: &[(Pair, Option<Instant>)],
    as_of: Instant,
) -> Result<BTreeMap<Pair, Vec<CountedWork>>, ServiceError> {
    let lives = Condition::all()
        .add(Expr::col((Entity, Column::OccurTime)).gte(asked_since()))
        .add(Column::ExpireTime.gt(StoredInstant::from(as_of)));
    let query = |some: &[_]| {
        by_employee(some)
            .column((Entity, Column::Tool))
            .add_group_by([Expr::col((Entity, Column::Tool))])
            .expr_as(Expr::Case(Box::new(Expr::case(lives.clone(), 1))).count(), "live_activities")
            .expr_as(Column::OccurTime.max(), "last_time")
            .and_where(Column::ExpireTime.is_not_null())
            .and_where(Column::OccurTime.lte(StoredInstant::from(as_of)))
            .take()
    };
    let mut found: BTreeMap<Pair, Vec<CountedWork>> = BTreeMap::new();
    for row in ask::<_, _, CountedWorkRow>(connection, pairs, query).await? {
        let pair = Pair { client: hub_id(row.client_id)?, partner: hub_id(row.partner_id)? };
        found.entry(pair).or_default().push(CountedWork {
            employee: EmployeeId(row.employee_id),
            tool: row.tool,
            live_activities: row.live_activities.unsigned_abs(),
            activities: row.activities.unsigned_abs(),
            last_time: row.last_time.into(),
        });
    }
    Ok(found)
}

/// How many activities of each employee had occurred by `as_of` for each of these pairs and do not count, for a reason or
/// because they were taken back.
pub(crate) async fn not_counted_work<C: ConnectionTrait>(
    connection: &C,
    pairs: &[Pair],
    as_of: Instant,
) -> Result<BTreeMap<Pair, BTreeMap<EmployeeId, u64>>, ServiceError> {
    let pairs: Vec<(Pair, Option<Instant>)> = pairs.iter().map(|pair| (*pair, None)).collect();
    let query = |some: &[_]| {
        by_employee(some)
            .and_where(Column::ExpireTime.is_null())
            // Follows from the pair; said for the index of what is attributed and does not count, in whose order it is
            // grouped. By the time another would be taken, which has everybody's.
            .and_where(Column::PartnerId.is_not_null())
            .and_where(unindexed(Column::OccurTime).lte(StoredInstant::from(as_of)))
            .take()
    };
    let mut found: BTreeMap<Pair, BTreeMap<EmployeeId, u64>> = BTreeMap::new();
    for row in ask::<_, _, NotCountedWorkRow>(connection, &pairs, query).await? {
        let pair = Pair { client: hub_id(row.client_id)?, partner: hub_id(row.partner_id)? };
        found.entry(pair).or_default().insert(EmployeeId(row.employee_id), row.activities.unsigned_abs());
    }
    Ok(found)
}

/// How much was done for these pairs, by pair and employee.
fn by_employee(pairs: &[(Pair, Option<Instant>)]) -> SelectStatement {
    let key = [Column::ClientId, Column::PartnerId, Column::EmployeeId];
    from_pairs(pairs)
        .join(JoinType::InnerJoin, Entity, is_asked(Column::ClientId, Column::PartnerId))
        .columns(key.map(|column| (Entity, column)))
        .add_group_by(key.map(|column| Expr::col((Entity, column))))
        .expr_as(Column::EmployeeId.count(), "activities")
        .take()
}
