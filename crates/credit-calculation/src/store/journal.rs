//! What a message of a copied feed changes, told by client and partner, so that whoever holds facts in memory reads only
//! those again.

use std::collections::BTreeSet;

use contracts::Feed;
use domain::access::{AccessChange, HubId};
use sea_orm::ActiveValue::Set;
use sea_orm::Statement;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use service_kit::feed::Cursor;
use service_kit::{ServiceError, StoredInstant, stored_position};

use super::KEYS_PER_STATEMENT;
use crate::entity::{changed_pair, copy_journal};

/// Moves a journal along with the cursor. One that does not stand where the cursor stood has missed changes that a version
/// without a journal took over: it begins another generation.
const MOVE: &str = "UPDATE copy_journal SET position = $2, caught_up_time = $3, generation = generation + \
                    CASE WHEN position = $4 AND caught_up_time IS NOT DISTINCT FROM $5 AND NOT $6 THEN 0 ELSE 1 END \
                    WHERE feed = $1";

/// What stands in place of a client where it is about the people of a partner.
const PEOPLE: i64 = -1;

/// Whom facts are about that have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Changed {
    /// A client itself, whoever the partner.
    Client(HubId),
    /// A partner itself.
    Partner(HubId),
    /// Somebody who is or was a partner's employee.
    People(HubId),
    /// What a partner has to do with a client, and so what the client is worth to others.
    Pair {
        /// The client.
        client: HubId,
        /// The partner.
        partner: HubId,
    },
}

impl Changed {
    /// What the columns say.
    pub fn from_columns(client: i64, partner: i64) -> Result<Self, ServiceError> {
        let hub_id = super::hub_id;
        Ok(match (client, partner) {
            (PEOPLE, partner) => Self::People(hub_id(partner)?),
            (client, 0) => Self::Client(hub_id(client)?),
            (0, partner) => Self::Partner(hub_id(partner)?),
            (client, partner) => Self::Pair { client: hub_id(client)?, partner: hub_id(partner)? },
        })
    }

    const fn columns(self) -> (i64, i64) {
        match self {
            Self::Client(client) => (client.get(), 0),
            Self::Partner(partner) => (0, partner.get()),
            Self::People(partner) => (PEOPLE, partner.get()),
            Self::Pair { client, partner } => (client.get(), partner.get()),
        }
    }
}

/// The partners of whom changes of access tell something that is about no client.
pub(crate) fn changed_partners(changes: &[AccessChange]) -> BTreeSet<Changed> {
    let facts = changes.iter().map(|change| &change.fact).filter(|fact| fact.client().is_none());
    let changed = facts.filter_map(|fact| {
        let partner = fact.partner()?;
        Some(if fact.address().is_some() { Changed::People(partner) } else { Changed::Partner(partner) })
    });
    changed.collect()
}

/// How a copy goes from one cursor to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'cursors> {
    pub before: &'cursors Cursor,
    pub after: &'cursors Cursor,
    /// Whether it changes what is not told one by one.
    pub begins_anew: bool,
}

/// Notes what changes while a copy goes from one cursor to the next, in the transaction that does it.
pub(crate) async fn keep<C: ConnectionTrait>(
    transaction: &C,
    Step { before, after, begins_anew }: Step<'_>,
    changed: &BTreeSet<Changed>,
) -> Result<(), DbErr> {
    use changed_pair::{ActiveModel, Column, Entity};
    let (feed, position) = (after.feed.as_str(), stored_position(after.position));
    let row = |changed: Changed| {
        let (client, partner) = changed.columns();
        let (client_id, partner_id) = (Set(client), Set(partner));
        ActiveModel { feed: Set(feed.to_owned()), client_id, partner_id, position: Set(position) }
    };
    let rows: Vec<ActiveModel> = changed.iter().copied().map(row).collect();
    for some in rows.chunks(KEYS_PER_STATEMENT) {
        let key = OnConflict::columns([Column::Feed, Column::ClientId, Column::PartnerId])
            .update_column(Column::Position)
            .to_owned();
        Entity::insert_many(some.to_vec()).on_conflict(key).exec_without_returning(transaction).await?;
    }
    let time = |cursor: &Cursor| cursor.caught_up_time.map(|time| StoredInstant::from(time).0);
    let values: [Value; 6] = [
        feed.into(),
        position.into(),
        time(after).into(),
        stored_position(before.position).into(),
        time(before).into(),
        begins_anew.into(),
    ];
    transaction.execute_raw(Statement::from_sql_and_values(transaction.get_database_backend(), MOVE, values)).await?;
    Ok(())
}

/// Begins another generation with the journal of a copy that was built anew in another database.
pub(crate) async fn replace<C: ConnectionTrait>(
    shadow: &C,
    transaction: &impl ConnectionTrait,
    feed: Feed,
) -> Result<(), DbErr> {
    use copy_journal::{Column, Entity};
    let missing = || DbErr::RecordNotFound(format!("copy_journal of {}", feed.as_str()));
    let rebuilt = Entity::find_by_id(feed.as_str()).one(shadow).await?.ok_or_else(missing)?;
    Entity::update_many()
        .col_expr(Column::Position, Expr::val(rebuilt.position))
        .col_expr(Column::CaughtUpTime, Expr::val(rebuilt.caught_up_time.map(|time| time.0)))
        .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
        .filter(Column::Feed.eq(feed.as_str()))
        .exec(transaction)
        .await?;
    Ok(())
}
