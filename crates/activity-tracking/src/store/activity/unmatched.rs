//! Who has worked in clients so that it does not count, and how much.

use domain::access::{EmailAddress, HubId};
use domain::activity::{NotCountedReason, UnmatchedWork};
use domain::time::Instant;
use sea_orm::FromQueryResult;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{
    CommonTableExpression, Expr, ExprTrait as _, JoinType, Query, SelectStatement, SubQueryStatement, UnionType,
    WithClause,
};
use service_kit::{ServiceError, StoredInstant};

use crate::entity::activity::{Column, Entity};
use crate::store::asked::{ask, from_people, is_asked};
use crate::store::{PersonInClient, hub_id};

/// The next addresses that ever worked in a client, at most `limit`, behind `after`; each is found by one step in an index,
/// however much it did.
pub(crate) async fn addresses_at_work<C: ConnectionTrait>(
    connection: &C,
    client: HubId,
    after: Option<&EmailAddress>,
    limit: u64,
) -> Result<Vec<EmailAddress>, ServiceError> {
    const AT_WORK: &str = "at_work";
    let address = || Expr::col((AT_WORK, Column::Address));
    let mut all = next_address(client, after.map(|after| Expr::value(after.as_str())));
    let next = Query::select()
        .expr_as(Expr::from(SubQueryStatement::from(next_address(client, Some(address())))), Column::Address)
        .from(AT_WORK)
        .and_where(address().is_not_null())
        .take();
    all.union(UnionType::All, next);
    let mut at_work = CommonTableExpression::new();
    at_work.table_name(AT_WORK).column(Column::Address).query(all);
    let query = Query::select()
        .expr_as(address(), Column::Address)
        .from(AT_WORK)
        .and_where(address().is_not_null())
        .limit(limit)
        .take()
        .with(WithClause::new().recursive(true).cte(at_work).to_owned());
    let rows = connection.query_all(&query).await?;
    let address = |row: &QueryResult| -> Result<EmailAddress, ServiceError> {
        row.try_get::<String>("", Column::Address.as_str())?.parse().map_err(ServiceError::stored)
    };
    rows.iter().map(address).collect()
}

/// The first address of a client, behind `after`.
fn next_address(client: HubId, after: Option<Expr>) -> SelectStatement {
    Query::select()
        .expr_as(Expr::col((Entity, Column::Address)).min(), Column::Address)
        .from(Entity)
        .and_where(Column::ClientId.eq(client.get()))
        .and_where_option(after.map(|after| Expr::col((Entity, Column::Address)).gt(after)))
        .take()
}

/// The columns of an `UnmatchedWork`.
#[derive(FromQueryResult)]
struct UnmatchedRow {
    client_id: i64,
    address: String,
    verdict: String,
    activities: i64,
    first_time: StoredInstant,
    last_time: StoredInstant,
}

/// What these people did in these clients from `from` until `as_of`, both included, that does not count for one of these
/// reasons.
pub(crate) async fn unmatched_work<C: ConnectionTrait>(
    connection: &C,
    people: Vec<PersonInClient>,
    reasons: &[NotCountedReason],
    from: Instant,
    as_of: Instant,
) -> Result<Vec<UnmatchedWork>, ServiceError> {
    let people: Vec<(PersonInClient, Option<Instant>)> = people.into_iter().map(|person| (person, None)).collect();
    let key = [Column::ClientId, Column::Address, Column::Verdict].map(|column| (Entity, column));
    let query = |some: &[_]| {
        from_people(some)
            .join(JoinType::InnerJoin, Entity, is_asked(Column::ClientId, Column::Address))
            .columns(key)
            .add_group_by(key.map(Expr::col))
            .expr_as(Column::ActivityId.count(), "activities")
            .expr_as(Column::OccurTime.min(), "first_time")
            .expr_as(Column::OccurTime.max(), "last_time")
            .and_where(Column::OccurTime.between(StoredInstant::from(from), StoredInstant::from(as_of)))
            .and_where(Column::ExpireTime.is_null())
            .and_where(Column::Verdict.is_in(reasons.iter().map(|reason| reason.as_str())))
            .take()
    };
    let work = |row: UnmatchedRow| {
        Ok(UnmatchedWork {
            client: hub_id(row.client_id)?,
            address: row.address.parse().map_err(ServiceError::stored)?,
            reason: row.verdict.parse().map_err(ServiceError::stored)?,
            activities: row.activities.unsigned_abs(),
            first_time: row.first_time.into(),
            last_time: row.last_time.into(),
        })
    };
    ask(connection, &people, query).await?.into_iter().map(work).collect()
}
