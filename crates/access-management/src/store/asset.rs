//! What client users own (R40).

use std::collections::BTreeSet;

use contracts::{AssetName, ClientUserName};
use domain::access::{AssetId, ClientUserId, HubId};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ActiveValue::Set, QueryOrder as _, QuerySelect as _, Select};
use service_kit::ServiceError;

use super::hub_id;
use crate::entity::asset::{ActiveModel, Column, Entity, Model};

/// How many assets one statement writes or names: five columns each, within SQLite's 32,766 parameters.
const ROWS_PER_STATEMENT: usize = 1_000;

/// An asset as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asset {
    pub name: AssetName,
    /// What it is, in the vendor's word.
    pub kind: String,
    pub display_name: String,
    /// A user of its client.
    pub owner: Option<ClientUserId>,
}

fn asset(row: Model) -> Result<Asset, ServiceError> {
    let name = AssetName { client: hub_id(row.client_id)?, asset: asset_id(&row.asset_id)? };
    Ok(Asset { name, kind: row.kind, display_name: row.display_name, owner: row.owner_id.map(ClientUserId) })
}

fn asset_id(stored: &str) -> Result<AssetId, ServiceError> {
    stored.parse().map_err(ServiceError::stored)
}

/// Keeps these assets, each in the place of what was kept under its name.
pub(crate) async fn save<C: ConnectionTrait>(transaction: &C, assets: &[Asset]) -> Result<(), ServiceError> {
    for portion in assets.chunks(ROWS_PER_STATEMENT) {
        let rows = portion.iter().map(|Asset { name, kind, display_name, owner }| ActiveModel {
            client_id: Set(name.client.get()),
            asset_id: Set(name.asset.as_str().to_owned()),
            kind: Set(kind.clone()),
            display_name: Set(display_name.clone()),
            owner_id: Set(owner.map(|owner| owner.0)),
        });
        let replace = OnConflict::columns([Column::ClientId, Column::AssetId])
            .update_columns([Column::Kind, Column::DisplayName, Column::OwnerId])
            .to_owned();
        Entity::insert_many(rows).on_conflict(replace).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// Forgets these assets of a client; unknown ones are none.
pub(crate) async fn delete<C: ConnectionTrait>(
    transaction: &C,
    client: HubId,
    assets: &BTreeSet<AssetId>,
) -> Result<(), ServiceError> {
    if !assets.is_empty() {
        Entity::delete_many()
            .filter(Column::ClientId.eq(client.get()))
            .filter(Column::AssetId.is_in(assets.iter().map(AssetId::as_str)))
            .exec(transaction)
            .await?;
    }
    Ok(())
}

/// How many assets of a client are kept.
pub(crate) async fn count<C: ConnectionTrait>(connection: &C, client: HubId) -> Result<u64, ServiceError> {
    Ok(of_client(client).count(connection).await?)
}

/// The assets of a client behind one of them, by id, at most `limit`; only those of these owners, where they are named.
pub(crate) async fn page<C: ConnectionTrait>(
    connection: &C,
    client: HubId,
    owners: Option<&BTreeSet<ClientUserId>>,
    after: Option<&AssetId>,
    limit: u64,
) -> Result<Vec<Asset>, ServiceError> {
    let mut query = of_client(client);
    if let Some(owners) = owners {
        query = query.filter(Column::OwnerId.is_in(owners.iter().map(|owner| owner.0)));
    }
    if let Some(after) = after {
        query = query.filter(Column::AssetId.gt(after.as_str()));
    }
    let rows = query.order_by_asc(Column::AssetId).limit(limit).all(connection).await?;
    rows.into_iter().map(asset).collect()
}

/// What these users own, by client and id, at most `limit`.
pub(crate) async fn owned_by<C: ConnectionTrait>(
    connection: &C,
    owners: &BTreeSet<ClientUserName>,
    limit: u64,
) -> Result<Vec<Asset>, ServiceError> {
    let clients: BTreeSet<i64> = owners.iter().map(|owner| owner.client.get()).collect();
    let mut rows = Entity::find()
        .filter(Column::ClientId.is_in(clients))
        .filter(Column::OwnerId.is_in(owners.iter().map(|owner| owner.user.0)))
        .limit(limit)
        .all(connection)
        .await?;
    rows.sort_by(|one, other| (one.client_id, &one.asset_id).cmp(&(other.client_id, &other.asset_id)));
    rows.into_iter().map(asset).collect()
}

/// The ids of all that a user owns.
pub(crate) async fn ids_of<C: ConnectionTrait>(
    connection: &C,
    owner: ClientUserName,
) -> Result<BTreeSet<AssetId>, ServiceError> {
    let ids: Vec<String> = of_client(owner.client)
        .select_only()
        .column(Column::AssetId)
        .filter(Column::OwnerId.eq(owner.user.0))
        .into_tuple()
        .all(connection)
        .await?;
    ids.iter().map(|id| asset_id(id)).collect()
}

/// Gives assets of a client to a user there, or to nobody.
pub(crate) async fn give<C: ConnectionTrait>(
    transaction: &C,
    client: HubId,
    assets: &BTreeSet<AssetId>,
    new_owner: Option<ClientUserId>,
) -> Result<(), ServiceError> {
    let assets: Vec<&str> = assets.iter().map(AssetId::as_str).collect();
    for portion in assets.chunks(ROWS_PER_STATEMENT) {
        Entity::update_many()
            .col_expr(Column::OwnerId, Expr::value(new_owner.map(|owner| owner.0)))
            .filter(Column::ClientId.eq(client.get()))
            .filter(Column::AssetId.is_in(portion.iter().copied()))
            .exec(transaction)
            .await?;
    }
    Ok(())
}

/// The assets that have an owner, behind one of them, in the database's order of clients and ids, at most `limit`.
pub(crate) async fn owned<C: ConnectionTrait>(
    connection: &C,
    after: Option<&AssetName>,
    limit: u64,
) -> Result<Vec<Asset>, ServiceError> {
    let mut query = Entity::find().filter(Column::OwnerId.is_not_null());
    if let Some(AssetName { client, asset }) = after {
        let place = Expr::tuple([client.get().into(), asset.as_str().into()]);
        query = query.filter(Expr::tuple([Expr::col(Column::ClientId), Expr::col(Column::AssetId)]).gt(place));
    }
    let rows = query.order_by_asc(Column::ClientId).order_by_asc(Column::AssetId).limit(limit);
    rows.all(connection).await?.into_iter().map(asset).collect()
}

fn of_client(client: HubId) -> Select<Entity> {
    Entity::find().filter(Column::ClientId.eq(client.get()))
}
