//! What lived for pairs at an instant and what had occurred last: looked up in the index of what counts, from its newest
//! end, whatever had occurred before.

use std::collections::BTreeMap;

use contracts::ActivityName;
use domain::time::{Instant, Period};
use sea_orm::sea_query::{Expr, ExprTrait as _, Order, Query, SelectStatement, SubQueryStatement, UnionType};
use sea_orm::{ColumnTrait as _, ConnectionTrait, FromQueryResult};
use service_kit::{ServiceError, StoredInstant};

use crate::entity::activity::{Column, Entity};
use crate::store::asked::{ask, asked_client, asked_since, asked_whose, from_pairs, is_asked};
use crate::store::{Pair, hub_id};

/// What lives for a pair at an instant.
#[derive(Debug, Clone)]
pub(crate) struct LivesAt {
    pub live_activities: u32,
    /// Of the expire times of what lives, the minimum-th from the latest; absent where fewer live.
    pub lapse_time: Option<Instant>,
    /// The last that had occurred and counts, by time and then id.
    pub last: Option<ActivityName>,
}

/// The columns of a `LivesAt`.
#[derive(FromQueryResult)]
struct LivesRow {
    client_id: i64,
    partner_id: i64,
    live_activities: i64,
    lapse_time: Option<StoredInstant>,
    last_id: Option<String>,
}

/// What lives at `as_of` for each of these pairs, of which an activity had counted by then. Each is asked about with the
/// instant since when everything has occurred that lives, absent where nothing does; `stretches` are those of the occur
/// times of which something can live, each under one window.
pub(crate) async fn lives_at<C: ConnectionTrait>(
    connection: &C,
    pairs: &[(Pair, Option<Instant>)],
    stretches: &[Period],
    minimum: u32,
    as_of: Instant,
) -> Result<BTreeMap<Pair, LivesAt>, ServiceError> {
    let query = |some: &[_]| {
        from_pairs(some)
            .expr_as(asked_client(), "client_id")
            .expr_as(asked_whose(), "partner_id")
            .expr_as(live_activities(stretches), "live_activities")
            .expr_as(lapse_time(stretches, minimum), "lapse_time")
            .expr_as(last_id(as_of), "last_id")
            .take()
    };
    let mut found = BTreeMap::new();
    for row in ask::<_, _, LivesRow>(connection, pairs, query).await? {
        let pair = Pair { client: hub_id(row.client_id)?, partner: hub_id(row.partner_id)? };
        found.insert(pair, lives(pair, row)?);
    }
    Ok(found)
}

fn lives(pair: Pair, row: LivesRow) -> Result<LivesAt, ServiceError> {
    let named = |id: String| id.parse().map(|activity| ActivityName { client: pair.client, activity });
    Ok(LivesAt {
        live_activities: u32::try_from(row.live_activities).unwrap_or(u32::MAX),
        lapse_time: row.lapse_time.map(Instant::from),
        last: row.last_id.map(named).transpose().map_err(ServiceError::stored)?,
    })
}

/// What counts for the asked pair.
fn counted_of_asked() -> SelectStatement {
    let of_asked = is_asked(Column::ClientId, Column::PartnerId).add(Column::ExpireTime.is_not_null());
    Query::select().from(Entity).cond_where(of_asked).take()
}

/// What lives for the asked pair and occurred in the stretch.
fn living_of_asked(stretch: Period) -> SelectStatement {
    let occur_time = || Expr::col((Entity, Column::OccurTime));
    let mut query = counted_of_asked();
    query
        .and_where(occur_time().gte(asked_since()))
        .and_where(occur_time().gte(StoredInstant::from(stretch.start)))
        .and_where_option(stretch.end.map(|end| occur_time().lt(StoredInstant::from(end))));
    query
}

fn live_activities(stretches: &[Period]) -> Expr {
    let count = |stretch: &Period| living_of_asked(*stretch).expr(Expr::col(Column::ActivityId).count()).take();
    stretches.iter().map(count).map(scalar).fold(Expr::val(0_i64), Expr::add)
}

/// Of each stretch only the last ones are looked at: under one window, what occurs last expires last.
fn lapse_time(stretches: &[Period], minimum: u32) -> Expr {
    let last = |stretch: &Period| {
        let last = living_of_asked(*stretch)
            .column((Entity, Column::ExpireTime))
            .order_by((Entity, Column::OccurTime), Order::Desc)
            .limit(minimum.into())
            .take();
        Query::select().column(Column::ExpireTime).from_subquery(last, "stretch").take()
    };
    let Some(all) = stretches.iter().map(last).reduce(|mut all, other| all.union(UnionType::All, other).take()) else {
        return Expr::val(None::<i64>);
    };
    let nth = Query::select()
        .column(Column::ExpireTime)
        .from_subquery(all, "life")
        .order_by(Column::ExpireTime, Order::Desc)
        .limit(1)
        .offset(u64::from(minimum).saturating_sub(1))
        .take();
    scalar(nth)
}

fn last_id(as_of: Instant) -> Expr {
    let last = counted_of_asked()
        .column((Entity, Column::ActivityId))
        .and_where(Column::OccurTime.lte(StoredInstant::from(as_of)))
        .order_by((Entity, Column::OccurTime), Order::Desc)
        .order_by((Entity, Column::ActivityId), Order::Desc)
        .limit(1)
        .take();
    scalar(last)
}

fn scalar(query: SelectStatement) -> Expr {
    SubQueryStatement::from(query).into()
}
