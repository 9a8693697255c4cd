//! Pairs: the rows that are locked while their periods change.

use std::collections::BTreeMap;

use domain::access::HubId;
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ActiveValue::Set, Condition, QueryOrder as _, QuerySelect as _, Select};
use service_kit::{ServiceError, StoredInstant};

use super::{ALTERNATIVES_PER_QUERY, Pair, ROWS_PER_INSERT, Stretch, hub_id};
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

fn find(some: &[Pair]) -> Select<Entity> {
    let any = some.iter().fold(Condition::any(), |any, pair| {
        let this = Condition::all().add(Column::ClientId.eq(pair.client.get()));
        any.add(this.add(Column::PartnerId.eq(pair.partner.get())))
    });
    Entity::find().filter(any).order_by_asc(Column::ClientId).order_by_asc(Column::PartnerId)
}

/// Makes a row for each pair that has none. The pairs must be sorted.
pub(crate) async fn create_missing<C: ConnectionTrait>(transaction: &C, pairs: &[Pair]) -> Result<(), DbErr> {
    for some in pairs.chunks(ROWS_PER_INSERT) {
        let key = OnConflict::columns([Column::ClientId, Column::PartnerId]).do_nothing().to_owned();
        let rows = Entity::insert_many(some.iter().map(|pair| row(*pair, None))).on_conflict(key);
        rows.exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// Holds the rows of these pairs until the transaction ends; answers when the last activity of each occurred. The pairs
/// must be sorted, so that two transactions never wait for each other in a circle.
pub(crate) async fn lock<C: ConnectionTrait>(
    transaction: &C,
    pairs: &[Pair],
) -> Result<BTreeMap<Pair, Option<Instant>>, ServiceError> {
    read(transaction, pairs, Select::lock_exclusive).await
}

/// When the last activity of each of these pairs occurred; without those that have no row, for whom nothing ever counted.
pub(crate) async fn last_activity_times<C: ConnectionTrait>(
    connection: &C,
    pairs: &[Pair],
) -> Result<BTreeMap<Pair, Option<Instant>>, ServiceError> {
    read(connection, pairs, |query| query).await
}

async fn read<C: ConnectionTrait>(
    connection: &C,
    pairs: &[Pair],
    how: fn(Select<Entity>) -> Select<Entity>,
) -> Result<BTreeMap<Pair, Option<Instant>>, ServiceError> {
    let mut times = BTreeMap::new();
    for some in pairs.chunks(ALTERNATIVES_PER_QUERY) {
        for row in how(find(some)).all(connection).await? {
            times.insert(pair(&row)?, row.last_activity_time.map(Instant::from));
        }
    }
    Ok(times)
}

/// Stores when the last activity of a pair occurred.
pub(crate) async fn save_last_activity_time<C: ConnectionTrait>(
    transaction: &C,
    pair: Pair,
    last_activity_time: Option<Instant>,
) -> Result<(), DbErr> {
    Entity::update(row(pair, last_activity_time)).exec(transaction).await?;
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
