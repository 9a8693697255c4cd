//! Pairs: the rows that are locked while their periods change.

use std::collections::BTreeMap;

use domain::access::HubId;
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, LockType, OnConflict, Order, SelectStatement};
use sea_orm::{ActiveValue::Set, Condition, Iterable as _, QueryOrder as _, QuerySelect as _};
use service_kit::{ServiceError, StoredInstant};

use super::asked::{ask, rows_of_pairs};
use super::{Pair, Stretch, filled, hub_id, portions};
use crate::entity::servicing_pair::{ActiveModel, Column, Entity, Model};

fn row(pair: Pair, last_activity_time: Option<Instant>) -> ActiveModel {
    ActiveModel {
        client_id: Set(pair.client.get()),
        partner_id: Set(pair.partner.get()),
        last_activity_time: Set(last_activity_time.map(StoredInstant::from)),
    }
}

fn pair(row: &Model) -> Result<Pair, ServiceError> {
    Ok(Pair { client: hub_id(row.client_id)?, partner: hub_id(row.partner_id)? })
}

/// Makes a row for each pair that has none. The pairs must be sorted.
pub(crate) async fn create_missing<C: ConnectionTrait>(transaction: &C, pairs: &[Pair]) -> Result<(), DbErr> {
    for some in filled(pairs) {
        let key = OnConflict::columns([Column::ClientId, Column::PartnerId]).do_nothing().to_owned();
        let rows = Entity::insert_many(some.into_iter().map(|pair| row(*pair, None))).on_conflict(key);
        rows.exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// Holds the rows of these pairs until the transaction ends; answers when the last activity of each occurred. They are
/// locked in their order, so that two transactions never wait for each other in a circle.
pub(crate) async fn lock<C: ConnectionTrait>(
    transaction: &C,
    pairs: &[Pair],
) -> Result<BTreeMap<Pair, Option<Instant>>, ServiceError> {
    read(transaction, pairs, |query| query.lock_with_tables(LockType::Update, [Entity]).take()).await
}

/// When the last activity of each of these pairs occurred; without those that have no row, for whom nothing ever counted.
pub(crate) async fn last_activity_times<C: ConnectionTrait>(
    connection: &C,
    pairs: &[Pair],
) -> Result<BTreeMap<Pair, Option<Instant>>, ServiceError> {
    read(connection, pairs, |query| query.take()).await
}

async fn read<C: ConnectionTrait>(
    connection: &C,
    pairs: &[Pair],
    how: fn(&mut SelectStatement) -> SelectStatement,
) -> Result<BTreeMap<Pair, Option<Instant>>, ServiceError> {
    let query = |some: &[_]| {
        how(rows_of_pairs(Entity, some, Column::ClientId, Column::PartnerId)
            .columns(Column::iter().map(|column| (Entity, column)))
            .order_by((Entity, Column::ClientId), Order::Asc)
            .order_by((Entity, Column::PartnerId), Order::Asc))
    };
    let rows: Vec<Model> = ask(connection, pairs, query).await?;
    rows.iter().map(|row| Ok((pair(row)?, row.last_activity_time.map(Instant::from)))).collect()
}

/// Stores when the last activity of each of these pairs occurred, whose rows are held.
pub(crate) async fn save_last_activity_times<C: ConnectionTrait>(
    transaction: &C,
    times: &[(Pair, Option<Instant>)],
) -> Result<(), DbErr> {
    for some in portions(times) {
        // Every row exists, so that this is an update of many rows in one statement.
        let time = OnConflict::columns([Column::ClientId, Column::PartnerId])
            .update_column(Column::LastActivityTime)
            .to_owned();
        let rows = Entity::insert_many(some.iter().map(|(pair, time)| row(*pair, *time))).on_conflict(time);
        rows.exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// When the last activity of each pair of a stretch of clients occurred.
pub(crate) async fn of_stretch<C: ConnectionTrait>(
    connection: &C,
    stretch: Stretch,
) -> Result<BTreeMap<Pair, Option<Instant>>, ServiceError> {
    let rows = Entity::find().filter(stretch.of(Column::ClientId)).all(connection).await?;
    rows.iter().map(|row| Ok((pair(row)?, row.last_activity_time.map(Instant::from)))).collect()
}

/// All pairs of a client.
pub(crate) async fn of_client<C: ConnectionTrait>(connection: &C, client: HubId) -> Result<Vec<Pair>, ServiceError> {
    let rows = Entity::find().filter(Column::ClientId.eq(client.get())).all(connection).await?;
    rows.iter().map(pair).collect()
}

/// The next pairs of a partner, of a client, of both, or of all, at most `limit`, behind the last of those before.
pub(crate) async fn page<C: ConnectionTrait>(
    connection: &C,
    partner: Option<HubId>,
    client: Option<HubId>,
    after: Option<Pair>,
    limit: u64,
) -> Result<Vec<Pair>, ServiceError> {
    // Of one partner or of one client, the other column alone is the order, and an index has it.
    let behind = |after: Pair| match (partner, client) {
        (_, Some(_)) => Column::PartnerId.gt(after.partner.get()),
        (Some(_), None) => Column::ClientId.gt(after.client.get()),
        (None, None) => {
            let place = Expr::tuple([after.client.get().into(), after.partner.get().into()]);
            Expr::tuple([Expr::col(Column::ClientId), Expr::col(Column::PartnerId)]).gt(place)
        }
    };
    let conditions = Condition::all()
        .add_option(partner.map(|partner| Column::PartnerId.eq(partner.get())))
        .add_option(client.map(|client| Column::ClientId.eq(client.get())))
        .add_option(after.map(behind));
    let query = Entity::find().filter(conditions).order_by_asc(Column::ClientId).order_by_asc(Column::PartnerId);
    let rows = query.limit(limit).all(connection).await?;
    rows.iter().map(pair).collect()
}
