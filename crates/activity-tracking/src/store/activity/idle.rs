//! Whether work of people in clients counts, and what they did last: looked up per person, from the newest end.

use std::collections::BTreeMap;

use contracts::ActivityName;
use domain::access::HubId;
use domain::time::{Instant, Period};
use sea_orm::sea_query::{Expr, ExprTrait as _, Order, Query, SelectStatement, SubQueryStatement, UnionType};
use sea_orm::{ColumnTrait as _, ConnectionTrait, FromQueryResult};
use service_kit::{ServiceError, StoredInstant};

use super::VOIDED;
use super::listing::unindexed;
use crate::entity::activity::{Column, Entity};
use crate::store::asked::{ask, asked_client, asked_since, asked_whose, from_people, is_asked};
use crate::store::{PersonInClient, hub_id};

/// What one person has done in one client for a partner by an instant.
#[derive(Debug, Clone)]
pub(crate) struct WorkOfPerson {
    /// Whether any of it lives at the instant.
    pub is_counting: bool,
    /// Of what has ever counted, that which expires last.
    pub last_counted: Option<ActivityName>,
    /// The last that does not count and was not taken back.
    pub last_not_counted: Option<ActivityName>,
}

/// The columns of a `WorkOfPerson`.
#[derive(FromQueryResult)]
struct WorkRow {
    client_id: i64,
    address: String,
    is_counting: bool,
    last_counted: Option<String>,
    last_not_counted: Option<String>,
}

/// What these people have done by `as_of` in these clients that is attributed to a partner. Each is asked about with the
/// instant since when everything has occurred that lives there for the partner, absent where nothing does; `stretches` are
/// all occur times until `as_of`, each under one window.
pub(crate) async fn work_of_people<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
    people: &[(PersonInClient, Option<Instant>)],
    stretches: &[Period],
    as_of: Instant,
) -> Result<BTreeMap<PersonInClient, WorkOfPerson>, ServiceError> {
    let by_person = ByPerson { partner, as_of };
    let query = |some: &[_]| {
        from_people(some)
            .expr_as(asked_client(), "client_id")
            .expr_as(asked_whose(), "address")
            .expr_as(by_person.is_counting(), "is_counting")
            .expr_as(by_person.last_counted(stretches), "last_counted")
            .expr_as(by_person.last_not_counted(), "last_not_counted")
            .take()
    };
    let mut found = BTreeMap::new();
    for row in ask::<_, _, WorkRow>(connection, people, query).await? {
        let client = hub_id(row.client_id)?;
        let named = |id: Option<String>| id.map(|id| id.parse().map(|activity| ActivityName { client, activity }));
        let work = WorkOfPerson {
            is_counting: row.is_counting,
            last_counted: named(row.last_counted).transpose().map_err(ServiceError::stored)?,
            last_not_counted: named(row.last_not_counted).transpose().map_err(ServiceError::stored)?,
        };
        found.insert((client, row.address.parse().map_err(ServiceError::stored)?), work);
    }
    Ok(found)
}

/// What the asked person did for a partner by an instant.
#[derive(Clone, Copy)]
struct ByPerson {
    partner: HubId,
    as_of: Instant,
}

impl ByPerson {
    /// In the index of people in clients: a partner that is busy there has more than the person.
    fn done(self) -> SelectStatement {
        Query::select()
            .from(Entity)
            .cond_where(is_asked(Column::ClientId, Column::Address))
            .and_where(unindexed(Column::PartnerId).eq(self.partner.get()))
            .and_where(Column::OccurTime.lte(StoredInstant::from(self.as_of)))
            .take()
    }

    fn is_counting(self) -> Expr {
        let living = self
            .done()
            .expr(Expr::val(1))
            .and_where(Expr::col((Entity, Column::OccurTime)).gte(asked_since()))
            .and_where(Column::ExpireTime.gt(StoredInstant::from(self.as_of)))
            .take();
        Expr::exists(living)
    }

    /// Of each stretch only the last is looked at: under one window, what occurs last expires last.
    fn last_counted(self, stretches: &[Period]) -> Expr {
        let key = [Column::ActivityId, Column::ExpireTime];
        let last = |stretch: &Period| {
            let counted = self
                .done()
                .columns(key)
                .and_where(Column::ExpireTime.is_not_null())
                .and_where(Column::OccurTime.gte(StoredInstant::from(stretch.start)))
                .and_where_option(stretch.end.map(|end| Column::OccurTime.lt(StoredInstant::from(end))))
                .take();
            Query::select().columns(key).from_subquery(newest(counted), "stretch").take()
        };
        let all = stretches.iter().map(last).reduce(|mut all, other| all.union(UnionType::All, other).take());
        let Some(all) = all else { return Expr::val(None::<String>) };
        let last = Query::select()
            .column(Column::ActivityId)
            .from_subquery(all, "counted")
            .order_by(Column::ExpireTime, Order::Desc)
            .limit(1)
            .take();
        SubQueryStatement::from(last).into()
    }

    fn last_not_counted(self) -> Expr {
        let not_counted = self
            .done()
            .column(Column::ActivityId)
            .and_where(Column::ExpireTime.is_null())
            .and_where(Column::Verdict.ne(VOIDED))
            .take();
        SubQueryStatement::from(newest(not_counted)).into()
    }
}

fn newest(mut query: SelectStatement) -> SelectStatement {
    query.order_by(Column::OccurTime, Order::Desc).order_by(Column::ActivityId, Order::Desc).limit(1).take()
}
